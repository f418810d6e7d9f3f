"""The edge with an issuer of tokens that is not the cell's own."""

import json
from functools import cache
from typing import Any

import pytest

from api import contract
from functions.token_authoriser.handler import Rules
from plan import SettingsError, parse_settings
from plan.account.baseline import ALLOWED, actions
from tests.cells import values_of
from tests.components.edge_parts import cell, edge, statements

ISSUER = "https://login.example/tenantry"


@cache
def made() -> Any:
    return edge("dev", ISSUER)


@cache
def body() -> dict[str, Any]:
    return json.loads(made().one("restApi:RestApi", "edge-rest-api").inputs["body"])


def test_the_function_checks_every_token_before_the_api() -> None:
    token = body()["components"]["securitySchemes"]["token"]
    assert token["x-amazon-apigateway-authtype"] == "custom"
    checker = token["x-amazon-apigateway-authorizer"]
    assert checker["authorizerUri"].endswith("edge-authoriser-function")
    assert checker["type"] == "token"
    assert checker["authorizerResultTtlInSeconds"] <= 60, "an ended token works for as long"


def test_every_operation_still_wants_a_token_and_a_key() -> None:
    for item in body()["paths"].values():
        for operation in item.values():
            assert operation["security"] == [{"token": [], "key": []}]  # the gateway refuses scopes here


def test_the_origin_is_told_the_tenant_and_no_client() -> None:
    for item in body()["paths"].values():
        for operation in item.values():
            sent = operation["x-amazon-apigateway-integration"]["requestParameters"]
            assert sent["integration.request.header.X-Caller-Tenant"] == "context.authorizer.tenant"
            assert sent["integration.request.header.X-Caller-Client-Id"] == "'none'"


def test_the_function_knows_the_issuer_and_the_scopes_of_the_contract() -> None:
    function = made().one("lambda/function:Function", "edge-authoriser-function").inputs
    rules = Rules.parse(function["environment"]["variables"])
    assert rules.expected.issuer == ISSUER
    assert rules.expected.audience == "reports"
    found = {(o.method, o.path): set(o.scopes) for o in rules.operations}
    promised = {
        (m.upper(), p): set(o["security"][0]["token"])
        for p, item in contract()["paths"].items()
        for m, o in item.items()
    }
    assert found == promised


def test_only_this_api_may_call_it() -> None:
    permission = made().one("permission:Permission", "edge-authoriser-permission").inputs
    assert permission["principal"] == "apigateway.amazonaws.com"
    assert permission["sourceArn"] == (
        "arn:aws:execute-api:eu-west-1:111122223333:edge-rest-api-id/authorizers/*"
    )


def test_it_can_do_nothing_but_stand_in_the_network_and_log() -> None:
    found = statements(made().one("rolePolicy:RolePolicy", "edge-authoriser-policy"))
    assert set(found) == {
        *("WriteLogs", "Trace"),
        *("StandInTheNetwork", "LookAround", "LeaveTheNetworkAlone"),
    }
    assert {a for s in found.values() for a in s["Action"]} <= set(actions(ALLOWED))
    function = made().one("lambda/function:Function", "edge-authoriser-function").inputs
    assert function["vpcConfig"]["securityGroupIds"] == ["network-callouts-group-id"]


def test_the_cell_has_no_user_pool_then_and_the_firewall_stands_before_the_stage() -> None:
    assert not made().of("userPool:UserPool")
    assert [a.name for a in made().of("webAclAssociation:WebAclAssociation")] == ["edge-waf-stage"]


def test_with_the_cell_s_own_pool_there_is_no_function() -> None:
    assert not edge("dev").of("lambda/function:Function")
    assert cell().edge.issuer is None


@pytest.mark.parametrize("issuer", ["http://login.example", "Cognito", "login.example", "https://x?y"])
def test_an_issuer_is_a_word_or_an_https_address(issuer: str) -> None:
    with pytest.raises(SettingsError, match=r"tenantry:jwtIssuer: .* expected cognito, or an address"):
        parse_settings("dev", {**values_of("dev"), "jwtIssuer": issuer})
