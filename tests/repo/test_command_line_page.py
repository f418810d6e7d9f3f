"""The page of commands is what the command line has."""

from devtools.generators.command_line import PAGE, render


def test_the_page_is_what_the_commands_say() -> None:
    assert PAGE.read_text("utf-8") == render(), "run: make generate"
