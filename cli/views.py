"""The data that `list`, `show` and `capacity` print, without formatting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from cli.inventory import resources
from tenants.allocation import CellFullError, extend
from tenants.cell import Cell
from tenants.examination import Examined
from tenants.models import Contacts, Isolation, Ledger, NetworkMode, Quota, Tenant
from tenants.project import Project
from tenants.quotas import Use, demand, uses
from tenants.quotas import census as count


def location_of(tenant: Tenant, ledger: Ledger) -> str:
    """Where a tenant's data lives, in a word: its shard, its own instance, with its block if it has one."""
    if tenant.isolation is Isolation.POOL:
        return ledger.shards.get(tenant.id, "-")
    return f"own, {ledger.networks[tenant.id]}" if tenant.id in ledger.networks else "own"


def row_of(tenant: Tenant, stack: str, ledger: Ledger) -> dict[str, str]:
    return {
        "id": tenant.id,
        "stack": stack,
        "name": tenant.name,
        "isolation": str(tenant.isolation),
        "network": str(tenant.network),
        "plan": tenant.plan,
        "residency": tenant.residency,
        "state": str(tenant.state),
        "phase": str(tenant.phase),
        "place": location_of(tenant, ledger),
    }


# ------------------------------------------------------------------ one tenant


def description(project: Project, found: Examined, cell: Cell, id_: str) -> dict[str, Any]:
    """All that there is to say about a tenant; its stack must be without findings."""
    tenant = found.entries.models[id_]
    plan = found.plans[tenant.plan]
    ledger = found.extended
    return {
        **row_of(tenant, found.stack, ledger),
        "since": tenant.since,
        "move": str(tenant.move) if tenant.move else None,
        "data": _data(tenant, found),
        "shares_with": _neighbours(tenant, found),
        "limits": {
            "requests_per_second": plan.rate_limit,
            "burst": plan.burst_limit,
            "quota": plan.quota,
            "quota_period": plan.quota_period,
            "budget_usd_a_month": plan.budget_usd,
        },
        "overrides": {k: v for k, v in _overrides(tenant).items() if v is not None},
        "key_rotation_days": tenant.key_rotation_days,
        "protected_columns": list(tenant.protected_columns),
        "contacts": {"email": tenant.contacts.email, "webhook": tenant.contacts.webhook},
        "tags": dict(tenant.tags),
        "resources": [
            {"kind": kind, "name": name} for kind, name in _resources(project, found, cell, tenant)
        ],
        "takes": _takes(project, found, cell, tenant),
    }


def _resources(project: Project, found: Examined, cell: Cell, tenant: Tenant) -> list[tuple[str, str]]:
    return resources(project.root, found.registry, cell, tenant.id) if tenant.phase.row.exists else []


def _overrides(tenant: Tenant) -> Mapping[str, Any]:
    names = ("instance_class", "storage_gib", "backup_days", "report_replicas")
    return {name: getattr(tenant.overrides, name) for name in names}


def _data(tenant: Tenant, found: Examined) -> str:
    if not tenant.phase.row.placed:
        return "none any more"
    block = found.extended.networks.get(tenant.id)
    if tenant.isolation is Isolation.POOL:
        slot = found.extended.slots[tenant.id]
        return f"role and schema of its own on {found.extended.shards[tenant.id]}, place {slot}"
    where = f"in a network of its own, {block}" if block else "in the cell's network"
    return f"a database of its own {where}"


def _neighbours(tenant: Tenant, found: Examined) -> list[str]:
    """Who lives on the same shard."""
    mine = found.extended.shards.get(tenant.id)
    return sorted(
        i for i, shard in found.extended.shards.items() if mine and shard == mine and i != tenant.id
    )


def _takes(project: Project, found: Examined, cell: Cell, tenant: Tenant) -> list[dict[str, Any]]:
    """What the tenant alone adds to each quota."""
    everybody = list(found.entries.models.values())
    others = [t for t in everybody if t.id != tenant.id]
    with_it = {u.quota.id: u for u in uses(project, cell, everybody, found.extended)}
    without = {u.quota.id: u for u in uses(project, cell, others, found.extended)}
    return [
        {"what": use.quota.name, "count": use.own - without[id_].own, "of": use.limit}
        for id_, use in with_it.items()
        if use.own > without[id_].own
    ]


