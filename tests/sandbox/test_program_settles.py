"""Nothing that the program gives comes back from AWS as something that the provider takes for a change."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtools.mocks import Registered
from devtools.registrations import record_registrations
from devtools.stack_plans import plan_of_stack
from plan.data.databases import PARAMETER_FAMILY
from sandbox.aws.answers import parameter_defaults
from sandbox.aws.sources.sdk import inputs as sdk_inputs
from sandbox.aws.type_descriptions import describe, described
from sandbox.providers.aws import Aws
from tests.cells import PROJECT
from tests.program.cell import deployed
from tests.sandbox.made import make

GROUP: Final = "aws:rds/parameterGroup:ParameterGroup"
TOPIC, TOPIC_POLICY = "aws:sns/topic:Topic", "aws:sns/topicPolicy:TopicPolicy"
SECRET, SECRET_POLICY = "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretPolicy:SecretPolicy"
MARK: Final = "4dabf18193072939515e22adb298388d"  # the engine's, of a value that is secret
in_each_stack: Final = pytest.mark.parametrize(
    "stack", ["dev", *(pytest.param(stack, marks=pytest.mark.slow) for stack in ("prod", "org"))]
)
# Documentation of each type: what another resource of the program manages as well differs for ever.
OWNED_ELSEWHERE: Final = {
    "aws:ec2/securityGroup:SecurityGroup": ("ingress", "egress"),
    "aws:iam/role:Role": ("inlinePolicies", "managedPolicyArns"),
    "aws:ec2/routeTable:RouteTable": ("routes",),
    "aws:s3/bucket:Bucket": (
        "policy",
        "lifecycleRules",
        "logging",
        "serverSideEncryptionConfiguration",
        "versioning",
    ),
    "aws:sqs/queue:Queue": ("policy",),
}


@cache
def registered(stack: str) -> tuple[Registered, ...]:
    """All AWS resources of a stack of tests/project."""
    found = deployed(stack) if stack == "dev" else record_registrations(plan_of_stack(PROJECT, stack))
    return tuple(r for r in found.resources if r.type.startswith("aws:"))


def inputs_of(resource: Registered) -> dict[str, Any]:
    """As a plugin gets them: secrets opened, and the code of functions as a word."""
    return {k: _opened(v) for k, v in resource.inputs.items() if v is not None}


def _opened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _opened(value["value"]) if MARK in value else {k: _opened(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_opened(v) for v in value]
    return value if isinstance(value, str | int | float | None) else repr(value)


@cache
def examples() -> tuple[Registered, ...]:
    """One resource of dev for each set of keys that one of its type is given."""
    return tuple({json.dumps([r.type, sorted(inputs_of(r))]): r for r in registered("dev")}.values())


@in_each_stack
def test_nothing_that_the_program_gives_differs(aws: Aws, stack: str) -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for resource in registered(stack):
        made = make(aws, resource.type, inputs_of(resource), resource.name)
        if wrong := made.differs() | made.refreshed().differs():
            found[resource.type, resource.name] = wrong
        made.forget()
    assert found == {}
    assert len({r.type for r in registered(stack)}) > 40


LISTS: Final = {
    t: [k for k, field in sdk_inputs(t).items() if field.listed and k not in describe(t).blocks]
    for t in described()
}


@given(st.data())
def test_an_empty_list_put_in_differs_for_ever_where_the_provider_tells_it_from_none(
    aws: Aws, data: st.DataObject
) -> None:
    """In types of terraform-plugin-framework; with terraform-plugin-sdk only where AWS fills it in."""
    resource = data.draw(st.sampled_from([r for r in examples() if LISTS[r.type]]))
    key = data.draw(st.sampled_from(LISTS[resource.type]))
    if key in resource.inputs:
        return
    mutated = make(aws, resource.type, {**inputs_of(resource), key: []}, resource.name)
    try:
        again = mutated.refreshed().updated().refreshed()
        how = describe(resource.type)
        expected = {key} if how.framework or (key in how.keeps and mutated.state.get(key)) else set[str]()
        assert (mutated.differs() & {key}, again.differs() & {key}) == (expected, expected)
    finally:
        mutated.forget()


@given(st.sampled_from(sorted(parameter_defaults()[PARAMETER_FAMILY].items())))
def test_a_parameter_put_in_at_its_default_and_at_once_differs_for_ever(
    aws: Aws, default: tuple[str, str]
) -> None:
    (group,) = (r for r in examples() if r.type == GROUP)
    inputs = inputs_of(group)
    others = [p for p in inputs["parameters"] if p["name"] != default[0]]
    more = {"name": default[0], "value": default[1], "applyMethod": "immediate"}
    mutated = make(aws, GROUP, {**inputs, "parameters": [*others, more]}, group.name)
    try:
        assert mutated.updated().refreshed().differs() == {"parameters"}
    finally:
        mutated.forget()


@in_each_stack
def test_no_setting_is_given_where_another_resource_of_the_program_owns_it(stack: str) -> None:
    given = {(r.name, r.type, key) for r in registered(stack) for key in inputs_of(r)}
    assert {(name, kind, key) for name, kind, key in given if key in OWNED_ELSEWHERE.get(kind, ())} == set()


@pytest.mark.parametrize(("kind", "part"), [(TOPIC, TOPIC_POLICY), (SECRET, SECRET_POLICY)])
def test_a_policy_is_an_input_or_a_resource_of_its_own(kind: str, part: str) -> None:
    """Both would put their own in the other's place in each run that looks."""
    within = {r.name for r in registered("dev") if r.type == kind and "policy" in r.inputs}
    arns = [r.inputs["arn" if kind == TOPIC else "secretArn"] for r in registered("dev") if r.type == part]
    beside = {arn.rsplit(":", 1)[1] for arn in arns}
    assert within
    assert beside
    assert within & beside == set()
