"""docs/testing.md says which tests there are, and which of them `make test` leaves out."""

import re

import pytest

from devtools.generators.slow_tests import PAGE, SOME_CASES, page, sentence, slow_tests
from tests.cells import ROOT
from tests.repo.test_repository import all_collected

TEXT = PAGE.read_text(encoding="utf-8")
SOME = "pytest.mark.parametrize('n', [1, pytest.param(2, marks=pytest.mark.slow)])"
KINDS = {"unit", "mocks", "postgres", "engine", "oracle"}


def test_the_list_of_slow_tests_is_up_to_date() -> None:
    assert page(TEXT) == TEXT, "run: make generate"


def test_the_list_has_the_tests_that_pytest_takes_for_slow(request: pytest.FixtureRequest) -> None:
    marked = {(file, sentence(name)) for file, name, slow in all_collected(request.config) if slow}
    found = {
        (str(path.relative_to(ROOT)), name.removesuffix(SOME_CASES))
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in slow_tests(path.read_text(encoding="utf-8"))
    }
    assert found == marked


def test_every_folder_of_tests_is_described_by_its_kinds() -> None:
    rows = dict(re.findall(r"^\| `(tests/[a-z_]+)` \| ([a-z, ]+) \|", TEXT, re.MULTILINE))
    folders = {str(p.parent.relative_to(ROOT)) for p in (ROOT / "tests").glob("*/test_*.py")}
    assert set(rows) == folders
    assert {kind for kinds in rows.values() for kind in kinds.split(", ")} == KINDS
    assert {kind for kind in KINDS if f"\n| {kind} | " in TEXT} == KINDS


def test_every_command_of_the_page_names_what_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index]
    named = set(re.findall(r"`make ([a-z-]+)", TEXT))
    assert "test-all" in named
    assert named - targets == set()
    paths = re.findall(r"\btests/[a-z_/]+(?:\.py)?", TEXT)
    assert [p for p in paths if not (ROOT / p).exists()] == []


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ("@pytest.mark.slow\n", ["it works"]),
        ("@often\n@pytest.mark.slow\n", ["it works"]),
        (f"@{SOME}\n", ["it works (some of its cases)"]),
        ("", []),
    ],
)
def test_a_slow_test_is_found_by_its_mark(mark: str, expected: list[str]) -> None:
    assert list(slow_tests(f"import pytest\n\n{mark}def test_it_works(): ...\n")) == expected


def test_a_mark_is_found_by_the_name_that_it_was_given() -> None:
    assert list(slow_tests(f"each = {SOME}\n@each\ndef test_it_works(): ...\n")) == [
        "it works (some of its cases)"
    ]
    whole = "pytestmark = pytest.mark.slow\ndef test_it_works(): ...\n"
    assert list(slow_tests(whole)) == ["it works"]
