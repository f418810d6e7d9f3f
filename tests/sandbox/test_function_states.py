"""Functions in a network that nobody calls: refused once, and a schedule keeps them from it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.data_plane import function_states
from sandbox.data_plane.function_states import SCHEDULE, FunctionPendingError, call, note_made
from tests.sandbox.world import ACCOUNT, FUNCTION, GROUP, INLINE, REGION, ROLE, TRUST, World

DAILY_GROUP = "aws:scheduler/scheduleGroup:ScheduleGroup"
WORDS = (
    r"^CodeArtifactUserPendingException: INFO: Lambda is initializing your function\. It will be ready to"
    r" invoke shortly\.$"
)
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
GROUP_ARN = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/g"


@pytest.fixture
def world() -> World:
    return World()


def function(world: World, *, inside: bool = True) -> Callable[[], None]:
    """A call of a function that has just been made."""
    role = world.arn(ROLE, world.make(ROLE, name="r", assumeRolePolicy=TRUST))
    given: dict[str, Any] = {"name": "f", "role": role, "runtime": "python3.13", "handler": "a.b"}
    if inside:
        vpc, subnets = world.network()
        group = world.make(GROUP, name="f", vpcId=vpc)
        given["vpcConfig"] = {"subnetIds": subnets, "securityGroupIds": [group]}
    row = world.cloud.read(FUNCTION, world.make(FUNCTION, **given))
    assert row
    note_made(world.cloud.store, row)
    return lambda: call(world.cloud.store, row)


def schedule(
    world: World, *, source: str = GROUP_ARN, action: str = "lambda:InvokeFunction", **more: Any
) -> None:
    """One that calls the function once a day, or as it is said."""
    trust = json.loads(TRUST.replace("lambda.amazonaws", "scheduler.amazonaws"))
    trust["Statement"][0]["Condition"] = {"ArnLike": {"aws:SourceArn": source}}
    role = world.make(ROLE, name="s", assumeRolePolicy=json.dumps(trust))
    statement = {"Effect": "Allow", "Action": action, "Resource": ARN}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.make(INLINE, name="work", role="s", policy=policy)
    given = {
        "name": "daily",
        "groupName": world.make(DAILY_GROUP, name="g"),
        "scheduleExpression": "rate(1 day)",
        "flexibleTimeWindow": {"mode": "OFF"},
        "target": {"arn": ARN, "roleArn": world.arn(ROLE, role)},
    }
    row = world.cloud.read(SCHEDULE, world.make(SCHEDULE, **{**given, **more}))
    assert row
    note_made(world.cloud.store, row)


def test_who_was_idle_is_refused_until_it_has_interfaces_again(world: World) -> None:
    called = function(world)
    world.cloud.store.move_clock(14)
    with pytest.raises(FunctionPendingError, match=WORDS):
        called()
    with pytest.raises(FunctionPendingError, match=WORDS):
        called()
    world.cloud.store.move_clock(function_states.PENDING.total_seconds() / 86_400)
    called()


def test_each_call_begins_the_fortnight_anew(world: World) -> None:
    called = function(world)
    for _ in range(5):
        world.cloud.store.move_clock(13.9)
        called()
    world.cloud.store.move_clock(60)
    with pytest.raises(FunctionPendingError, match=WORDS):
        called()


def is_idle(called: Callable[[], None]) -> bool:
    """Whether its next call is refused."""
    try:
        called()
    except FunctionPendingError:
        return True
    return False


def test_a_function_without_a_network_is_never_idle(world: World) -> None:
    called = function(world, inside=False)
    world.cloud.store.move_clock(60)
    assert not is_idle(called)


def test_a_schedule_counts_as_calls_and_so_does_its_last_one(world: World) -> None:
    called = function(world)
    schedule(world)
    world.cloud.store.move_clock(60)
    assert not is_idle(called)


USELESS: dict[str, dict[str, Any]] = {
    "is disabled": {"state": "DISABLED"},
    "comes too seldom": {"scheduleExpression": "rate(40 days)"},
    "calls another function": {"target": {"arn": f"{ARN}2", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/s"}},
    "has a role of another group": {"source": f"{GROUP_ARN}2"},
    "has a role that may not call it": {"action": "lambda:GetFunction"},
}


@pytest.mark.parametrize("case", USELESS)
def test_a_schedule_does_not_count_if_it(world: World, case: str) -> None:
    called = function(world)
    schedule(world, **USELESS[case])
    world.cloud.store.move_clock(60)
    with pytest.raises(FunctionPendingError, match=WORDS):
        called()


def test_a_schedule_that_comes_after_the_fact_does_not_help(world: World) -> None:
    called = function(world)
    world.cloud.store.move_clock(60)
    schedule(world)
    with pytest.raises(FunctionPendingError, match=WORDS):
        called()


@pytest.mark.parametrize(("given", "group"), [({}, "g"), ({"groupName": None}, "default")])
def test_a_schedule_is_known_by_its_group(world: World, given: dict[str, Any], group: str) -> None:
    schedule(world, **given)
    (row,) = world.cloud.store.in_region(SCHEDULE)
    assert row.id == f"{group}/daily"
    assert row.outputs["arn"] == f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/{group}/daily"
