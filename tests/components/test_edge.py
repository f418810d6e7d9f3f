"""The edge: one way in, for callers with a token and a key, past a firewall."""

import json
from typing import Any

import pytest

from api import contract
from components.edge.api import ACCESS_LOG
from devtools.mocks import run
from plan.edge.edge import EDGE_ALARMS, MANAGED_RULES
from tests.components.edge_parts import BOUNDARY, Parts, cell, edge


def body(stack: str = "dev") -> dict[str, Any]:
    return json.loads(edge(stack).one("restApi:RestApi", "edge-rest-api").inputs["body"])


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {op["operationId"]: op for item in document["paths"].values() for op in item.values()}


def test_every_operation_goes_to_the_private_balancer_under_its_name() -> None:
    found = operations(body())
    assert set(found) == set(operations(contract()))
    for operation in found.values():
        to = operation["x-amazon-apigateway-integration"]
        assert (to["type"], to["connectionType"], to["connectionId"]) == (
            "http_proxy",
            "VPC_LINK",
            "edge-link-id",
        )
        assert to["integrationTarget"].endswith("loadbalancer/app/reports/1")
        assert to["uri"].startswith(f"https://{cell().reports.host}/reports")
        assert to["timeoutInMillis"] <= 29_000


def test_every_operation_wants_a_token_and_a_key() -> None:
    document = body()
    for operation in operations(document).values():
        assert len(operation["security"]) == 1  # a list would be a choice
        assert set(operation["security"][0]) == {"token", "key"}
        assert operation["security"][0]["token"]
    token = document["components"]["securitySchemes"]["token"]
    assert token["x-amazon-apigateway-authtype"] == "cognito_user_pools"
    assert token["x-amazon-apigateway-authorizer"]["providerARNs"] == [
        "arn:aws:mock:eu-west-1:111122223333:edge-identity-pool"
    ]


def test_the_origin_is_told_who_asks_whatever_a_client_says() -> None:
    for operation in operations(body()).values():
        sent = operation["x-amazon-apigateway-integration"]["requestParameters"]
        assert sent["integration.request.header.X-Caller-Client-Id"] == "context.authorizer.claims.client_id"
        assert sent["integration.request.header.X-Caller-Api-Key-Id"] == "context.identity.apiKeyId"
        assert sent["integration.request.header.X-Caller-Tenant"] == "'none'"


def test_path_parameters_are_handed_on() -> None:
    sent = operations(body())["getReport"]["x-amazon-apigateway-integration"]
    assert sent["requestParameters"]["integration.request.path.id"] == "method.request.path.id"
    assert sent["uri"].endswith("/reports/{id}")


def test_requests_are_validated() -> None:
    document = body()
    used = document["x-amazon-apigateway-request-validator"]
    assert document["x-amazon-apigateway-request-validators"][used] == {
        "validateRequestBody": True,
        "validateRequestParameters": True,
    }


