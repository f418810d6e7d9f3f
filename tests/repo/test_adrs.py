"""The architecture decisions in docs/adr have one form, and the index and the files that they name exist."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.cells import ROOT

FOLDER: Final = ROOT / "docs" / "adr"
ADRS: Final = sorted(FOLDER.glob("[0-9]*.md"))
INDEX: Final = FOLDER / "README.md"
HEADINGS: Final = ["Context", "Decision", "Consequences"]
FORM: Final = re.compile(
    r"# (?P<number>\d+)\. (?P<title>[^\n]+)\n\n"
    r"\*\*Status\.\*\* (?P<status>Accepted|Superseded by \d+), (?P<date>\d{4}-\d\d-\d\d)\n\n"
    r"## Context\n"
)
PYTHON_FILE: Final = re.compile(r"`((?:\w+/)*\w+\.py)`")


def head(file: Path) -> re.Match[str]:
    found = FORM.match(file.read_text(encoding="utf-8"))
    assert found, (
        f"{file.name}: want `# N. Title`, `**Status.** Accepted, DATE`, `## Context`, blank lines between"
    )
    return found


def test_the_numbers_have_no_gap() -> None:
    assert [int(file.name[:4]) for file in ADRS] == list(range(1, len(ADRS) + 1))
    assert ADRS


@pytest.mark.parametrize("file", ADRS, ids=lambda file: file.stem)
def test_a_decision_has_title_status_and_the_three_headings(file: Path) -> None:
    assert int(head(file)["number"]) == int(file.name[:4])
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"^##+ (.+)$", text, re.MULTILINE) == HEADINGS
    sections = re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]
    assert all(section.strip() for section in sections), "a heading without text"


def test_the_index_lists_every_decision() -> None:
    rows = [line for line in INDEX.read_text(encoding="utf-8").splitlines() if re.match(r"\| \d", line)]
    expected = [(file.name, head(file)) for file in ADRS]
    assert rows == [
        f"| {adr['number']} | [{adr['title']}]({name}) | {adr['status']} | {adr['date']} |"
        for name, adr in expected
    ]


@pytest.mark.parametrize("file", ADRS, ids=lambda file: file.stem)
def test_the_python_files_that_a_decision_names_exist(file: Path) -> None:
    named = PYTHON_FILE.findall(file.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).is_file()] == []
