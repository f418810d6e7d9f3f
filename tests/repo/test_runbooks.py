"""Runbooks say only what is so: their commands, links and what they quote from a run are looked up."""

import re
from pathlib import Path

import pytest

from tests.cells import ROOT
from tests.repo.typed_commands import commands_in, refusal

BOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
MOVING = ROOT / "docs" / "runbooks" / "moving-a-tenant.md"


@pytest.mark.parametrize("book", BOOKS, ids=lambda b: b.stem)
def test_every_command_that_is_named_exists_with_its_arguments(book: Path) -> None:
    named = set(commands_in(book.read_text("utf-8")))
    assert [wrong for command in sorted(named) if (wrong := refusal(command))] == []
    assert len(named) > 5 or book != MOVING


@pytest.mark.parametrize("book", BOOKS, ids=lambda b: b.stem)
def test_every_link_and_every_test_that_is_named_leads_somewhere(book: Path) -> None:
    text = book.read_text("utf-8")
    links = [book.parent / link for link in re.findall(r"\]\(([^):#]+)\)", text)]
    files = [ROOT / name for name in re.findall(r"`((?:tests|docs|tenants)/[a-z_/.-]+)`", text)]
    assert [str(p) for p in (*links, *files) if not p.exists()] == []


def test_runbooks_can_be_found() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "docs/runbooks/moving-a-tenant.md" in readme
    assert "`docs/runbooks/`" in readme


def test_what_a_failed_move_is_quoted_to_say_is_what_it_says() -> None:
    """In the first column of the table; … stands for what differs."""
    table = MOVING.read_text("utf-8").split("| it says | do |")[1].split("\n\n")[0]
    quoted = re.findall(r"`([^`]+)`", "".join(re.findall(r"^\|[^|]*\|", table, re.MULTILINE)))
    code = [p.read_text("utf-8") for p in (ROOT / "functions").rglob("*.*") if p.suffix in (".py", ".sql")]
    code.append((ROOT / "plan" / "data" / "alarms.py").read_text("utf-8"))
    joined = [re.sub(r'"\s+f?"', "", text) for text in code]  # literals that go on in the next line
    patterns = {q: ".{1,60}?".join(map(re.escape, q.split("…"))) for q in quoted}
    wrong = [q for q, pattern in patterns.items() if not any(re.search(pattern, t) for t in joined)]
    assert (len(quoted) >= 7, wrong) == (True, [])
