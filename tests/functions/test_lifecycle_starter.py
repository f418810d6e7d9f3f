"""The starter: one execution for what is asked, whoever asks and how often; its result, or what goes on."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.common.call_record import done, record_of
from functions.common.events import RequestError
from functions.lifecycle_starter.aws import StepFunctions
from functions.lifecycle_starter.executions import (
    AlreadyExists,
    Execution,
    LifecycleError,
    Tools,
    call_worker,
)
from functions.lifecycle_starter.request import Call, parse
from tests.parameters import FakeParameters

NAME = "/tenantry/dev/calls/acme-pay/move"
ARN = "arn:aws:states:eu-west-1:111122223333:stateMachine:tenantry-dev-lifecycle"
BEGAN = datetime(2026, 11, 29, 9, 30, tzinfo=UTC)
WORKER = "tenantry-dev-mover-worker"
RESULT = {"tenant": "acme-pay", "serves": "target"}


def event(attempt: str = "one", asked: str = "a", **more: Any) -> dict[str, Any]:
    record = {"parameter": NAME, "asked": asked * 64, "attempt": attempt}
    return {"tenant": "acme-pay", "stage": "cutover", "record": record, **more}


def call(**given: Any) -> Call:
    found = parse(event(**given))
    assert found
    return found


@dataclass
class Cloud(FakeParameters):
    """Step Functions and Parameter Store in memory; executions end after some looks, as `ends` says."""

    looks: int = 3
    ends: Callable[[Execution], Execution] = lambda e: replace(e, status="SUCCEEDED", output=RESULT)
    records: bool = True  # whether the worker's record is left by an execution that succeeds
    executions: dict[str, Execution] = field(default_factory=dict[str, Execution])
    left: dict[str, int] = field(default_factory=dict[str, int])
    slept: float = 0.0
    began: datetime = BEGAN - timedelta(days=1)  # of the last that was started; a day lies between two
    unseen: int = 0  # looks that do not see an execution yet
    before_start: Callable[[], None] = lambda: None

    def find(self, name: str) -> Execution | None:
        if self.unseen:
            self.unseen -= 1
            return None
        found = self.executions.get(name)
        if found and found.status == "RUNNING":
            self.left[name] -= 1
            if self.left[name] < 0:
                found = self.executions[name] = self.ends(found)
                record = record_of(found.given["event"])
                if found.status == "SUCCEEDED" and self.records and record:
                    self.put(record.parameter, done(record, found.output))
        return found

    def running(self) -> list[str]:
        return [name for name, found in self.executions.items() if found.status == "RUNNING"]

    def start(self, name: str, given: str) -> None:
        self.before_start()
        before = self.executions.get(name)
        if before and (before.status != "RUNNING" or before.given != json.loads(given)):
            raise AlreadyExists(name)
        self.began += timedelta(days=1)
        self.executions.setdefault(
            name,
            Execution(arn=f"{ARN}:{name}", status="RUNNING", started=self.began, given=json.loads(given)),
        )
        self.left.setdefault(name, self.looks)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def tools(self, seconds: float = 600.0) -> Tools:
        return Tools(
            machine=self,
            parameters=self,
            worker=WORKER,
            seconds=seconds,
            sleep=self.sleep,
            now=lambda: self.slept,
        )

    def ask(self, seconds: float = 600.0, **given: Any) -> Mapping[str, Any]:
        return call_worker(call(**given), self.tools(seconds))


def failing(execution: Execution) -> Execution:
    cause = json.dumps({"errorMessage": "tenant acme-pay cannot be moved: no key", "errorType": "MoveError"})
    return replace(execution, status="FAILED", error="MoveError", cause=cause)


def test_it_starts_an_execution_of_the_worker_and_answers_as_the_worker_does() -> None:
    cloud = Cloud()
    assert cloud.ask() == RESULT
    ((name, execution),) = cloud.executions.items()
    assert name == f"move-acme-pay-{'a' * 16}-1"
    assert execution.given == {"function": WORKER, "event": event(), "resume": {}, "round": 0}
    assert json.loads(cloud.values[NAME])["attempt"] == "one"


def test_two_runs_at_once_have_one_execution_and_one_result() -> None:
    cloud = Cloud()

    def other_run() -> None:
        cloud.before_start = lambda: None
        given = {"function": WORKER, "event": event("two"), "resume": {}, "round": 0}
        cloud.start(f"move-acme-pay-{'a' * 16}-1", json.dumps(given))

    cloud.before_start = other_run
    assert cloud.ask() == RESULT
    assert [e.given["event"]["record"]["attempt"] for e in cloud.executions.values()] == ["two"]
    assert json.loads(cloud.values[NAME])["attempt"] == "one", "this run's input is to have no difference"


def test_an_invocation_that_is_made_twice_joins_what_runs() -> None:
    cloud = Cloud()
    with pytest.raises(LifecycleError, match="goes on in Step Functions"):
        cloud.ask(seconds=0)
    assert cloud.ask() == RESULT
    assert len(cloud.executions) == 1


@pytest.mark.parametrize("attempt", ["one", "two"], ids=["equal-input", "other-input"])
@pytest.mark.parametrize("ended", [False, True], ids=["running", "ended"])
def test_an_execution_that_is_not_described_yet_is_joined_by_its_name(ended: bool, attempt: str) -> None:
    """It was started a moment ago, or has even ended since: only the start says that there is one."""
    cloud = Cloud()
    with pytest.raises(LifecycleError, match="goes on"):
        cloud.ask(seconds=0)
    (name,) = cloud.executions
    while ended and cloud.executions[name].status == "RUNNING":
        cloud.find(name)
    cloud.values.clear()  # as if the worker had recorded nothing: its record is not to decide here
    cloud.unseen = 3
    assert cloud.ask(attempt=attempt) == RESULT
    assert list(cloud.executions) == [name]
    assert json.loads(cloud.values[NAME])["attempt"] == attempt


def test_a_refusal_that_was_not_described_yet_is_said_and_the_next_run_tries_again() -> None:
    cloud = Cloud(ends=failing)
    with pytest.raises(LifecycleError, match="cannot be moved"):
        cloud.ask()
    cloud.unseen = 3
    with pytest.raises(LifecycleError, match="cannot be moved"):
        cloud.ask(attempt="two")
    assert len(cloud.executions) == 1
    cloud.ends = Cloud().ends
    assert cloud.ask(attempt="three") == RESULT
    assert [name[-2:] for name in cloud.executions] == ["-1", "-2"]


def test_what_step_functions_has_forgotten_is_done_again_under_the_same_name() -> None:
    """After 90 days, and only where no record tells of it."""
    cloud = Cloud()
    cloud.ask()
    cloud.executions.clear()
    assert cloud.ask(attempt="two") == RESULT
    assert not cloud.executions
    cloud.values.clear()
    assert cloud.ask(attempt="three") == RESULT
    assert [name[-2:] for name in cloud.executions] == ["-1"]


NAMED = f"move-acme-pay-{'a' * 16}-"


def refused(cloud: Cloud, attempt: str) -> None:
    cloud.ends = failing
    with pytest.raises(LifecycleError, match="cannot be moved"):
        cloud.ask(attempt=attempt)


def test_one_that_runs_is_joined_though_those_before_it_are_forgotten() -> None:
    """Refused twice, and started again weeks later; then the first ones are forgotten while it runs."""
    cloud = Cloud()
    refused(cloud, "one")
    refused(cloud, "two")
    cloud.looks = 10**6
    with pytest.raises(LifecycleError, match="goes on"):
        cloud.ask(attempt="three", seconds=0)
    for number in (1, 2):
        del cloud.executions[f"{NAMED}{number}"]
        with pytest.raises(LifecycleError, match=rf"goes on .*{NAMED}3"):
            cloud.ask(attempt=f"after-{number}", seconds=0)
        with pytest.raises(LifecycleError, match=rf"goes on .*{NAMED}3"):
            cloud.ask(lifecycle={"action": "delete"})
    assert list(cloud.executions) == [f"{NAMED}3"]


def test_one_whose_number_was_given_again_is_the_newest_and_not_the_highest() -> None:
    """The worker is told what the newest was told: of those before, the state was another."""
    cloud = Cloud()
    refused(cloud, "one")
    refused(cloud, "two")
    del cloud.executions[f"{NAMED}1"]
    before = {"action": "update", "prev_input": {"keyArn": "the-key", **event(asked="b")}}
    cloud.left.clear()
    with pytest.raises(LifecycleError, match="cannot be moved"):
        cloud.ask(attempt="three", lifecycle=before)
    failed = {"action": "update", "prev_input": event()}
    cloud.ends = Cloud().ends
    assert cloud.ask(attempt="four", lifecycle=failed) == RESULT
    assert list(cloud.executions) == [f"{NAMED}{number}" for number in (2, 1, 3)]
    assert cloud.executions[f"{NAMED}3"].given["event"]["lifecycle"] == before


def test_what_takes_longer_than_the_wait_is_said_in_one_sentence_with_what_to_do() -> None:
    cloud = Cloud(looks=10**6)
    words = {"asked": "a" * 64, "attempt": "one", "progress": "the first copy of 2 tables is not over"}
    cloud.values[NAME] = json.dumps({"goesOn": words})
    with pytest.raises(LifecycleError, match="move goes on") as said:
        cloud.ask()
    assert 600 < cloud.slept < 610
    assert str(said.value) == (
        "tenant acme-pay: move goes on in Step Functions since 2026-11-29 09:30:00 UTC: the first copy of 2"
        " tables is not over. The next `up` takes up its result; until then `aws stepfunctions"
        f" describe-execution --execution-arn {ARN}:move-acme-pay-{'a' * 16}-1` says whether it still runs"
    )


def test_the_next_run_takes_up_what_has_ended_meanwhile() -> None:
    cloud = Cloud()
    with pytest.raises(LifecycleError, match="goes on"):
        cloud.ask(seconds=0)
    for _ in range(5):
        cloud.find(next(iter(cloud.executions)))
    assert cloud.ask(attempt="two") == RESULT
    assert len(cloud.executions) == 1, "the work is not done again"
    assert json.loads(cloud.values[NAME])["attempt"] == "two"


def test_a_result_that_no_record_has_room_for_is_taken_from_the_execution() -> None:
    cloud = Cloud()
    cloud.ask()
    cloud.values[NAME] = json.dumps({"asked": "a" * 64, "attempt": "one"})
    assert cloud.ask(attempt="two") == RESULT
    assert len(cloud.executions) == 1


def test_a_refusal_of_the_worker_is_raised_in_its_words_and_the_next_run_tries_again() -> None:
    cloud = Cloud(ends=failing)
    with pytest.raises(LifecycleError, match=r"^tenant acme-pay cannot be moved: no key$"):
        cloud.ask()
    cloud.ends = Cloud().ends
    assert cloud.ask(attempt="two") == RESULT
    assert [name[-2:] for name in cloud.executions] == ["-1", "-2"]


def test_an_execution_that_succeeded_without_a_record_is_no_proof() -> None:
    cloud = Cloud(records=False)
    cloud.ask()
    del cloud.values[NAME]
    cloud.ask(attempt="two")
    assert len(cloud.executions) == 2


def test_what_failed_otherwise_is_named_with_how_it_ended() -> None:
    cloud = Cloud(ends=lambda e: replace(e, status="TIMED_OUT"))
    with pytest.raises(LifecycleError, match="tenant acme-pay: move ended as TIMED_OUT"):
        cloud.ask()
    cloud = Cloud(ends=lambda e: replace(e, status="FAILED", error="TooManyRounds", cause="not over"))
    with pytest.raises(LifecycleError, match="ended as TooManyRounds: not over"):
        cloud.ask()


def test_after_a_failure_the_worker_is_still_told_what_was_before() -> None:
    """The state has the new input after an update that failed; the next one's "previous" says nothing new."""
    closing = {"action": "update", "prev_input": {"keyArn": "the-key", **event(asked="b")}}
    failed = {"action": "update", "prev_input": event()}
    cloud = Cloud(ends=failing)
    for lifecycle in (closing, failed, failed):
        with pytest.raises(LifecycleError, match="cannot be moved"):
            cloud.ask(lifecycle=lifecycle)
    assert [e.given["event"]["lifecycle"] for e in cloud.executions.values()] == [closing] * 3
    other = {"action": "update", "prev_input": {"keyArn": "another", **event(asked="c")}}
    with pytest.raises(LifecycleError, match="cannot be moved"):
        cloud.ask(lifecycle=other)
    assert list(cloud.executions.values())[-1].given["event"]["lifecycle"] == other


