"""The examples beside the rules as plans, as a preview would show them, with outputs unknown."""

from collections.abc import Mapping
from typing import Any, cast

from policies.model import UNKNOWN, Plan, Resource
from policies.rule import Example, Made, Ref

CONFIG: Mapping[str, str] = {
    "tenantry:environment": "prod",
    "tenantry:region": "eu-west-1",
    "tenantry:accountId": "111122223333",
}


def urn(made: Made) -> str:
    return f"urn:pulumi:example::tenantry::{made.type}::{made.name}"


def plan_of(example: Example) -> tuple[Plan, Resource]:
    """The plan of an example, and the resource in it that the rule looks at."""
    by_name = {made.name: made for made in example.resources}
    resources = {made.name: _resource(made, by_name) for made in example.resources}
    return Plan(tuple(resources.values()), "example", CONFIG), resources[example.subject.name]


def _resource(made: Made, by_name: Mapping[str, Made]) -> Resource:
    return Resource(
        urn=urn(made),
        type=made.type,
        inputs=cast("Mapping[str, Any]", _unknown(made.inputs)),
        parent=urn(by_name[made.parent]) if made.parent else "",
        protect=made.protect,
        sources={k: tuple(urn(by_name[n]) for n in _refs(v)) for k, v in made.inputs.items()},
    )


def _unknown(value: Any) -> Any:
    """What is an output of another resource is not known in a preview."""
    if isinstance(value, Ref):
        return UNKNOWN
    if isinstance(value, Mapping):
        return {k: _unknown(v) for k, v in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_unknown(v) for v in cast("list[Any]", value)]
    return value


def _refs(value: Any) -> list[str]:
    if isinstance(value, Ref):
        return [value.name]
    if isinstance(value, Mapping):
        return [n for v in cast("Mapping[str, Any]", value).values() for n in _refs(v)]
    if isinstance(value, list | tuple):
        return [n for v in cast("list[Any]", value) for n in _refs(v)]
    return []