# ------------------------------------------------------------------ one cell


@dataclass(frozen=True, slots=True)
class Headroom:
    """How many more tenants of a kind fit, and what is full then."""

    kind: str
    more: int
    until: str


def usage(project: Project, found: Examined, cell: Cell) -> list[tuple[str, float, float]]:
    """What is used of what there is: shards, blocks of addresses, quotas."""
    ledger = found.extended
    per_shard: dict[str, int] = {}
    for shard in ledger.shards.values():
        per_shard[shard] = per_shard.get(shard, 0) + 1
    rows: list[tuple[str, float, float]] = [(s, n, cell.shard_capacity) for s, n in sorted(per_shard.items())]
    rows.append(("shards", len(per_shard), cell.shard_limit))
    rows.append(("address blocks", len(ledger.networks), cell.blocks))
    return rows + [(u.quota.name, u.needed, u.limit) for u in _uses(project, found, cell)]


def _uses(project: Project, found: Examined, cell: Cell) -> list[Use]:
    return uses(project, cell, found.entries.models.values(), found.extended)


_KINDS = {
    "pool": (Isolation.POOL, NetworkMode.SHARED),
    "silo": (Isolation.SILO, NetworkMode.SHARED),
    "dedicated": (Isolation.SILO, NetworkMode.DEDICATED),
}
_MOST = 1000  # tenants that `headroom` tries; a cell is meant for about fifty


def headroom(project: Project, found: Examined, cell: Cell, on: date) -> list[Headroom]:
    """For each kind of tenant: how many more fit before which limit breaks."""
    return [_headroom(project, found, cell, kind, on) for kind in _KINDS]


def _headroom(project: Project, found: Examined, cell: Cell, kind: str, on: date) -> Headroom:
    places, ledger = _newcomers_that_fit(found, cell, _newcomer(found, kind), on)
    best = Headroom(kind, len(places), "" if len(places) == _MOST else _limit_of_places(kind, cell))
    everybody = list(found.entries.models.values())
    free = {u.quota.id: u.free + u.own for u in _uses(project, found, cell)}
    for quota in project.quotas[0].values():

        def enough(more: int, quota: Quota = quota) -> bool:
            counted = count(cell, everybody + places[:more], found.plans, ledger)
            return demand(quota, counted) <= free[quota.id]

        fits = largest_that_fits(len(places), enough)
        if fits < best.more:
            best = Headroom(kind, fits, f"{quota.name} ({free[quota.id]:g})")
    return best


def _newcomer(found: Examined, kind: str) -> Tenant:
    """A tenant such as may come: on the plan that most tenants of the cell are on, with a webhook."""
    plans = [t.plan for t in found.entries.models.values()] or sorted(found.plans)
    isolation, network = _KINDS[kind]
    return Tenant(
        id="newcomer",
        name="Newcomer",
        isolation=isolation,
        network=network,
        residency="eu",
        plan=max(sorted(set(plans)), key=plans.count),
        contacts=Contacts(email="ops@newcomer.example", webhook="https://newcomer.example/"),
    )


def _newcomers_that_fit(
    found: Examined, cell: Cell, pattern: Tenant, on: date
) -> tuple[list[Tenant], Ledger]:
    """As many newcomers as the ledger has places for, and the ledger with them in it."""
    more = [replace(pattern, id=f"~{n:04d}") for n in range(_MOST)]
    try:
        return more, extend(found.extended, more, cell, on)
    except CellFullError as full:
        out = {u.tenant for u in full.unplaced}
        return [t for t in more if t.id not in out], full.ledger


def _limit_of_places(kind: str, cell: Cell) -> str:
    if kind == "pool":
        return f"places on shards ({cell.shard_limit * cell.shard_capacity})"
    return f"address blocks ({cell.blocks})"


def largest_that_fits(most: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `most` that fits, and 0 if none does; what fits once fits with fewer."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
