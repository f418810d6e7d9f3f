"""What makes a bad example bad, put into the platform's own plan: each rule sees it there too."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from policies.inventory import BY_ID, RULES, applies
from policies.judge import look
from policies.model import Outcome, Plan, Resource
from policies.rule import Made, Ref, Rule
from tests.policies.plans import changed, committed

Inputs = Mapping[str, Any]


# What the platform has in another place than the example, and what goes with it for the test.
BESIDES = {"queue-tls": "aws:sqs/queuePolicy:QueuePolicy", "topic-tls": "aws:sns/topicPolicy:TopicPolicy"}
# Where the platform's own cannot be made as bad by these inputs: tests of their own.
ELSEWHERE = {
    "tenants-apart": "test_tenancy.py",
    "tagged": "its tags are the provider's; below",
    "tagged-with-tenant": "no tenant has a queue; below",
}


def worse(inputs: Inputs, good: Inputs, bad: Inputs) -> dict[str, Any]:
    """Inputs with all that `bad` says, without what only `good` says, and otherwise as they were."""
    return {k: v for k, v in inputs.items() if k not in good or k in bad} | {
        k: v for k, v in bad.items() if not has_refs(v)
    }


def sabotaged(rule: Rule, subject: Resource, plan: Plan) -> tuple[Plan, Resource]:
    """The plan with the subject as bad as the example, and what is made for it as bad or missing."""
    good, bad = rule.good, rule.bad
    other = replace(
        subject,
        inputs=worse(subject.inputs, good.subject.inputs, bad.subject.inputs),
        protect=bad.subject.protect if good.subject.protect else subject.protect,
    )
    around: dict[str, Made | None] = {one.type: None for one in good.after}
    around |= {BESIDES[rule.id]: None} if rule.id in BESIDES else {}
    around |= {one.type: one for one in bad.after}
    was = {one.type: one for one in good.after}

    def changed(r: Resource) -> Iterator[Resource]:
        if r is subject:
            yield other
        elif r.type not in around:
            yield r
        elif made := around[r.type]:
            yield replace(r, inputs=worse(r.inputs, was[r.type].inputs, made.inputs))

    return replace(plan, resources=tuple(x for r in plan.resources for x in changed(r))), other


def has_refs(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(has_refs, value.values()))
    return any(map(has_refs, value)) if isinstance(value, list | tuple) else isinstance(value, Ref)


def subject_in(rule: Rule, stack: str) -> Resource | None:
    """The first resource of the platform that the rule is content with, of the example's type."""
    plan = committed(stack)
    kind = rule.bad.subject.type
    return next((r for r in plan.of(kind) if look(rule, r, plan).outcome is Outcome.PASS), None)


def parts(made: Iterable[Made]) -> list[tuple[str, Inputs, bool]]:
    return [(m.type, m.inputs, m.protect) for m in made]


def transplantable(rule: Rule) -> bool:
    """Whether what is bad is in the subject itself, or in what is made for it."""
    good, bad = rule.good, rule.bad
    wrong = parts([good.subject, *good.after]) != parts([bad.subject, *bad.after])
    return wrong and good.subject.type == bad.subject.type and rule.id not in ELSEWHERE


TRIED = [r for r in RULES if transplantable(r)]


@pytest.mark.parametrize("rule", TRIED, ids=lambda r: r.id)
def test_the_platform_made_as_bad_as_the_example_is_refused(rule: Rule) -> None:
    subject = subject_in(rule, "prod")
    if subject is None:
        pytest.skip("the platform has nothing of the kind")
    plan, it = sabotaged(rule, subject, committed("prod"))
    assert look(rule, it, plan).outcome is Outcome.FAIL


def test_most_rules_are_tried_so() -> None:
    assert sum(subject_in(rule, "prod") is not None for rule in TRIED) > 80


def refused(rule: str, plan: Plan, name: str) -> str:
    """Why the rule refuses the resource of that name, "" where it does not."""
    (it,) = [r for r in plan.resources if r.name == name and applies(BY_ID[rule], r.type)]
    verdict = look(BY_ID[rule], it, plan)
    return verdict.why if verdict.outcome is Outcome.FAIL else ""


def put(kind: str, name: str, **inputs: Any) -> Callable[[Plan], Plan]:
    return lambda plan: changed(plan, kind, name, inputs)


def also(kind: str, **inputs: Any) -> Callable[[Plan], Plan]:
    """One resource more, named `new`."""
    return lambda plan: replace(plan, resources=(*plan.resources, Resource("urn:x::new", kind, inputs)))


SHORT = [{"status": "Enabled", "expiration": {"days": 30}}]


@pytest.mark.parametrize(
    ("rule", "name", "edit", "why"),
    [
        ("tagged", "reports-jobs-queue", put("providers:aws", "aws", defaultTags=None), "no tag"),
        ("tagged-with-tenant", "alder-pay-identity-key",
         put("kms/key:Key", "alder-pay-identity-key", tags={"tenant": "cobalt-fx"}), "its tag says cobalt"),
        ("archive-kept", "baseline-trail-trail",
         put("LifecycleConfiguration", "baseline-trail-archive-lifecycle", rules=SHORT), "30 days"),
        ("in-region", "aws", put("providers:aws", "aws", region="us-east-2"), "us-east-2"),
        ("in-region", "reports-jobs-queue",
         put("sqs/queue:Queue", "reports-jobs-queue", kmsMasterKeyId="arn:aws:kms:us-west-2:1:key/k"),
         "kms in us-west-2"),
        ("no-users", "new", also("aws:iam/user:User", name="deployer"), "roles"),
        ("function-url-authorised", "new",
         also("aws:lambda/functionUrl:FunctionUrl", authorizationType="NONE"), "NONE"),
        ("host-metadata-v2", "new", also("aws:ec2/instance:Instance", ami="ami-1"), "httpTokens"),
        ("store-encrypted", "new", also("aws:dynamodb/table:Table", hashKey="id"), "serverSideEncryption"),
        ("database-subnets-closed", "data-reports-data-subnets",
         also("aws:ec2/route:Route", routeTableId="cell-routes-reports-data-id",
              destinationCidrBlock="0.0.0.0/0"), "everywhere"),
        ("database-subnets-closed", "data-reports-data-subnets",
         put("ec2/routeTable:RouteTable", "cell-routes-reports-data",
             routes=[{"cidrBlock": "0.0.0.0/0", "natGatewayId": "nat-1"}]), "everywhere"),
    ],
)  # fmt: skip
def test_what_somebody_might_do_is_refused(
    rule: str, name: str, edit: Callable[[Plan], Plan], why: str
) -> None:
    plan = committed("prod")
    if any(r.name == name for r in plan.resources):
        assert not refused(rule, plan, name)
    assert why in refused(rule, edit(plan), name)
