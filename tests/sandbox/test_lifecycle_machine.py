"""The definition of the state machine of lifecycle work, run by the interpreter with other workers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from plan.tenants.lifecycle_machine import PAUSE, ROUNDS, TRANSIENT, TRIES, definition
from sandbox.data_plane.state_interpreter import Ended, Failed, Machine, Refused, run

MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:tenantry-dev-lifecycle"
EXECUTION = f"{MACHINE.replace('stateMachine', 'execution')}:move-acme-1"
EVENT = {"tenant": "acme", "stage": "replicate", "record": {"attempt": "one"}}
MOST_EVENTS = 25_000  # of an execution's history (Step Functions quotas, 2026-11)
# Of the function: a payload with no type, and with one. All else Lambda itself refuses.
FAILURES = {
    "Lambda.Unknown": Failed('{"errorMessage": "Task timed out"}'),
    "Sandbox.Timedout": Failed('{"errorMessage": "Task timed out", "errorType": "Sandbox.Timedout"}'),
}
Worker = Callable[[int, Any], Any]
"""Number of the call, from 1, and the event → the answer."""


class Ran:
    """One execution, as fast as it goes: the pauses are left out, and noted."""

    def __init__(self, worker: Worker, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.slept: list[float] = []
        monkeypatch.setattr("time.sleep", self.slept.append)
        self._worker = worker
        text = json.dumps(definition()).replace(f'"Seconds": {PAUSE}', '"Seconds": 0')
        for before, after in changes.items():
            text = text.replace(before, str(after))
        machine = Machine(arn=MACHINE, name="tenantry-dev-lifecycle", role="arn:role", definition=text)
        given = {"function": "tenantry-dev-mover-worker", "event": EVENT, "resume": {}, "round": 0}
        self.ended: Ended = run(machine, EXECUTION, json.dumps(given), self._invoke)

    def _invoke(self, name: str, event: Any) -> Any:
        self.calls.append((name, event))
        return self._worker(len(self.calls), event)


def goes_on(number: int) -> dict[str, Any]:
    return {"tenant": "acme", "goesOn": True, "progress": "some", "resume": {"after": f"object-{number}"}}


def test_the_worker_is_called_once_with_what_was_asked_and_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = Ran(lambda *_: {"serves": "origin"}, monkeypatch)
    assert ran.calls == [("tenantry-dev-mover-worker", {**EVENT})]
    assert (ran.ended.status, json.loads(str(ran.ended.output))) == ("SUCCEEDED", {"serves": "origin"})


def test_work_that_goes_on_is_called_again_from_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = Ran(lambda n, _: goes_on(n) if n < 4 else {"serves": "origin", "goesOn": False}, monkeypatch)
    assert [event.get("resume") for _, event in ran.calls] == [
        None,
        {"after": "object-1"},
        {"after": "object-2"},
        {"after": "object-3"},
    ]
    assert all(EVENT.items() <= event.items() for _, event in ran.calls)
    assert ran.ended.status == "SUCCEEDED"


def test_a_refusal_of_the_worker_ends_it_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_number: int, _event: Any) -> Any:
        raise Failed(json.dumps({"errorType": "MoveError", "errorMessage": "tenant acme cannot be moved"}))

    ran = Ran(refuse, monkeypatch)
    assert (len(ran.calls), ran.ended.status, ran.ended.error) == (1, "FAILED", "MoveError")
    assert json.loads(str(ran.ended.cause))["errorMessage"] == "tenant acme cannot be moved"


@pytest.mark.parametrize("error", TRANSIENT)
def test_what_is_lambdas_is_tried_again(error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(number: int, _event: Any) -> Any:
        if number < 3:
            raise FAILURES.get(error) or Refused(error.removeprefix("Lambda."), "later")
        return {"serves": "origin"}

    ran = Ran(fail, monkeypatch)
    assert (len(ran.calls), ran.ended.status) == (3, "SUCCEEDED")


def test_what_stays_wrong_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_number: int, _event: Any) -> Any:
        raise Refused("TooManyRequestsException", "Rate Exceeded.")

    ran = Ran(fail, monkeypatch)
    assert (len(ran.calls), ran.ended.status) == (1 + TRIES, "FAILED")
    assert ran.ended.error == "Lambda.TooManyRequestsException"
    assert len(ran.slept) == TRIES


def test_what_may_not_be_called_yet_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy of the machine's role may be a moment old, of which Lambda has not heard."""

    def refuse(number: int, _event: Any) -> Any:
        if number < 3:
            raise Refused("AccessDeniedException", "not authorized to perform: lambda:InvokeFunction")
        return {"serves": "origin"}

    ran = Ran(refuse, monkeypatch)
    assert (len(ran.calls), ran.ended.status) == (3, "SUCCEEDED")


def test_what_may_not_be_called_at_all_fails_with_the_words_of_lambda(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_number: int, _event: Any) -> Any:
        raise Refused("AccessDeniedException", "not authorized to perform: lambda:InvokeFunction")

    ran = Ran(refuse, monkeypatch)
    assert (len(ran.calls), ran.ended.error) == (1 + TRIES, "Lambda.AWSLambdaException")
    assert "AccessDeniedException: not authorized to perform" in str(ran.ended.cause)


def test_what_is_not_there_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_number: int, _event: Any) -> Any:
        raise Refused("ResourceNotFoundException", "Function not found: mover")

    assert len(Ran(refuse, monkeypatch).calls) == 1


def test_rounds_end_before_aws_ends_the_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer rounds, and each failing as often as it may: what a round takes of the history, at most."""
    rounds = 4

    def often(number: int, _event: Any) -> Any:
        if number % (TRIES + 1):
            raise Refused("ServiceException", "later")
        return goes_on(number)

    few = {f'"NumericGreaterThanEquals": {ROUNDS - 1}': f'"NumericGreaterThanEquals": {rounds - 1}'}
    ran = Ran(often, monkeypatch, **few)
    assert (ran.ended.status, ran.ended.error) == ("FAILED", "TooManyRounds")
    assert len(ran.calls) == rounds * (TRIES + 1)
    assert ran.ended.events / rounds * ROUNDS < MOST_EVENTS