def test_after_a_call_that_lambda_never_made_the_worker_is_told_what_was_recorded_last() -> None:
    cloud = Cloud()
    cloud.ask(asked="b", keyArn="the-key", lifecycle={"action": "update", "prev_input": event(asked="c")})
    never_made = event()
    cloud.ask(attempt="two", lifecycle={"action": "update", "prev_input": never_made})
    told = cloud.executions[f"move-acme-pay-{'a' * 16}-1"].given["event"]["lifecycle"]
    assert told == {"action": "update", "prev_input": {"keyArn": "the-key", **event(asked="b")}}


def test_with_the_resource_goes_its_record_unless_something_goes_on() -> None:
    ends = {"action": "delete"}
    cloud = Cloud()
    cloud.ask()
    assert cloud.ask(lifecycle=ends) == {"tenant": "acme-pay", "deleted": True}
    assert (cloud.values, len(cloud.executions)) == ({}, 1)
    cloud = Cloud()
    with pytest.raises(LifecycleError, match="goes on"):
        cloud.ask(seconds=0)
    with pytest.raises(LifecycleError, match="move goes on"):
        cloud.ask(lifecycle=ends)
    assert parse({"tenant": "acme-pay", "lifecycle": ends}) is None, (
        "a resource from before there were records"
    )


