"""CI's roles as the baseline makes them: an issuer, two roles, each in a boundary of its own."""

import json
from functools import cache

import pytest

from components.account.deploy_roles import DeployRoles, DeployRolesArgs
from devtools.mocks import Recording, run
from plan.account.baseline import Duties
from tests.plan.test_deployment import ISSUER, plan

HOST = ISSUER.removeprefix("https://")


@cache
def made(account: bool = True) -> Recording:
    args = DeployRolesArgs(plan=plan(), duties=Duties(account=account, region=True))
    return run(lambda: DeployRoles("deploy", args), stack_name="prod")


def test_tokens_of_the_issuer_are_for_aws() -> None:
    issuer = made().one("openIdConnectProvider:OpenIdConnectProvider", "deploy-issuer").inputs
    assert issuer == {"url": ISSUER, "clientIdLists": ["sts.amazonaws.com"]}


def test_an_account_that_another_stack_looks_after_has_its_issuer_already() -> None:
    assert made(False).of("OpenIdConnectProvider") == []
    assert len(made(False).of("iam/role:Role")) == 2


@pytest.mark.parametrize(("word", "place"), [("plan", "pull_request"), ("apply", "environment:prod")])
def test_only_tokens_of_its_place_are_let_in(word: str, place: str) -> None:
    role = made().one("iam/role:Role", f"deploy-{word}").inputs
    (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert statement["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    assert statement["Principal"] == {"Federated": [f"arn:aws:iam::444455556666:oidc-provider/{HOST}"]}
    assert statement["Condition"] == {
        "StringEquals": {f"{HOST}:aud": "sts.amazonaws.com", f"{HOST}:sub": f"repo:example/platform:{place}"}
    }
    assert role["maxSessionDuration"] == 3600
    assert role["permissionsBoundary"].endswith(f":deploy-{word}-boundary")


def test_each_role_has_its_own_policies_and_no_other() -> None:
    attached = {(a.inputs["role"], a.name) for a in made().of("RolePolicyAttachment")}
    parts = {"plan": len(plan().roles[0].policies), "apply": len(plan().roles[1].policies)}
    expected = {
        (f"tenantry-prod-{word}", f"deploy-{word}-{i}") for word, n in parts.items() for i in range(1, n + 1)
    }
    assert attached == expected
    names = {p.inputs["name"] for p in made().of("iam/policy:Policy")}
    assert {"tenantry-prod-plan-boundary", "tenantry-prod-apply-boundary", "tenantry-prod-apply-1"} <= names


def test_patterns_stand_in_boundaries_only() -> None:
    """A boundary gives nothing, so that a pattern in one gives nothing either."""
    wild = {
        p.name
        for p in made().of("iam/policy:Policy")
        for s in json.loads(p.inputs["policy"])["Statement"]
        if s["Effect"] == "Allow" and "*" in "".join(s["Action"])
    }
    assert wild == {"deploy-plan-boundary", "deploy-apply-boundary"}
