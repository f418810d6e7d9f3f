"""The committed stacks as plans, with ARNs as AWS has them, so that policies match what they name."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from devtools.mocks import Recording, Registered
from policies.model import Plan, Resource
from tests.cells import engine_config
from tests.program.arns import FORMS, arn, named, real
from tests.program.cell import deployed


def at_home(value: Any, stack: str, by_name: Mapping[str, Registered] | None = None) -> Any:
    """Inputs with ARNs as AWS has them."""
    if isinstance(value, str):
        return real(value, stack, by_name)
    if isinstance(value, Mapping):
        return {k: at_home(v, stack, by_name) for k, v in value.items()}
    return [at_home(v, stack, by_name) for v in value] if isinstance(value, list) else value


@cache
def platform(stack: str) -> Plan:
    """A committed stack as its mocks have it, with ARNs as AWS has them."""
    return planned(deployed(stack), stack)


def planned(recording: Recording, stack: str) -> Plan:
    by_name = named(recording)
    return Plan(
        tuple(
            Resource(
                r.urn,
                r.type,
                at_home(r.inputs, stack, by_name),
                r.parent,
                r.protect,
                identity={"id": f"{r.name}-id", "keyId": f"{r.name}-key-id"}
                | ({"arn": arn(r, stack)} if r.type in FORMS else {}),
            )
            for r in recording.resources
        ),
        stack,
        engine_config(stack),
    )