def test_other_words_are_another_execution_and_a_long_tenant_fits() -> None:
    assert call(asked="b").execution(1) != call().execution(1)
    tenant = "x" * 59
    record = {"parameter": f"/tenantry/dev/calls/{tenant}/offboarding", "asked": "a" * 64, "attempt": "one"}
    found = parse({"tenant": tenant, "record": record})
    assert found
    assert len(found.execution(9999)) <= 80


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"tenant": "No"}, "tenant: "),
        ({"record": {"parameter": NAME, "asked": "x", "attempt": "y"}}, r"record\.asked"),
        (
            {"record": {"parameter": "/tenantry/dev/calls/bolt/move", "asked": "a" * 64, "attempt": "y"}},
            "not of tenant",
        ),
    ],
)
def test_a_mistake_in_the_caller_starts_nothing(changes: dict[str, Any], wrong: str) -> None:
    with pytest.raises(RequestError, match=wrong):
        parse({**event(), **changes})


def test_an_event_without_a_record_is_refused() -> None:
    with pytest.raises(RequestError, match="record: missing"):
        parse({"tenant": "acme-pay"})


class Client:
    """boto3's, as far as it is used."""

    class exceptions:  # noqa: N801 - boto3's name
        class ExecutionDoesNotExist(Exception):  # noqa: N818 - boto3's name
            pass

        class ExecutionAlreadyExists(Exception):  # noqa: N818 - boto3's name
            pass

    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803 - boto3's
        if name in self.made:
            raise self.exceptions.ExecutionAlreadyExists
        self.made[f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"] = {"input": input}
        self.made[name] = {}

    def get_paginator(self, operation: str) -> "Client":
        assert operation == "list_executions"
        return self

    def paginate(self, *, stateMachineArn: str, statusFilter: str) -> list[dict[str, Any]]:  # noqa: N803 - boto3's
        assert (stateMachineArn, statusFilter) == (ARN, "RUNNING")
        return [{"executions": [{"name": name}]} for name in self.made if ":" not in name]

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        if executionArn not in self.made:
            raise self.exceptions.ExecutionDoesNotExist
        return {"status": "RUNNING", "startDate": BEGAN, **self.made[executionArn]}


def test_step_functions_is_asked_by_the_arn_of_the_machine() -> None:
    machine = StepFunctions(ARN, Client())
    assert machine.find("one") is None
    machine.start("one", '{"round": 0}')
    found = machine.find("one")
    assert found
    machine.start("two", "{}")
    assert list(machine.running()) == ["one", "two"]
    assert (found.arn, found.given) == (f"{ARN.replace('stateMachine', 'execution', 1)}:one", {"round": 0})
    with pytest.raises(AlreadyExists, match="one"):
        machine.start("one", "{}")
