"""The page lists the faults that are tried, each with an outcome, and every kind of fault is among them."""

import re

import pytest
import yaml

from sandbox.faults import read_plan
from sandbox.faults.plan import KINDS, VARIABLE
from tests.reliability.__main__ import BEGIN, END, PAGE, table, written
from tests.reliability.scenarios import SCENARIOS, Outcome, Scenario, play

TEXT = PAGE.read_text(encoding="utf-8")


def rows(page: str = TEXT) -> dict[str, list[str]]:
    """Fault → the other cells of its row."""
    made = page.split(BEGIN)[1].split(END, maxsplit=1)[0]
    cells = [[c.strip() for c in line.strip("|").split(" | ")] for line in made.splitlines() if " | " in line]
    return {row[0].strip("| "): [*row[1:-1], row[-1].strip("| ")] for row in cells[2:]}


def test_the_table_is_of_the_faults_that_are_tried_now() -> None:
    assert list(rows()) == [s.name for s in SCENARIOS], "make reliability"
    for scenario in SCENARIOS:
        assert rows()[scenario.name][3] == (scenario.remedy or "none"), scenario.name


@pytest.mark.parametrize(("whole", "shown"), [(True, "yes"), (False, "**no**")])
def test_the_table_says_whether_a_fault_was_whole_in_the_end(whole: bool, shown: str) -> None:
    outcome = Outcome(137, "a sentence", 6, 5, 1, "recover", whole)
    page = written(TEXT, table([(SCENARIOS[0], outcome)]))
    assert rows(page) == {SCENARIOS[0].name: ["137", "a sentence", "6 / 5 / 1", "recover", shown]}
    assert page.split(BEGIN)[0] == TEXT.split(BEGIN)[0]
    assert page.split(END, 1)[1] == TEXT.split(END, 1)[1]


def test_every_kind_of_fault_is_tried_and_told() -> None:
    assert {s.fault["do"] for s in SCENARIOS} == KINDS.keys()
    answer = set(re.findall(r"`([a-z-]+)`", TEXT.split("`do` is one of")[1].split(";")[0]))
    assert answer == KINDS.keys()


def test_the_plan_on_the_page_is_a_plan() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    plan = read_plan({VARIABLE: example})
    assert plan
    assert len(plan.faults) == len(yaml.safe_load(example)["faults"]) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "scenario", [s for s in SCENARIOS if s.remedy == "adopt by hand"], ids=lambda s: s.name
)
def test_the_page_is_right_about_what_nobody_recorded(scenario: Scenario) -> None:
    outcome = play(scenario)
    assert outcome.whole
    assert outcome.cloud > outcome.state
