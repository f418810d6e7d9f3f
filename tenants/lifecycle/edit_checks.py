"""Checks of an edit of the registry against the ledger: what may not happen to a tenant that has data.

The ledger remembers where each tenant was put and how far it had come. Data never moves and never
goes because a line changed: a tenant goes from one phase to the next only along the arrows of
`tenants.phases`, and an entry may leave the file only after its tenant was erased.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from tenants.lifecycle import keys
from tenants.models import Ledger, Placement, Tenant
from tenants.phases import LEAVING, MOVING, TRANSITIONS, GuardFacts, Phase, transition_between
from tenants.states import READ_ONLY_SECONDS, PlacementKind

Problem = tuple[str, tuple[str, ...], str, str]
"""Tenant, path of the field, what is wrong, what would be right."""


def placement_of(tenant: Tenant, before: Placement | None, on: date) -> Placement:
    """What the ledger says of a tenant after a run on that day."""
    instance, issued = _instances(tenant, before)
    same = before is not None and before.phase is tenant.phase
    first = before is None or tenant.phase is Phase.ACTIVE
    return Placement(
        isolation=tenant.isolation,
        network=tenant.network,
        state=tenant.state,
        move=tenant.move
        and replace(tenant.move, read_only_seconds=READ_ONLY_SECONDS),  # no place depends on it
        instance=instance,
        issued=issued,
        key=tenant.key,
        stored=_stored(tenant, before),
        since=before.since if same and before else None if first else on,
    )


def _instances(tenant: Tenant, before: Placement | None) -> tuple[int, int]:
    """The number of the tenant's instance, at the origin while it moves, and the highest that it ever had.

    A number is given when a move to an instance begins, and never again: identifiers of databases and of
    their last snapshots derive from it.
    """
    if before is None:
        one = int(tenant.placement_kind.has_own_instance)
        return one, one
    began = tenant.move is not None and before.move is None and tenant.move.to.has_own_instance
    issued = before.issued + began
    arrived = tenant.move is None and before.move is not None and before.move.stage is Phase.DONE
    if arrived:
        return (issued if tenant.placement_kind.has_own_instance else 0), issued
    return before.instance, issued


def _stored(tenant: Tenant, before: Placement | None) -> int:
    """Which key the tenant's instance is under: the one that was in use when the instance was made.

    RDS never changes the key of an instance (RDS user guide, "Encrypting Amazon RDS resources", 2026-11).
    """
    if before is None or not before.instance:
        return tenant.key
    arrived = tenant.move is None and before.move is not None and before.move.stage is Phase.DONE
    # What RDS restores keeps its source's key; what is copied out of a shard is made under the tenant's.
    restored = before.move is not None and before.move.at is not None and not before.move.extracts
    return tenant.key if arrived and not restored else before.stored


def problems(
    tenants: Mapping[str, Tenant], present: frozenset[str], ledger: Ledger, on: date, *, many: bool = False
) -> list[Problem]:
    """What the edit from the ledger's state to these tenants may not do on that day.

    `present` are the ids that stand in the file, the unreadable ones included: those have not left.
    `many` says that several tenants may leave at once.
    """
    found: list[Problem] = []
    for id_ in sorted(ledger.placements.keys() - present):
        wrong = "has data, and its entry is gone from the registry"
        right = f"put the entry back; a tenant leaves in stages: tenantry tenants offboard {id_}"
        found.append((id_, (), wrong, right))
    for tenant in tenants.values():
        placement = ledger.placements.get(tenant.id)
        if tenant.id in ledger.erased:
            found += _after_erasure(tenant)
        elif placement is not None:
            found += _steps(tenant, placement, on) + keys.problems(tenant, placement)
        elif tenant.phase not in (Phase.ACTIVE, Phase.SUSPENDED):
            found.append(_newcomer(tenant))
        elif tenant.key != 1:
            found.append(keys.newcomer(tenant))
    return found if many else found + _together(tenants, ledger)


def _after_erasure(tenant: Tenant) -> list[Problem]:
    if tenant.state is Phase.ERASED:
        return []
    return [
        (tenant.id, (), "is the id of a tenant that was erased", "take another id; erased ones stay taken")
    ]


def _newcomer(tenant: Tenant) -> Problem:
    if tenant.move:
        return tenant.id, ("move",), "was never onboarded, so nothing can move", "take move out"
    wrong = f"was never onboarded, so nothing can be {tenant.state}"
    return (
        tenant.id,
        ("state",),
        wrong,
        "remove the entry" if not tenant.phase.row.placed else "onboard it first",
    )


def _together(tenants: Mapping[str, Tenant], ledger: Ledger) -> list[Problem]:
    """Several tenants that leave in one change; the command, told so, records it in the ledger beforehand."""
    going = [
        t.id
        for t in tenants.values()
        if t.id in ledger.placements and t.phase in LEAVING and t.phase is not ledger.placements[t.id].phase
    ]
    if len(going) < 2:
        return []
    wrong = f"leaves together with {', '.join(sorted(going)[1:])}"
    right = f"one at a time, or tenantry tenants offboard {' '.join(sorted(going))} --many"
    return [(min(going), ("state",), wrong, right)]


_WHERE: Final[Mapping[PlacementKind, str]] = {
    PlacementKind.POOL: "in the pool",
    PlacementKind.SILO: "in a silo, in the cell's network",
    PlacementKind.DEDICATED: "in a silo, in a network of its own",
}


def _steps(tenant: Tenant, placement: Placement, on: date) -> list[Problem]:
    before, after = placement.phase, tenant.phase
    lives = _lives(placement, after)
    if tenant.placement_kind is not lives:
        return _misplaced(tenant, placement, lives)
    if tenant.move and placement.move and tenant.move.way != placement.move.way:
        wrong = f"move is {tenant.move.way}, and the one under way {placement.move.way}"
        return [(tenant.id, ("move", "to"), wrong, "put it back; abort that one first")]
    if before is after:
        return []
    step = transition_between(before, after)
    staged = tenant.move is not None or before in MOVING
    field = ("move", "stage") if tenant.move else () if staged else ("state",)
    if step is None:
        wrong = f"{'stage' if staged else 'state'} goes from {before} to {after}"
        right = f"after {before} comes {_or(a.after for a in TRANSITIONS if a.before is before)}"
        return [(tenant.id, field, wrong, f"{right}, in a run of its own")]
    if before is Phase.ACTIVE and tenant.move and tenant.move.at and tenant.move.at[:10] > on.isoformat():
        wrong = f"move.at {tenant.move.at} has not come yet"
        return [(tenant.id, ("move", "at"), wrong, "say a moment that backups reach back to")]
    refused = step.guard(guard_facts(tenant, placement), on) if step.guard else None
    return [(tenant.id, field, *refused)] if refused else []


def guard_facts(tenant: Tenant, placement: Placement) -> GuardFacts:
    """What a transition's guard looks at; a move that is on keeps what was agreed when it was recorded."""
    return GuardFacts(
        since=placement.since,
        soak_days=placement.move.soak_days if placement.move else None,
        retain_until=tenant.leaving.retain_until if tenant.leaving else None,
        key_days=tenant.leaving.key_days if tenant.leaving else None,
    )


def _lives(placement: Placement, after: Phase) -> PlacementKind:
    """Where the data is in a phase: at the far end of the move from `done` on."""
    if placement.move and placement.move.stage is Phase.SOAK and after is Phase.DONE:
        return placement.move.to
    return placement.kind


def _misplaced(tenant: Tenant, placement: Placement, lives: PlacementKind) -> list[Problem]:
    """Isolation or network differ from where the data is."""
    found: list[Problem] = []
    for field, now, was in (
        ("isolation", tenant.isolation, lives.isolation),
        ("network", tenant.network, lives.network),
    ):
        if now is not was:
            wrong = f"{field} is {now} here, and the tenant's data lives {_WHERE[lives]}"
            right = f"put {field}: {was} back"
            if placement.move is None and tenant.move is None:
                right += (
                    f"; data moves in stages: tenantry tenants move {tenant.id} --to {tenant.placement_kind}"
                )
            found.append((tenant.id, (field,), wrong, right))
    return found


def _or(phases: Iterable[Phase]) -> str:
    return " or ".join(map(str, phases)) or "nothing"
