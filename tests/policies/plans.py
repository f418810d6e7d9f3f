"""Recordings of the program under mocks as the plans that rules look at."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from policies.model import Plan, Resource
from tests.cells import engine_config
from tests.harness import ACCOUNT, REGION, Recording, Registered
from tests.program.cell import deployed


def plan_of(recording: Recording, stack: str) -> Plan:
    """The mocks make up ARNs in an account of their own, which here is the stack's."""
    config = dict(engine_config(stack))
    account = config["tenantry:accountId"]
    return Plan(tuple(_resource(made, account) for made in recording.resources), stack, config)


def _at_home(value: Any, account: str) -> Any:
    if isinstance(value, str):
        return value.replace(ACCOUNT, account)
    if isinstance(value, Mapping):
        return {k: _at_home(v, account) for k, v in value.items()}
    return [_at_home(v, account) for v in value] if isinstance(value, list) else value


def _resource(made: Registered, account: str) -> Resource:
    arn = f"arn:aws:mock:{REGION}:{account}:{made.name}"
    return Resource(
        urn=made.urn,
        type=made.type,
        inputs=_at_home(made.inputs, account),
        parent=made.parent,
        protect=made.protect,
        provider=made.provider.rpartition("::")[0],
        identity={
            "id": f"{made.name}-id",
            "arn": arn,
            "name": made.inputs.get("name", made.name),
            "url": f"https://sqs.mock/{made.name}",
        },
    )


@cache
def committed(stack: str) -> Plan:
    """The plan of a committed stack."""
    return plan_of(deployed(stack), stack)


def changed(plan: Plan, kind: str, name: str, inputs: Mapping[str, Any], **fields: Any) -> Plan:
    """The plan with inputs of one resource otherwise; None takes an input out."""
    found = [r for r in plan.resources if r.type.endswith(kind) and r.name == name]
    assert len(found) == 1, f"{kind} {name}: {[r.name for r in plan.resources if r.type.endswith(kind)]}"
    merged = {k: v for k, v in (dict(found[0].inputs) | dict(inputs)).items() if v is not None}
    other = replace(found[0], inputs=merged, **fields)
    return replace(plan, resources=tuple(other if r is found[0] else r for r in plan.resources))
