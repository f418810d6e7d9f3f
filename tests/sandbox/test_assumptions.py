"""What is assumed of AWS is listed, with commands that settle it; and what is listed is assumed somewhere."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
import yaml

from devtools.paths import ROOT
from sandbox.aws.assumptions import DANGERS, assumptions, assumptions_of, render
from sandbox.aws.type_descriptions import HERE, described

CODE: Final = ("components", "functions", "iam", "organization", "plan", "recovery", "tenants")
PROSE: Final = ("docs", "sandbox")  # data and pages too; those of the other rooms are the team's
GENERATED: Final = ("docs/settle-on-aws.md", "docs/sandbox-coverage.md")
LISTS: Final = ("sandbox/aws/assumptions.yaml", "sandbox/aws/assumptions.py", "sandbox/aws/behaviours.py")
# "Assumed", "is assumed", "assumption"; not "assumed role", a role that "was assumed" or "may be assumed".
SAID: Final = re.compile(r"\b(assumptions?|(?<!was )(?<!be )assumed)\b(?!-role)(?! role| by)", re.IGNORECASE)
NAMED: Final = re.compile(r"`([a-z]+(?:-[a-z]+)+)`|assumption: ([a-z]+(?:-[a-z]+)+)")
NAMES: Final = frozenset(a.name for a in assumptions())


def texts() -> Iterator[tuple[str, str]]:
    """Path from the root → text, of what could rest on an assumption."""
    found = [path for room in (*CODE, *PROSE) for path in (ROOT / room).rglob("*.py")]
    found += [path for room in PROSE for kind in ("yaml", "md") for path in (ROOT / room).rglob(f"*.{kind}")]
    for path in sorted(found):
        name = path.relative_to(ROOT).as_posix()
        if name not in (*GENERATED, *LISTS):
            yield name, path.read_text("utf-8")


def unlisted(name: str, text: str) -> list[str]:
    """Lines that say that something is assumed, and name no entry there, or in a line beside."""
    lines = text.splitlines()
    return [
        f"{name}:{i + 1}: {line.strip()}"
        for i, line in enumerate(lines)
        if SAID.search(line) and not named("\n".join(lines[max(i - 1, 0) : i + 3]))
    ]


def named(text: str) -> set[str]:
    return {one or other for one, other in NAMED.findall(text)} & NAMES


def test_whatever_is_said_to_be_assumed_names_its_entry() -> None:
    assert [line for name, text in texts() for line in unlisted(name, text)] == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("# Assumed: that RDS answers so.", 1),
        ("it is assumed that", 1),
        ("An assumption: pigs fly", 1),
        ("the break-glass role was assumed", 0),
        ("arn:aws:sts::1:assumed-role/a", 0),
        ("ARN of the assumed role's session", 0),
        ("The role defined for the function cannot be assumed by Lambda.", 0),
        (f"# Assumed (`{min(NAMES)}`): that RDS answers so.", 0),
        ("# Assumed (`another-name`): that RDS answers so.", 1),
    ],
)
def test_an_assumption_without_an_entry_is_found(line: str, found: int) -> None:
    assert len(unlisted("a.py", line)) == found


def test_each_entry_is_named_where_it_says_and_nowhere_else() -> None:
    found: dict[str, set[str]] = {name: set() for name in NAMES}
    for path, text in texts():
        for name in named(text):
            found[name].add(path)
    assert found == {a.name: {*a.where} for a in assumptions()}


def test_each_entry_is_of_a_known_danger_the_highest_first_and_of_known_types() -> None:
    order = [[*DANGERS].index(a.danger) for a in assumptions()]
    assert order == sorted(order)
    assert len(NAMES) == len(assumptions()) < 20, "a short list"
    for assumption in assumptions():
        assert {*assumption.types} <= {*described(), "sdk", "framework", "all"}, assumption.name
        assert assumption.settle, assumption.name
        assert assumption.expect, assumption.name


def test_each_listed_difference_without_a_source_names_its_entry() -> None:
    listed: list[Mapping[str, str]] = yaml.safe_load((HERE / "differences.yaml").read_text("utf-8"))
    for entry in listed:
        if "assumption" in entry:
            about = {a.name for a in assumptions_of(entry["type"])}
            assert entry["assumption"] in about, entry


def test_the_page_is_fresh() -> None:
    assert (ROOT / GENERATED[0]).read_text("utf-8") == render(), "stale: run `make generate`"


def test_each_command_is_one_that_is_there() -> None:
    """The program of each, not what it does: nobody has an account here."""
    words = {line.split()[0] for a in assumptions() for line in a.settle}
    assert words <= {"aws", "pulumi", "git", "grep", "jq", "psql", "sed", "for"}
    places = {path for a in assumptions() for path in a.where}
    assert {p for p in places if not (Path(ROOT) / p).is_file()} == set()
