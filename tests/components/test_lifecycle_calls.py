"""The input of a lifecycle call: the recorded attempt if what is asked was recorded, otherwise a new one."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pulumi import ResourceOptions

from components.common import attempts
from components.common.attempts import ATTEMPT
from components.tenants.lifecycle_calls import lifecycle_call
from devtools.mocks import run
from tests.components.parts import records

PARAMETER = "/tenantry/dev/calls/acme-pay/move"


def asked(event: Mapping[str, Any], **found: str) -> dict[str, Any]:
    """The event that the function gets, where Parameter Store holds `found`."""

    return called(event, **found)[0]


def called(event: Mapping[str, Any], **found: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """That event, and what the program takes for the function's answer."""
    results: list[Mapping[str, Any]] = []

    def program() -> None:
        made = lifecycle_call(
            "call",
            "move",
            function="mover",
            tenant="acme-pay",
            event=event,
            records=records("dev", **found),
            opts=ResourceOptions(),
        )
        made.result.apply(results.append)

    recording = run(program)
    (result,) = results
    return json.loads(recording.one("lambda/invocation:Invocation", "call").inputs["input"]), result


@pytest.fixture(autouse=True)
def without_a_given_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ATTEMPT, raising=False)
    # What the process has drawn stays for other tests, which compare what two programs register.
    monkeypatch.setattr(attempts, "new_attempt", attempts.new_attempt.__wrapped__)


def test_a_recorded_call_keeps_its_attempt() -> None:
    first = asked({"stage": "prepare"})["record"]
    assert first["parameter"] == PARAMETER
    done = json.dumps({"asked": first["asked"], "attempt": "kept"})
    again = asked({"stage": "prepare"}, **{PARAMETER: done})
    assert again == {"tenant": "acme-pay", "stage": "prepare", "record": {**first, "attempt": "kept"}}


def test_the_answer_of_a_recorded_call_is_the_recorded_one() -> None:
    """The state has an older one if the function's reply was lost."""
    event, answer = called({"stage": "prepare"})
    assert answer == {}, "the mock's"
    done = json.dumps({"asked": event["record"]["asked"], "attempt": "kept", "result": {"stage": "prepare"}})
    assert called({"stage": "prepare"}, **{PARAMETER: done})[1] == {"stage": "prepare"}
    assert called({"stage": "replicate"}, **{PARAMETER: done})[1] == {}


def test_what_else_is_asked_is_a_new_attempt() -> None:
    first = asked({"stage": "prepare"})["record"]
    done = json.dumps({"asked": first["asked"], "attempt": "kept"})
    assert asked({"stage": "replicate"}, **{PARAMETER: done})["record"]["attempt"] != "kept"


def test_the_record_of_another_call_counts_for_nothing() -> None:
    first = asked({"stage": "prepare"})["record"]
    done = json.dumps({"asked": first["asked"], "attempt": "kept"})
    assert asked({"stage": "prepare"}, **{f"{PARAMETER}-2": done})["record"]["attempt"] != "kept"


@pytest.mark.parametrize("text", ["", "{", "[]", '"kept"', "{}", '{"asked": null, "attempt": "kept"}'])
def test_what_is_no_record_counts_for_nothing(text: str) -> None:
    assert asked({"stage": "prepare"}, **{PARAMETER: text})["record"]["attempt"] != "kept"


def test_an_unrecorded_call_is_another_attempt_in_each_run() -> None:
    one = asked({"stage": "prepare"})["record"]["attempt"]
    assert asked({"stage": "prepare"})["record"]["attempt"] != one


def test_a_preview_and_a_run_can_be_given_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ATTEMPT, "change-17")
    assert asked({"stage": "prepare"})["record"]["attempt"] == "change-17"
