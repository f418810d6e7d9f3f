"""Tags of network resources."""

from __future__ import annotations

from components.common.context import CellContext
from plan.network.network import NetworkPlan


def network_tags(shared: CellContext, plan: NetworkPlan, *role: str) -> dict[str, str]:
    """What it is called in the console, and whose it is."""
    owner = {"tenant": plan.owner} if plan.owner else {}
    return {"Name": shared.names.label("any", plan.name, *role), **owner}
