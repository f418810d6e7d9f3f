"""What both services have in common: hardened tasks, narrow roles, private balancers, scaling, alarms."""

import json
from dataclasses import replace
from typing import Any

import pytest

from components.services.balancer import BalancerArgs
from components.services.task import SecretValue, TaskArgs
from plan.account.baseline import ALLOWED, actions
from plan.services.services import BALANCER_ALARMS, TASK_ALARMS
from tests.components.edge_parts import BOUNDARY, KEY, cell, container, services, shared, statements

SERVICES = ("monolith", "reports")
both = pytest.mark.parametrize("service", SERVICES)


@both
def test_a_task_can_change_nothing_but_its_scratch_space(service: str) -> None:
    found = container(services("dev"), service)
    assert found["readonlyRootFilesystem"] is True
    assert found["user"].split(":")[0] not in ("", "0", "root")
    assert not found.get("privileged")
    assert found["linuxParameters"] == {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}}
    assert [m["containerPath"] for m in found["mountPoints"]] == ["/tmp"]  # noqa: S108


@both
def test_a_task_runs_an_image_by_digest_without_a_shell(service: str) -> None:
    found = container(services("dev"), service)
    assert "@sha256:" in found["image"]
    assert found["healthCheck"]["command"][0] == "CMD"  # CMD-SHELL would need one


@both
def test_a_task_gets_secrets_by_arn_and_none_in_its_environment(service: str) -> None:
    found = container(services("dev"), service)
    assert "canary" not in json.dumps(found)
    assert all("secret" in s["valueFrom"] for s in found["secrets"])
    assert not {e["name"] for e in found["environment"]} & {s["name"] for s in found["secrets"]}


@both
def test_a_task_is_the_same_text_each_time(service: str) -> None:
    for part in ("environment", "secrets"):
        names = [e["name"] for e in container(services("dev"), service)[part]]
        assert names == sorted(names)


@both
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_prod_keeps_the_revisions_that_a_deployment_may_go_back_to(service: str, stack: str) -> None:
    task = services(stack).one("taskDefinition:TaskDefinition", f"{service}-service-task-definition")
    assert task.inputs["skipDestroy"] is (stack == "prod")


@both
def test_its_log_is_encrypted_and_ends(service: str) -> None:
    recording, plan = services("prod"), cell("prod")
    logs = recording.one("logGroup:LogGroup", f"{service}-service-task-logs").inputs
    assert logs["kmsKeyId"] == shared(plan).logs_key_arn
    assert logs["retentionInDays"] == plan.settings.application_log_days
    options = container(recording, service)["logConfiguration"]["options"]
    assert options["awslogs-group"] == logs["name"]


