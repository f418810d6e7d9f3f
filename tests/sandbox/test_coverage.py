"""Every input in use is judged by something or says why not, and the page that shows it is fresh."""

from collections.abc import Mapping

import pytest

from cli.sandbox.coverage import PAGE, used
from sandbox.aws.coverage import UNCHECKED, covered_inputs, findings, render
from sandbox.aws.refusals.rule import CREATE, DELETE, INPUTS, checked
from sandbox.aws.type_descriptions import describe, described
from tests.cells import PROJECT

AGAIN = "run `python -m sandbox coverage --write --project tests/project`"


@pytest.fixture(scope="module")
def in_use() -> Mapping[str, set[str]]:
    """Type → the inputs that the stacks of the tests give it."""
    return used(PROJECT)


def test_no_input_in_use_is_unjudged_without_being_listed(in_use: Mapping[str, set[str]]) -> None:
    assert findings(covered_inputs(in_use)) == []


def test_an_input_that_nothing_judges_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.aws.coverage.unchecked_inputs", dict)
    found = findings(covered_inputs({"aws:apigateway/apiKey:ApiKey": {"description", "enabled"}}))
    assert found == [
        f"aws:apigateway/apiKey:ApiKey description: nothing judges it, and it is not in {UNCHECKED.name}"
    ]


def test_a_line_that_is_not_needed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sandbox.aws.coverage.unchecked_inputs", lambda: {"aws:kms/key:Key description": "any text"}
    )
    found = findings(covered_inputs({"aws:kms/key:Key": {"description"}}))
    assert found == [f"aws:kms/key:Key description: in {UNCHECKED.name}, and judged or not in use"]


def test_the_page_is_fresh(in_use: Mapping[str, set[str]]) -> None:
    assert PAGE.read_text(encoding="utf-8") == render(covered_inputs(in_use)), f"stale: {AGAIN}"


@pytest.mark.parametrize("token", sorted(INPUTS.keys() | CREATE.keys() | DELETE.keys()))
def test_a_rule_judges_inputs_that_exist(token: str) -> None:
    if token in described():
        assert set(checked(token)) - set(describe(token).inputs) == set()
