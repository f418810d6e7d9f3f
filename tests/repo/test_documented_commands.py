"""Every command line in README and docs/ is one that can be typed: program, target, option, argument."""

from pathlib import Path

import pytest

from tests.repo.documented_commands import PAGES, commands, named_in, wrong_with


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_every_command_of_a_page_can_be_typed(page: Path) -> None:
    assert [wrong for words in named_in(page.read_text("utf-8")) if (wrong := wrong_with(words))] == []


def test_the_commands_of_all_pages_are_found() -> None:
    programs = [words[0] for page in PAGES for words in named_in(page.read_text("utf-8"))]
    assert {"make", "tenantry", "pulumi", "aws", ".venv/bin/python"} <= set(programs)
    assert len(programs) > 150


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("make up   # a comment", [["make", "up"]]),
        ('eval "$(make -s env)"', [["make", "-s", "env"]]),
        ("FUZZ_SEED=7 make fuzz", [["make", "fuzz"]]),
        ("pulumi preview --json > plan.json", [["pulumi", "preview", "--json"]]),
        (
            ".venv/bin/tenantry completion fish | source",
            [[".venv/bin/tenantry", "completion", "fish"], ["source"]],
        ),
        ("tenantry sandbox psql x -c 'a; b'", [["tenantry", "sandbox", "psql", "x", "-c", "a; b"]]),
    ],
)
def test_a_line_is_split_as_a_shell_splits_it(block: str, found: list[list[str]]) -> None:
    assert list(commands(block)) == found


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("make deploy", "no target deploy"),
        ("make up STAKC=prod", "no variable STAKC"),
        ("tenantry tenants lst", "there is no command lst"),
        ("tenantry policy approve plan.json", "Missing parameter"),
        (".venv/bin/tenantry sandbox stop --all", "No such option: --all"),
        (".venv/bin/python -m tenants list --stacks dev", "No such option: --stacks"),
        (".venv/bin/python -m tests.fuzz", "no module tests.fuzz"),
        (".venv/bin/python -m pytest tests/plans", "no tests/plans"),
        ("pulumi apply", "no such command of pulumi"),
        ("pulumi preview --quiet", "pulumi preview has no --quiet"),
        ("aws ecs update-services", "aws ecs has no update-services"),
        ("aws ecs update-service --force-deployment", "has no --force-deployment"),
        ("terraform plan", "no program that a reader has"),
    ],
)
def test_a_command_that_cannot_be_typed_is_found(line: str, says: str) -> None:
    (words,) = commands(line)
    assert says in (wrong_with(words) or "")
