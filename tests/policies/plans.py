"""Recordings of the program under mocks as the plans that rules look at."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from devtools.mocks import Recording
from devtools.registrations import plan_for_guardrails
from policies.model import Plan
from tests.cells import engine_config
from tests.program.cell import deployed


def plan_of(recording: Recording, stack: str) -> Plan:
    """The mocks make up ARNs in an account of their own, which here is the stack's."""
    return plan_for_guardrails(recording, stack, engine_config(stack))


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
