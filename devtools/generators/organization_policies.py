"""Writes organization/policies/ for review: `make generate`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from devtools.stack_plans import plan_of_stack, stacks
from plan.organization import OrganizationPlan

ROOT: Final = Path(__file__).parents[2]


def folder(root: Path) -> Path:
    return root / "organization" / "policies"


def render(plan: OrganizationPlan) -> Mapping[str, str]:
    """File name → text. AWS gets the same without the white space."""
    return {f"{p.name}.json": json.dumps(p.data, indent=2) + "\n" for p in plan.policies}


def write(root: Path, plan: OrganizationPlan) -> int:
    """Make the folder say what the plan says; returns how many policies there are."""
    folder(root).mkdir(exist_ok=True)
    texts = render(plan)
    for old in folder(root).glob("*.json"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        (folder(root) / name).write_text(text, encoding="utf-8")
    return len(texts)


def stale(root: Path, plan: OrganizationPlan) -> list[str]:
    """The files that are missing, not made any more, or not what the plan says."""
    committed = {p.name: p.read_text(encoding="utf-8") for p in folder(root).glob("*.json")}
    texts = render(plan)
    return sorted(name for name in {*committed, *texts} if committed.get(name) != texts.get(name))


def organizations(root: Path) -> list[OrganizationPlan]:
    """The plans of the stacks that are an organization: one, or none where somebody else keeps it."""
    plans = (plan_of_stack(root, stack) for stack in stacks(root, "organization"))
    return [plan for plan in plans if isinstance(plan, OrganizationPlan)]