@both
def test_execution_and_task_role_are_two_and_both_bounded(service: str) -> None:
    recording = services("dev")
    task = recording.one("taskDefinition:TaskDefinition", f"{service}-service-task-definition").inputs
    assert task["executionRoleArn"] != task["taskRoleArn"]
    for name in (f"{service}-service-task-execution-role", f"{service}-task-role"):
        role = recording.one("iam/role:Role", name).inputs
        assert role["permissionsBoundary"] == BOUNDARY
        trusted = json.loads(role["assumeRolePolicy"])["Statement"][0]
        assert trusted["Principal"] == {"Service": ["ecs-tasks.amazonaws.com"]}
        assert trusted["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}


@both
def test_the_execution_role_starts_this_task_and_nothing_else(service: str) -> None:
    recording, plan = services("dev"), cell("dev")
    found = statements(recording.one("rolePolicy:RolePolicy", f"{service}-service-task-execution-policy"))
    everything = {a for s in found.values() if "*" in s["Resource"] for a in s["Action"]}
    assert everything == {"ecr:GetAuthorizationToken"}
    image = {"monolith": plan.monolith, "reports": plan.reports}[service].image
    repository = image.split("/", 1)[1].split("@")[0]
    assert found["PullTheImage"]["Resource"] == [
        f"arn:aws:ecr:eu-west-1:111122223333:repository/{repository}"
    ]
    secrets = {s["valueFrom"].partition(":::")[0] for s in container(recording, service)["secrets"]}
    assert set(found["ReadSecrets"]["Resource"]) == secrets
    assert set(found["DecryptSecrets"]["Resource"]) == {KEY, f"{KEY}-ca"}
    log = f"arn:aws:logs:eu-west-1:111122223333:log-group:/tenantry/dev/services/{service}:log-stream:*"
    assert found["WriteTheLog"]["Resource"] == [log]
    assert "kms:ViaService" in json.dumps(found["DecryptSecrets"]["Condition"])


@both
def test_no_policy_has_wildcard_actions(service: str) -> None:
    policies = [p for p in services("dev").of("rolePolicy:RolePolicy") if p.name.startswith(service)]
    assert len(policies) >= 2
    given = [a for p in policies for s in statements(p).values() for a in s["Action"]]
    assert given
    assert not [a for a in given if "*" in a]


@both
def test_the_boundary_allows_what_the_roles_are_given(service: str) -> None:
    policies = [p for p in services("dev").of("rolePolicy:RolePolicy") if p.name.startswith(service)]
    given = {a for p in policies for s in statements(p).values() for a in s["Action"]}
    assert given - set(actions(ALLOWED)) == set()


@both
def test_the_service_goes_back_by_itself_and_offers_no_shell(service: str) -> None:
    made = services("dev").one("ecs/service:Service", f"{service}-service-service")
    assert made.inputs["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert made.inputs["alarms"]["rollback"] is True
    assert made.inputs["waitForSteadyState"] is True
    alarms = {a.inputs["name"] for a in services("dev").of("metricAlarm:MetricAlarm")}
    assert set(made.inputs["alarms"]["alarmNames"]) <= alarms
    assert len(made.inputs["alarms"]["alarmNames"]) == 2
    assert made.inputs["enableExecuteCommand"] is False
    assert made.inputs["platformVersion"] == "1.4.0"
    assert made.inputs["networkConfiguration"]["assignPublicIp"] is False


@both
def test_scaling_owns_the_number_of_tasks(service: str) -> None:
    recording = services("dev")
    made = recording.one("ecs/service:Service", f"{service}-service-service")
    assert made.ignore_changes == ("desiredCount",)
    target = recording.one("appautoscaling/target:Target", f"{service}-service-scaling-target").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 8)
    assert target["resourceId"] == f"service/tenantry-dev-services/{made.inputs['name']}"
    policies = [p.inputs for p in recording.of("appautoscaling/policy:Policy") if p.name.startswith(service)]
    tracked = [p["targetTrackingScalingPolicyConfiguration"] for p in policies]
    kinds = {
        t["predefinedMetricSpecification"]["predefinedMetricType"]: t
        for t in tracked
        if "predefinedMetricSpecification" in t
    }
    assert set(kinds) == {"ECSServiceAverageCPUUtilization", "ALBRequestCountPerTarget"}
    label = kinds["ALBRequestCountPerTarget"]["predefinedMetricSpecification"]["resourceLabel"]
    assert label == f"app/{service}-service-front-balancer/1/targetgroup/{service}-service-front-targets/1"
    assert len({p["name"] for p in policies}) == len(policies)


@both
def test_the_service_waits_for_the_rules_that_lead_to_it(service: str) -> None:
    recording = services("dev")
    made = recording.one("ecs/service:Service", f"{service}-service-service")
    rules = [r for r in recording.of("listenerRule:ListenerRule") if r.name.startswith(service)]
    assert rules
    for rule in rules:
        assert any(d.endswith(f"::{rule.name}") for d in made.dependencies)


@both
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_balancer_is_private_logged_and_protected_like_data(service: str, stack: str) -> None:
    made = services(stack).one("loadBalancer:LoadBalancer", f"{service}-service-front-balancer").inputs
    assert made["internal"] is True
    assert made["dropInvalidHeaderFields"] is True
    assert made["enableDeletionProtection"] is (stack == "prod")
    for logs in ("accessLogs", "connectionLogs"):
        assert made[logs] == {"bucket": "access-logs", "enabled": True, "prefix": f"alb/{service}"}
    assert len(made["name"]) <= 32
    assert made["securityGroups"] == [f"network-{service}-alb-group-id"]


@both
def test_there_is_one_listener_and_it_speaks_https(service: str) -> None:
    found = [x for x in services("dev").of("lb/listener:Listener") if x.name.startswith(service)]
    assert len(found) == 1
    made = found[0].inputs
    assert (made["port"], made["protocol"]) == (443, "HTTPS")
    assert made["sslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-")
    assert [a["type"] for a in made["defaultActions"]] == ["fixed-response"]
    assert made["defaultActions"][0]["fixedResponse"]["statusCode"] == "404"


@both
def test_targets_are_asked_over_tls(service: str) -> None:
    made = services("dev").one("targetGroup:TargetGroup", f"{service}-service-front-targets").inputs
    assert (made["protocol"], made["targetType"], made["port"]) == ("HTTPS", "ip", 8443)
    assert (made["healthCheck"]["protocol"], made["healthCheck"]["path"]) == ("HTTPS", "/healthz")


@both
def test_every_alarm_of_the_plan_is_there_and_tells_somebody(service: str) -> None:
    found = [
        a.inputs
        for a in services("dev").of("metricAlarm:MetricAlarm")
        if a.name.startswith(f"{service}-service-")
    ]
    planned = {p.metric for p in (*BALANCER_ALARMS.values(), *TASK_ALARMS.values())}
    assert {a["metricName"] for a in found} == planned
    assert all(a["alarmActions"] == [shared(cell()).alarms_topic_arn] for a in found)
    assert all(a["dimensions"] for a in found)


def test_a_trust_store_is_given_exactly_where_callers_must_show_a_certificate() -> None:
    plan = cell()
    given = {
        "vpc_id": "vpc",
        "subnet_ids": ["a", "b"],
        "group_id": "sg",
        "certificate_arn": "arn",
        "shared": shared(plan),
    }
    with pytest.raises(ValueError, match=r"trust_store_arn: monolith is planned with mutual_tls=True"):
        BalancerArgs(plan=plan.monolith, trust_store_arn=None, **given)
    with pytest.raises(ValueError, match=r"trust_store_arn: reports is planned with mutual_tls=False"):
        BalancerArgs(plan=plan.reports, trust_store_arn="arn", **given)


def test_a_variable_is_plain_or_secret_and_secrets_name_their_keys() -> None:
    plan = cell()
    given: dict[str, Any] = {"task_role_arn": "arn", "subnet_ids": [], "records": None}
    given |= {"plan": plan.monolith, "shared": shared(plan)}
    with pytest.raises(ValueError, match=r"both plain and secret: PORT"):
        TaskArgs(environment={"PORT": "1"}, secrets={"PORT": SecretValue(arn="arn")}, key_arns=[KEY], **given)
    with pytest.raises(ValueError, match=r"key_arns of monolith: expected the keys of its secrets, got none"):
        TaskArgs(environment={}, secrets={"X": SecretValue(arn="arn")}, key_arns=[], **given)


def test_an_image_that_is_not_in_ecr_has_no_repository() -> None:
    with pytest.raises(ValueError, match=r"monolith: expected an image in ECR by digest, got 'nginx:latest'"):
        _ = replace(cell().monolith, image="nginx:latest").repository_arn
