"""Each tenant's protected columns are looked at once a day, by calls that may do nothing else."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from devtools.mocks import Recording
from functions.tenant_bootstrap import inspection
from functions.tenant_bootstrap.inspection import parse
from plan.operations.alarm_names import alarm_name
from plan.services import protected_check as plan_of_check
from plan.services.protected_check import LABEL, NAMESPACE, check_alarms, plan_protected_check
from tenants import models
from tenants.phases import Phase
from tests.components.parts import ACME, BOLT, CASA, make_tenants, names, record, shared, tenant_plan
from tests.field_encryption.keys import KEY

ACCOUNT = "111122223333"
COLUMNS = ("cards.number", "customers.tax_id")
POOLED = replace(ACME, protected_columns=COLUMNS, key=2)
SILOED = replace(CASA, protected_columns=COLUMNS)
SCHEDULE = "scheduler/schedule:Schedule"


@cache
def made() -> Recording:
    return record(lambda: make_tenants((POOLED, BOLT, SILOED)))


def statements(kind: str, name: str, key: str) -> dict[str, dict[str, Any]]:
    return {s["Sid"]: s for s in json.loads(made().one(kind, name).inputs[key])["Statement"]}


def test_a_tenant_with_protected_columns_has_a_schedule_and_no_other_has() -> None:
    found = {s.name: s.inputs["name"] for s in made().of(SCHEDULE)}
    assert found == {
        "acme-protected-check": "tenantry-dev-protected-acme",
        "casa-protected-check": "tenantry-dev-protected-casa",
    }


@pytest.mark.parametrize(("tenant", "home", "keys"), [("acme", "shard-a", 2), ("casa", "silo-casa", 1)])
def test_what_a_schedule_sends_is_what_the_function_reads(tenant: str, home: str, keys: int) -> None:
    given = made().one(SCHEDULE, f"{tenant}-protected-check").inputs
    event = json.loads(given["target"]["input"])
    place = json.loads(made().one("lambda/invocation:Invocation", f"{tenant}-place-{home}").inputs["input"])
    same = ("role", "schema", "host", "port", "database", "masterSecret", "protected")
    assert {k: event[k] for k in same} == {k: place[k] for k in same}
    assert len(event["protected"]["keys"]) == keys
    known = {**event["protected"], "keys": [KEY]}  # mocks do not make ARNs of keys
    request = parse({**event, "protected": known})
    assert (request.tenant, request.protected.columns) == (tenant, COLUMNS)


def test_a_schedule_is_in_the_cells_group_with_its_role_and_under_its_key() -> None:
    given = made().one(SCHEDULE, "acme-protected-check").inputs
    group = made().one("scheduler/scheduleGroup:ScheduleGroup", "protected-columns-group").inputs
    assert given["groupName"] == group["name"] == "tenantry-dev-protected-columns"
    assert given["target"]["roleArn"].endswith(":protected-columns-role")
    assert given["kmsKeyArn"].endswith(":protected-columns-key")
    assert given["scheduleExpression"] == "rate(1 day)"
    assert given["flexibleTimeWindow"]["mode"] == "FLEXIBLE"
    place = made().one("lambda/invocation:Invocation", "acme-place-shard-a")
    assert place.urn in made().one(SCHEDULE, "acme-protected-check").dependencies


@pytest.mark.parametrize(
    ("state", "checked"), [(Phase.ACTIVE, True), (Phase.SUSPENDED, True), (Phase.EXPORTED, False)]
)
def test_a_suspended_tenant_keeps_its_schedule_and_one_that_leaves_does_not(
    state: Phase, *, checked: bool
) -> None:
    """Whether a tenant can log in, the function asks the database."""
    assert tenant_plan(replace(POOLED, state=state)).checked_daily is checked


def test_the_role_may_call_the_function_that_looks_and_do_nothing_else() -> None:
    (only,) = statements("iam/rolePolicy:RolePolicy", "protected-columns-call", "policy").values()
    function = made().one("lambda/function:Function", "bootstrap-function")
    assert (only["Action"], only["Effect"]) == (["lambda:InvokeFunction"], "Allow")
    assert [arn.rpartition(":")[2] for arn in only["Resource"]] == [function.name]
    (trust,) = statements("iam/role:Role", "protected-columns-role", "assumeRolePolicy").values()
    assert trust["Principal"] == {"Service": ["scheduler.amazonaws.com"]}
    group = f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule-group/tenantry-dev-protected-columns"
    assert trust["Condition"]["ArnLike"] == {"aws:SourceArn": [group]}


# key of the alarm → namespace, metric, days.
ALARMS = {
    "findings": (NAMESPACE, "Findings", 1),
    "unread": (NAMESPACE, "Unread", 2),
    "dropped": ("AWS/Scheduler", "InvocationDroppedCount", 1),
}


@pytest.mark.parametrize("key", ALARMS)
def test_somebody_is_told(key: str) -> None:
    given = made().one("cloudwatch/metricAlarm:MetricAlarm", f"protected-columns-{key}-alarm").inputs
    assert (given["namespace"], given["metricName"], given["evaluationPeriods"]) == ALARMS[key]
    assert (given["threshold"], given["comparisonOperator"]) == (0, "GreaterThanThreshold")
    assert (given["statistic"], given["period"]) == ("Sum", 86_400)
    assert given["treatMissingData"] == "notBreaching"
    cell = {"Cell": "dev"} if key != "dropped" else {"ScheduleGroup": "tenantry-dev-protected-columns"}
    assert given["dimensions"] == cell
    assert given["alarmActions"] == given["okActions"] == [shared().alarms_topic_arn]
    alarm = check_alarms(plan_protected_check(names()))[key]
    assert given["name"] == alarm_name(names(), LABEL, key, alarm.severity)


def test_the_alarms_look_where_the_function_writes() -> None:
    assert plan_of_check.NAMESPACE == inspection.NAMESPACE


def test_what_all_share_is_the_same_whoever_is_there() -> None:
    """The first protected column of a cell changes nothing that others have a part in."""

    def of_all(*tenants: models.Tenant) -> dict[str, Any]:
        recording = record(lambda: make_tenants(tenants))
        return {r.name: r.inputs for r in recording.resources if r.name.startswith("protected-columns")}

    assert of_all(BOLT) == of_all(POOLED, BOLT) != {}