def test_errors_of_the_gateway_are_problem_details() -> None:
    found = body()["x-amazon-apigateway-gateway-responses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "QUOTA_EXCEEDED", "UNAUTHORIZED"} <= set(found)
    for kind, response in found.items():
        assert (
            response["responseParameters"]["gatewayresponse.header.Content-Type"]
            == "'application/problem+json'"
        )
        template = response["responseTemplates"]["application/json"]
        filled = json.loads(template.replace("$context.error.messageString", '"why"'))
        assert filled["type"] == "about:blank"
        assert filled.get("status", 0) == int(response.get("statusCode", 0)), kind
    assert found["THROTTLED"]["responseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"


def test_the_default_address_is_closed_and_no_reference_is_left_that_imports_do_not_follow() -> None:
    api = edge("dev").one("restApi:RestApi", "edge-rest-api").inputs
    assert api["disableExecuteApiEndpoint"] is True
    assert api["endpointConfiguration"] == {"types": "REGIONAL"}
    assert body()["servers"][0]["x-amazon-apigateway-endpoint-configuration"] == {
        "disableExecuteApiEndpoint": True
    }
    assert "#/components/responses" not in api["body"]


def test_a_new_body_is_a_new_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    def digest() -> str:
        recording = run(lambda: Parts(cell()).edge())
        return recording.one("deployment:Deployment", "edge-rest-deployment").inputs["triggers"]["body"]

    before = digest()
    assert digest() == before
    changed = contract()
    changed["paths"]["/reports"]["get"]["summary"] = "Changed"
    monkeypatch.setattr("components.edge.edge.contract", lambda: changed)
    assert digest() != before


def test_the_stage_shows_a_certificate_traces_and_keeps_no_answers() -> None:
    stage = edge("dev").one("stage:Stage", "edge-rest-stage").inputs
    assert stage["clientCertificateId"] == "gateway-certificate"
    assert stage["xrayTracingEnabled"] is True
    assert stage["cacheClusterEnabled"] is False
    assert json.loads(stage["accessLogSettings"]["format"]) == ACCESS_LOG


def test_access_logs_hold_ids_and_never_keys_tokens_or_queries() -> None:
    text = json.dumps(ACCESS_LOG)
    for secret in ('identity.apiKey"', "authorizer.token", "requestOverride", "querystring", "header"):
        assert secret not in text
    assert '$context.path"' not in text  # the raw path may hold what a client should not have put there


def test_methods_are_throttled_measured_and_their_bodies_never_logged() -> None:
    found = edge("dev").one("methodSettings:MethodSettings", "edge-rest-methods").inputs
    assert found["methodPath"] == "*/*"
    assert found["settings"]["dataTraceEnabled"] is False
    assert found["settings"]["metricsEnabled"] is True
    assert found["settings"]["cachingEnabled"] is False
    assert 0 < found["settings"]["throttlingRateLimit"] < 10_000
    assert found["settings"]["throttlingBurstLimit"] > 0


def test_logs_are_made_encrypted_before_the_gateway_would_make_them() -> None:
    recording = edge("prod")
    groups = {
        g.inputs["name"]: g.inputs for g in recording.of("logGroup:LogGroup") if g.name.startswith("edge")
    }
    assert "API-Gateway-Execution-Logs_edge-rest-api-id/v1" in groups
    assert any(name.startswith("aws-waf-logs-") for name in groups)
    assert len(groups) == 3
    for found in groups.values():
        assert found["kmsKeyId"].endswith("key/of-the-logs")
        assert found["retentionInDays"] == cell("prod").settings.audit_log_days


def test_there_is_a_usage_plan_for_each_service_plan() -> None:
    made = {p.name: p.inputs for p in edge("dev").of("usagePlan:UsagePlan")}
    assert set(made) == {"edge-rest-plan-standard", "edge-rest-plan-enterprise"}
    standard = made["edge-rest-plan-standard"]
    assert standard["throttleSettings"] == {"rateLimit": 10, "burstLimit": 20}
    assert standard["quotaSettings"] == {"limit": 100_000, "period": "MONTH"}
    assert standard["apiStages"] == [{"apiId": "edge-rest-api-id", "stage": "v1"}]


def test_the_stage_lets_through_what_the_largest_plan_may_use() -> None:
    settings = edge("dev").one("methodSettings:MethodSettings", "edge-rest-methods").inputs["settings"]
    assert settings["throttlingRateLimit"] >= 50
    assert settings["throttlingBurstLimit"] >= 100


def rules() -> dict[str, dict[str, Any]]:
    return {r["name"]: r for r in edge("dev").one("webAcl:WebAcl", "edge-waf-acl").inputs["rules"]}


def test_the_firewall_stands_before_the_stage_and_before_the_tokens() -> None:
    found = [a.inputs for a in edge("dev").of("webAclAssociation:WebAclAssociation")]
    assert all(a["webAclArn"].endswith("edge-waf-acl") for a in found)
    assert {a["resourceArn"].rsplit(":", 1)[1] for a in found} == {"edge-rest-stage", "edge-identity-pool"}


def test_managed_rules_block_and_each_rule_has_a_priority_of_its_own() -> None:
    found = rules()
    assert set(MANAGED_RULES.values()) <= set(found)
    assert "AWSManagedRulesKnownBadInputsRuleSet" in found  # Log4Shell among others
    for group in MANAGED_RULES.values():
        assert found[group]["overrideAction"] == {"none": {}}
    priorities = [r["priority"] for r in found.values()]
    assert len(set(priorities)) == len(priorities)


def test_one_key_has_a_hard_limit_above_the_largest_plan() -> None:
    limit = rules()["rate-by-key"]
    statement = limit["statement"]["rateBasedStatement"]
    assert statement["customKeys"][0]["header"]["name"] == "x-api-key"
    assert statement["limit"] > 50 * statement["evaluationWindowSec"]
    assert limit["action"]["block"]["customResponse"]["responseCode"] == 429


def test_requests_without_a_key_are_counted_by_address() -> None:
    statement = rules()["rate-without-key"]["statement"]["rateBasedStatement"]
    assert statement["aggregateKeyType"] == "IP"
    counted = statement["scopeDownStatement"]["notStatement"]["statement"]["sizeConstraintStatement"]
    assert counted["fieldToMatch"]["singleHeader"]["name"] == "x-api-key"


def test_the_firewall_s_log_has_no_secrets() -> None:
    logging = (
        edge("dev").one("webAclLoggingConfiguration:WebAclLoggingConfiguration", "edge-waf-logging").inputs
    )
    assert {f["singleHeader"]["name"] for f in logging["redactedFields"]} >= {"authorization", "x-api-key"}
    acl = edge("dev").one("webAcl:WebAcl", "edge-waf-acl").inputs
    visible = [acl["visibilityConfig"], *(r["visibilityConfig"] for r in acl["rules"])]
    assert not any(v["sampledRequestsEnabled"] for v in visible)


def test_it_is_served_under_the_cell_s_own_name_over_tls_1_2() -> None:
    recording = edge("dev")
    domain = recording.one("domainName:DomainName", "edge-domain").inputs
    assert (domain["domainName"], domain["securityPolicy"]) == ("api.dev.tenantry.example", "TLS_1_2")
    record = recording.one("route53/record:Record", "edge-name").inputs
    assert record["name"] == domain["domainName"]
    assert record["zoneId"] == cell().settings.hosted_zone_id
    mapping = recording.one("basePathMapping:BasePathMapping", "edge-mapping").inputs
    assert (mapping["stageName"], mapping["restApi"]) == ("v1", "edge-rest-api-id")
    assert "basePath" not in mapping


def test_nobody_signs_themselves_up_and_scopes_are_the_contract_s() -> None:
    recording = edge("prod")
    pool = recording.one("userPool:UserPool", "edge-identity-pool")
    assert pool.protect
    assert pool.inputs["deletionProtection"] == "ACTIVE"
    assert pool.inputs["adminCreateUserConfig"] == {"allowAdminCreateUserOnly": True}
    server = recording.one("resourceServer:ResourceServer", "edge-identity-reports").inputs
    scopes = {f"{server['identifier']}/{s['scopeName']}" for s in server["scopes"]}
    used = {s for op in operations(contract()).values() for s in op["security"][0]["token"]}
    assert scopes == used == {"reports/read", "reports/write"}


def test_the_gateway_s_role_to_log_is_bounded_and_used() -> None:
    recording = edge("dev")
    role = recording.one("iam/role:Role", "edge-rest-logs-role").inputs
    assert role["permissionsBoundary"] == BOUNDARY
    stage = recording.one("stage:Stage", "edge-rest-stage")
    assert any(d.endswith("::edge-rest-account") for d in stage.dependencies)


def test_errors_and_latency_are_told_of() -> None:
    found = {
        a.inputs["metricName"] for a in edge("dev").of("metricAlarm:MetricAlarm") if a.name.startswith("edge")
    }
    assert found == {p.metric for p in EDGE_ALARMS.values()}


def test_a_first_preview_leaves_the_body_unknown_and_still_plans_everything() -> None:
    preview = run(lambda: Parts(cell()).edge(), preview=True)
    made = edge("dev")
    assert {r.key for r in preview.resources} == {r.key for r in made.resources}
