"""The analysis against IAM's judge: two implementations, one of what is possible and one of single requests.

The judge is given the request as a caller would make it who chooses well: what the analysis leaves to the
caller is filled in. Where the analysis has no doubt, both must say the same.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from devtools.mocks import ACCOUNT, REGION
from iam.documents import Document, parse_data
from iam.evaluate import Policies, Principal, Request, decide
from policies.escalation.access import Target, can_perform
from policies.escalation.conditions import Facts
from policies.escalation.principals import INLINE, ROLE, Role
from policies.escalation.targets import PlanAccess, plan_access
from policies.escalation.techniques import BUCKET, KEY, TECHNIQUES, TechniqueKind
from policies.model import Plan, Resource
from tests.policies.platform import platform

SCHEDULE = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/tenantry-dev-{{}}/tenantry-dev-one"
GROUPS = ("session-watch", "keep-active", "protected-columns")  # of schedules; each has a role and a key


def chosen(role: Role, tenant: str, facts: Facts) -> dict[str, tuple[str, ...]]:
    """What the request says of itself: all that is known, and the caller's best choice of the rest."""
    group = next((group for group in GROUPS if group in role.name), GROUPS[-1])
    known = {k: v for k, v in {**role.facts, **facts}.items() if v}
    return {
        **known,
        "aws:RequestedRegion": (REGION,),
        "aws:SecureTransport": ("true",),
        "s3:TlsVersion": ("1.3",),
        "aws:RequestTag/tenant": (tenant,),
        "aws:TagKeys": ("tenant",),
        "kms:EncryptionContext:tenant": (tenant,),
        "kms:EncryptionContext:aws:scheduler:schedule:arn": (SCHEDULE.format(group),),
    }


def judged(role: Role, action: str, arn: str, target: Target, tenant: str) -> bool:
    (mine,) = role.arns
    principal = Principal("AWS", mine, mine.split(":")[4], f"{mine.replace(':iam:', ':sts:')}/session")
    request = Request(action, arn, principal, chosen(role, tenant, target.facts))
    policies = Policies(identity=(role.identity,), resource=target.policy or None, boundary=role.boundary)
    return decide(request, policies, resource_decides=target.guarded).allowed


def questions(found: PlanAccess) -> list[tuple[str, str, Target, str]]:
    """Action, ARN, target and tenant, of everything of the plan that has a policy of its own."""
    asked = [
        (technique.actions[0], arn, thing.target, thing.tenant)
        for technique in TECHNIQUES
        if technique.way in (TechniqueKind.USE, TechniqueKind.OPEN)
        for kind in technique.targets
        for thing in found.things[kind]
        for arn in sorted(thing.target.arns)
        # of a bucket the ARN that the action is about
        if kind != BUCKET or arn.endswith("/object") == ("Object" in technique.actions[0])
    ]
    return asked + [
        ("sts:AssumeRole", arn, Target(role.arns, role.trust, guarded=True), role.tenant)
        for role in found.roles
        for arn in role.arns
    ]


def differences(plan: Plan) -> tuple[Counter[bool], list[str]]:
    found = plan_access(plan)
    counted: Counter[bool] = Counter()
    wrong: list[str] = []
    asked = questions(found)
    for role in found.roles:
        for action, arn, target, tenant in asked:
            narrow = replace(target, arns=frozenset({arn}))
            answer = can_perform(role, action, narrow)
            if answer.when:
                continue
            counted[answer.possible] += 1
            if judged(role, action, arn, narrow, tenant) != answer.possible:
                wrong.append(f"{role.name} {action} {arn}: {answer.possible}")
    return counted, wrong


def test_both_say_the_same_of_the_platform() -> None:
    counted, wrong = differences(platform("dev"))
    assert wrong == []
    assert counted[True] > 50
    assert counted[False] > 2000


def unbound(plan: Plan) -> Plan:
    return without(plan, "permissionsBoundary")


def keys_left_to_the_account(plan: Plan) -> Plan:
    return without(without(plan, "policy", KEY), "permissionsBoundary")


def greedy(plan: Plan) -> Plan:
    """Every role allowed everything, within its boundary."""
    policy = json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    more = [
        Resource(f"{r.urn}-greedy", INLINE, {"role": f"{r.name}-id", "policy": policy}) for r in plan.of(ROLE)
    ]
    return replace(plan, resources=(*plan.resources, *more))


def without(plan: Plan, dropped: str, kind: str = "") -> Plan:
    def one(r: Resource) -> Resource:
        kept = {k: v for k, v in r.inputs.items() if k != dropped}
        return replace(r, inputs=kept) if kind in ("", r.type) else r

    return replace(plan, resources=tuple(map(one, plan.resources)))


@pytest.mark.parametrize("careless", [unbound, keys_left_to_the_account, greedy])
def test_both_say_the_same_where_somebody_has_been_careless(careless: Callable[[Plan], Plan]) -> None:
    counted, wrong = differences(careless(platform("dev")))
    assert wrong == []
    assert counted[True] > 50


OPEN = "arn:aws:s3:::shared/open/a"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
BUT_OPEN = {"Action": "s3:*", "NotResource": "arn:aws:s3:::shared/open/*", "Principal": "*"}


def of_statements(*statements: Mapping[str, object]) -> Document:
    return parse_data({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.parametrize(
    ("own", "of_bucket", "possible"),
    [
        (ALL, {"Effect": "Deny", **BUT_OPEN}, True),
        ({**ALL, "Action": "iam:*"}, {"Effect": "Allow", **BUT_OPEN}, False),
        (
            {**ALL, "Action": "iam:*"},
            {"Effect": "Allow", **BUT_OPEN, "NotResource": "arn:aws:s3:::b/*"},
            True,
        ),
    ],
    ids=["refused but for some", "allowed but for some", "allowed, not of these"],
)
def test_both_say_the_same_of_what_a_bucket_s_policy_excepts(
    own: Mapping[str, object], of_bucket: Mapping[str, object], possible: bool
) -> None:
    role = replace(plan_access(platform("dev")).roles[0], identity=of_statements(own), boundary=None)
    target = Target(frozenset({OPEN}), of_statements(of_bucket))
    assert bool(can_perform(role, "s3:GetObject", target)) is possible
    assert judged(role, "s3:GetObject", OPEN, target, "") is possible


@pytest.mark.parametrize(
    ("statement", "when"),
    [
        ({"Effect": "Allow"}, "all but arn:aws:s3:::shared/${aws:PrincipalTag/team}/* fits"),
        ({"Effect": "Deny"}, "not all but arn:aws:s3:::shared/${aws:PrincipalTag/team}/*"),
    ],
    ids=["allowed", "refused"],
)
def test_what_a_variable_excepts_is_possible_under_a_condition(
    statement: Mapping[str, object], when: str
) -> None:
    excepting = {
        **statement,
        "Action": "s3:*",
        "NotResource": "arn:aws:s3:::shared/${aws:PrincipalTag/team}/*",
    }
    own = of_statements(excepting, *([ALL] if statement["Effect"] == "Deny" else []))
    role = replace(plan_access(platform("dev")).roles[0], identity=own, boundary=None)
    assert can_perform(role, "s3:GetObject", Target(frozenset({OPEN}))).when == {when}
