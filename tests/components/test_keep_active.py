"""The daily calls of functions in the network: who makes them, of what, and with whose key."""

import json
from functools import cache
from typing import Any

import pytest

from components.operations.keep_active import KeepActive, KeepActiveArgs
from devtools.mocks import Recording
from functions.common.keep_active import KEEP_ACTIVE
from plan.services.keep_active import plan_keep_active
from tests.components.parts import names, record, shared

ACCOUNT = "111122223333"
FUNCTIONS = {
    word: f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:tenantry-dev-{word}"
    for word in ("bootstrap", "mover")
}


@cache
def made() -> Recording:
    def make() -> None:
        plan = plan_keep_active(names())
        KeepActive("keep-active", KeepActiveArgs(plan=plan, functions=FUNCTIONS, shared=shared()))

    return record(make)


def statements(kind: str, name: str, key: str) -> dict[str, dict[str, Any]]:
    return {s["Sid"]: s for s in json.loads(made().one(kind, name).inputs[key])["Statement"]}


@pytest.mark.parametrize("word", FUNCTIONS)
def test_each_function_is_called_once_a_day_with_what_it_answers_at_once(word: str) -> None:
    given = made().one("scheduler/schedule:Schedule", f"keep-active-{word}").inputs
    assert given["scheduleExpression"] == "rate(1 day)"
    assert given["target"]["arn"] == FUNCTIONS[word]
    assert json.loads(given["target"]["input"]) == KEEP_ACTIVE
    assert given["flexibleTimeWindow"] == {"mode": "FLEXIBLE", "maximumWindowInMinutes": 60}


@pytest.mark.parametrize("word", FUNCTIONS)
def test_a_schedule_is_in_the_cells_group_with_its_role_and_under_its_key(word: str) -> None:
    given = made().one("scheduler/schedule:Schedule", f"keep-active-{word}").inputs
    group = made().one("scheduler/scheduleGroup:ScheduleGroup", "keep-active-group").inputs
    assert (given["groupName"], given["name"]) == (group["name"], f"tenantry-dev-{word}")
    assert group["name"] == "tenantry-dev-keep-active"
    assert given["target"]["roleArn"].endswith(":keep-active-role")
    assert given["kmsKeyArn"].endswith(":keep-active-key")


def test_the_role_may_call_these_functions_and_do_nothing_else() -> None:
    (only,) = statements("iam/rolePolicy:RolePolicy", "keep-active-policy", "policy").values()
    assert (only["Action"], only["Resource"]) == (["lambda:InvokeFunction"], [*FUNCTIONS.values()])


def test_the_role_is_the_schedulers_for_this_group_alone() -> None:
    (trust,) = statements("iam/role:Role", "keep-active-role", "assumeRolePolicy").values()
    assert trust["Principal"] == {"Service": ["scheduler.amazonaws.com"]}
    group = f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule-group/tenantry-dev-keep-active"
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": [group]},
    }


def test_the_key_is_for_these_schedules() -> None:
    found = statements("kms/key:Key", "keep-active-key", "policy")
    read = found["ReadSchedules"]
    assert read["Action"] == ["kms:Decrypt"]
    assert [who.rpartition(":")[2] for who in read["Principal"]["AWS"]] == ["keep-active-role"]
    schedules = f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule/tenantry-dev-keep-active/*"
    assert read["Condition"] == {
        "StringLike": {"kms:EncryptionContext:aws:scheduler:schedule:arn": schedules}
    }
    through = found["UseThroughServices"]["Condition"]["StringEquals"]["kms:ViaService"]
    assert through == ["scheduler.eu-west-1.amazonaws.com"]


# key of the alarm → metric, comparison and threshold, days, what no data mean.
ALARMS = {
    "missing": ("InvocationAttemptCount", "LessThanThreshold", len(FUNCTIONS), 7, "breaching"),
    "failing": ("TargetErrorCount", "GreaterThanThreshold", 0, 2, "notBreaching"),
    "dropped": ("InvocationDroppedCount", "GreaterThanThreshold", 0, 1, "notBreaching"),
}


@pytest.mark.parametrize("key", ALARMS)
def test_somebody_is_told_when_calls_fail_or_are_made_no_more(key: str) -> None:
    given = made().one("cloudwatch/metricAlarm:MetricAlarm", f"keep-active-{key}-alarm").inputs
    of = ("metricName", "comparisonOperator", "threshold", "evaluationPeriods", "treatMissingData")
    assert tuple(given[word] for word in of) == ALARMS[key]
    assert (given["namespace"], given["statistic"], given["period"]) == ("AWS/Scheduler", "Sum", 86_400)
    assert given["dimensions"] == {"ScheduleGroup": "tenantry-dev-keep-active"}
    assert given["alarmActions"] == given["okActions"] == [shared().alarms_topic_arn]


def test_there_is_time_to_mend_what_an_alarm_tells_of() -> None:
    """Before a function has been idle for 14 days (Lambda developer guide, 2026-11)."""
    for alarm in made().of("metricAlarm:MetricAlarm"):
        assert alarm.inputs["evaluationPeriods"] * alarm.inputs["period"] <= 7 * 86_400
