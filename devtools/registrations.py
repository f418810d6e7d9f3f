"""What the program would register for the stacks of a project: a run under mocks, without an engine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pulumi

from components.organization.organization import Organization
from components.platform import Platform
from devtools.mocks import ACCOUNT, REGION, Recording, Registered, run
from devtools.stack_plans import PREFIX, plan_of_stack, stacks
from plan import CellPlan
from plan.organization import OrganizationPlan
from policies.model import Plan, Resource


def record_registrations(plan: CellPlan | OrganizationPlan) -> Recording:
    """All that the program registers for a stack, its exports too."""

    def program() -> None:
        made = Platform("platform", plan) if isinstance(plan, CellPlan) else Organization("platform", plan)
        for key, value in made.exports.items():
            pulumi.export(key, value)

    return run(program, stack_name=plan.settings.stack)


def registered_resources(root: Path) -> list[Registered]:
    """All that the program registers over the stacks of a project."""
    return [r for stack in stacks(root) for r in record_registrations(plan_of_stack(root, stack)).resources]


def plan_for_guardrails(recording: Recording, stack: str, config: Mapping[str, str]) -> Plan:
    """A run as guardrails look at it, with the stack's account where mocks make up one of their own."""
    account = config[f"{PREFIX}accountId"]
    return Plan(tuple(_resource(made, account) for made in recording.resources), stack, config)


def _with_account(value: Any, account: str) -> Any:
    if isinstance(value, str):
        return value.replace(ACCOUNT, account)
    if isinstance(value, Mapping):
        return {k: _with_account(v, account) for k, v in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [_with_account(v, account) for v in cast("list[Any]", value)]
    return value


def _resource(made: Registered, account: str) -> Resource:
    arn = f"arn:aws:mock:{REGION}:{account}:{made.name}"
    return Resource(
        urn=made.urn,
        type=made.type,
        inputs=_with_account(made.inputs, account),
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
