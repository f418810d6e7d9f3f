"""Deliveries: the function that makes them, what it may do and what it may reach."""

import json

from plan.account.baseline import ALLOWED, actions
from plan.network.paths import CELL_PATHS, INTERNET
from tests.components.edge_parts import BOUNDARY, cell, environment, services, statements


def test_events_are_taken_from_the_queue_a_few_at_a_time_and_fail_alone() -> None:
    recording, plan = services("dev"), cell().reports.webhooks
    source = recording.one("eventSourceMapping:EventSourceMapping", "reports-webhooks-source").inputs
    assert source["eventSourceArn"].endswith(":reports-webhooks-events-queue")
    assert source["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["scalingConfig"] == {"maximumConcurrency": plan.function.at_once}
    function = recording.one("lambda/function:Function", "reports-webhooks-function").inputs
    assert function["reservedConcurrentExecutions"] >= plan.function.at_once


def test_a_message_is_not_seen_twice_while_the_function_may_still_work_on_it() -> None:
    recording = services("dev")
    queue = recording.one("sqs/queue:Queue", "reports-webhooks-events-queue").inputs
    function = recording.one("lambda/function:Function", "reports-webhooks-function").inputs
    assert queue["visibilityTimeoutSeconds"] >= 6 * function["timeout"]


def test_a_batch_of_silent_servers_ends_in_time() -> None:
    """Connection and first read of each may take the whole of their time-outs."""
    plan = cell().reports.webhooks
    assert plan.batch * 2 * 10 <= plan.function.timeout_seconds


def test_events_that_fail_eight_times_are_kept_and_told_of() -> None:
    recording = services("dev")
    queue = recording.one("sqs/queue:Queue", "reports-webhooks-events-queue").inputs
    assert json.loads(queue["redrivePolicy"])["maxReceiveCount"] == 8
    alarms = [a.inputs for a in recording.of("metricAlarm:MetricAlarm") if "webhooks-events-dead" in a.name]
    assert [a["dimensions"]["QueueName"] for a in alarms] == ["tenantry-dev-webhooks-dead"]


def test_its_key_is_for_the_service_that_sends_and_the_function_that_reads() -> None:
    recording = services("dev")
    key = recording.one("kms/key:Key", "reports-webhooks-key")
    used = statements(key)["Use"]["Principal"]["AWS"]
    assert {arn.rsplit(":", 1)[1] for arn in used} == {"reports-task-role", "reports-webhooks-role"}
    for queue in ("queue", "dead"):
        made = recording.one("sqs/queue:Queue", f"reports-webhooks-events-{queue}").inputs
        assert "reports-webhooks-key" in made["kmsMasterKeyId"]


def test_it_may_read_the_catalog_become_a_tenant_and_empty_its_queue() -> None:
    recording = services("dev")
    found = statements(recording.one("rolePolicy:RolePolicy", "reports-webhooks-policy"))
    assert found["EmptyTheQueue"]["Resource"] == ["arn:aws:sqs:eu-west-1:111122223333:tenantry-dev-webhooks"]
    assert "sqs:SendMessage" not in found["EmptyTheQueue"]["Action"]
    assert not [a for s in found.values() for a in s["Action"] if a.startswith(("secretsmanager:", "s3:"))]
    everything = {a.split(":")[0] for s in found.values() if "*" in s["Resource"] for a in s["Action"]}
    assert everything == {"xray", "ec2"}  # which AWS offers no resource for
    assert {a for s in found.values() for a in s["Action"]} <= set(actions(ALLOWED))
    assert recording.one("iam/role:Role", "reports-webhooks-role").inputs["permissionsBoundary"] == BOUNDARY


def test_only_it_and_the_monolith_have_a_way_to_the_internet() -> None:
    assert {p.source for p in CELL_PATHS if p.target == INTERNET} == {"monolith", "callouts"}
    function = services("dev").one("lambda/function:Function", "reports-webhooks-function").inputs
    assert function["vpcConfig"]["securityGroupIds"] == ["network-callouts-group-id"]


def test_nothing_calls_it_but_its_queue() -> None:
    assert not [p for p in CELL_PATHS if p.target == "callouts"]


def test_its_environment_is_encrypted_and_holds_places_only() -> None:
    function = services("dev").one("lambda/function:Function", "reports-webhooks-function").inputs
    assert "reports-webhooks-key" in function["kmsKeyArn"]
    assert set(function["environment"]["variables"]) == {"CATALOG_PATH", "QUEUE_URL"}
    logs = services("dev").one("logGroup:LogGroup", "reports-webhooks-logs").inputs
    assert function["loggingConfig"]["logGroup"] == logs["name"] == f"/aws/lambda/{function['name']}"
    assert logs["kmsKeyId"]


def test_the_report_service_may_send_events_and_knows_where() -> None:
    recording = services("dev")
    assert environment(recording, "reports")["WEBHOOKS_QUEUE_URL"].endswith("reports-webhooks-events-queue")
    found = statements(recording.one("rolePolicy:RolePolicy", "reports-service-task-policy"))
    assert found["TellTenants"]["Action"] == ["sqs:SendMessage"]
    assert any("reports-webhooks-key" in arn for arn in found["UseTheKey"]["Resource"])
