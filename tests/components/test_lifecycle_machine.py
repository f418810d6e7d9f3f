"""The state machine of lifecycle work: what is made, who may start it, and what it may do."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from devtools.mocks import Recording
from plan.tenants.lifecycle_machine import WORKERS, definition, plan_lifecycle
from tests.components.parts import make_workers, names, record

ACCOUNT = "111122223333"
STATES = f"arn:aws:states:eu-west-1:{ACCOUNT}"


@cache
def made() -> Recording:
    return record(make_workers)


def machine() -> Mapping[str, Any]:
    return made().one("sfn/stateMachine:StateMachine", "lifecycle-machine").inputs


def statements(policy: str) -> dict[str, dict[str, Any]]:
    text = made().one("iam/rolePolicy:RolePolicy", policy).inputs["policy"]
    return {s["Sid"]: s for s in json.loads(text)["Statement"]}


def test_it_is_the_planned_definition_standard_traced_and_under_its_own_key() -> None:
    given = machine()
    assert json.loads(given["definition"]) == definition()
    assert (given["type"], given["tracingConfiguration"]) == ("STANDARD", {"enabled": True})
    encryption = given["encryptionConfiguration"]
    assert encryption["type"] == "CUSTOMER_MANAGED_KMS_KEY"
    assert encryption["kmsKeyId"].endswith(":lifecycle-key")


def test_it_logs_each_step_and_never_what_was_said() -> None:
    given = machine()["loggingConfiguration"]
    assert (given["level"], given["includeExecutionData"]) == ("ALL", False)
    assert given["logDestination"].endswith(":*")
    group = made().one("cloudwatch/logGroup:LogGroup", "lifecycle-logs").inputs
    assert group["name"].startswith("/aws/vendedlogs/states/")
    assert group["retentionInDays"] >= 365
    assert group["kmsKeyId"]


def test_it_may_call_the_workers_and_nothing_else() -> None:
    found = statements("lifecycle-policy")
    workers = {f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:tenantry-dev-{w}-worker" for w in WORKERS}
    assert set(found["CallWorkers"]["Resource"]) == workers
    assert found["CallWorkers"]["Action"] == ["lambda:InvokeFunction"]
    assert {sid for sid, s in found.items() if s["Resource"] == ["*"]} == {"DeliverLogs", "Trace"}


def test_its_role_is_step_functions_for_this_machine_alone() -> None:
    role = made().one("iam/role:Role", "lifecycle-role").inputs
    (trust,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": ["states.amazonaws.com"]}
    assert trust["Condition"]["ArnLike"] == {
        "aws:SourceArn": [f"{STATES}:stateMachine:{plan_lifecycle(names('dev')).name}"]
    }


def test_a_starter_may_start_and_follow_executions_of_this_machine_and_keep_the_records() -> None:
    found = statements("lifecycle-starter-policy")
    name = plan_lifecycle(names("dev")).name
    assert found["StartExecutions"]["Action"] == ["states:StartExecution", "states:ListExecutions"]
    assert found["StartExecutions"]["Resource"] == [f"{STATES}:stateMachine:{name}"]
    assert found["FollowExecutions"]["Resource"] == [f"{STATES}:execution:{name}:*"]
    assert found["KeepCallRecords"]["Resource"] == [
        f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/tenantry/dev/calls/*"
    ]
    work = {"StartExecutions", "FollowExecutions", "KeepCallRecords", "WriteLogs", "Trace"}
    assert found.keys() == {*work, "StandInTheNetwork", "LookAround", "LeaveTheNetworkAlone"}


def test_lambda_puts_starters_into_the_network_and_their_code_leaves_it_alone() -> None:
    found = statements("lifecycle-starter-policy")["LeaveTheNetworkAlone"]
    starters = [f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:tenantry-dev-{w}" for w in WORKERS]
    assert found["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": starters}}
    assert (found["Effect"], found["Resource"]) == ("Deny", ["*"])
    assert "ec2:CreateNetworkInterface" in found["Action"]


@pytest.mark.parametrize("word", WORKERS)
def test_the_program_calls_the_starter_under_the_name_that_the_worker_had(word: str) -> None:
    starter = made().one("lambda/function:Function", f"{word}-function").inputs
    worker = made().one("lambda/function:Function", f"{word}-worker-function").inputs
    assert (starter["name"], worker["name"]) == (f"tenantry-dev-{word}", f"tenantry-dev-{word}-worker")
    assert starter["environment"]["variables"]["WORKER"] == worker["name"]
    assert starter["environment"]["variables"]["MACHINE"].endswith("lifecycle-machine")
    assert starter["vpcConfig"] == {"subnetIds": ["subnet-a"], "securityGroupIds": ["sg-starters"]}
    assert worker["vpcConfig"]["securityGroupIds"] == ["sg-fn"], "starters reach no database"
    assert "reservedConcurrentExecutions" not in starter, "who waits takes nothing from who works"
    assert starter["timeout"] < 900 <= worker["timeout"]


@pytest.mark.parametrize("word", WORKERS)
def test_a_policy_that_replaces_another_of_the_same_role_has_another_name(word: str) -> None:
    """The old one goes last, and would take a new one of its name along."""
    policy = made().one("iam/rolePolicy:RolePolicy", f"{word}-worker-policy").inputs
    assert policy["name"] != "work"
