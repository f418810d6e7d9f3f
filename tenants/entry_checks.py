"""Checks of a tenant's fields together: with each other, with the service plan, with the cell."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from config.fields import fields_of
from config.wording import allowed_or_near, quoted
from tenants.cell import NOWHERE, Cell
from tenants.lifecycle.edit_checks import Problem
from tenants.models import Overrides, ServicePlan, Span, Tenant
from tenants.phases import MoveMethod, Phase
from tenants.residency import REGIONS, jurisdictions_of
from tenants.states import Isolation, NetworkMode, PlacementKind

Plans = Mapping[str, ServicePlan] | None
"""The service plans; None where they are not known, so that nothing is said about them."""


def _network(tenant: Tenant, _plans: Plans, _cell: Cell | None) -> Iterator[Problem]:
    if tenant.network is NetworkMode.DEDICATED and tenant.isolation is Isolation.POOL:
        right = "write isolation: silo, or leave network out"
        yield tenant.id, ("network",), "a pool tenant cannot have a dedicated network", right


def _move(tenant: Tenant, _plans: Plans, _cell: Cell | None) -> Iterator[Problem]:
    """A move begins where the tenant lives; isolation and network follow at its end."""
    move = tenant.move
    if move is None:
        return
    if move.at and move.to is not (move.origin if move.origin.has_own_instance else PlacementKind.SILO):
        right = "a restore leads from pool to silo, else to another instance of the same kind"
        yield tenant.id, ("move", "at"), f"the move restores, from {move.origin} to {move.to}", right
        return
    if move.at and move.by is not MoveMethod.REPLICATION:
        yield tenant.id, ("move", "by"), f"the move restores, by {move.by}", "take move.by out"
        return
    if move.origin is move.to and not move.at:
        yield tenant.id, ("move", "to"), f"the move leads from {move.origin} to {move.to}", "take move out"
        return
    if tenant.state is not Phase.ACTIVE:
        right = "resume the tenant first, or abort the move"
        yield tenant.id, ("state",), f"a tenant that is {tenant.state} cannot move", right
    done = move.stage is Phase.DONE
    end, lives = ("to", move.to) if done else ("origin", move.origin)
    if tenant.placement_kind is not lives:
        wrong = f"move.{end} is {lives}, and the tenant is {tenant.placement_kind} here"
        right = f"while it moves, isolation and network say the {'new' if done else 'old'} place: write "
        right += f"isolation: {lives.isolation} and network: {lives.network}"
        yield tenant.id, ("move", end), wrong, right


def _leaving(tenant: Tenant, _plans: Plans, _cell: Cell | None) -> Iterator[Problem]:
    until = tenant.leaving.retain_until if tenant.leaving else None
    if until is None and tenant.state in (Phase.RETAINED, Phase.CLOSING, Phase.ERASING):
        right = f"tenantry tenants offboard {tenant.id} --retain-until DATE writes it"
        yield tenant.id, ("state",), f"a tenant that is {tenant.state} has no leaving.retain_until", right


def _plan(tenant: Tenant, plans: Plans, _cell: Cell | None) -> Iterator[Problem]:
    if plans is not None and tenant.plan not in plans:
        wrong = f"plan {quoted(tenant.plan)} is not in plans.yaml"
        yield tenant.id, ("plan",), wrong, allowed_or_near(tenant.plan, plans)


def _residency(tenant: Tenant, _plans: Plans, cell: Cell | None) -> Iterator[Problem]:
    if cell is None or cell.region in REGIONS[tenant.residency]:
        return
    held = ", ".join(jurisdictions_of(cell.region)) or "no residency that tenants/residency.py knows"
    wrong = f"data of residency {tenant.residency} may not live in {cell.region}"
    right = f"onboard into a cell in {' or '.join(REGIONS[tenant.residency])}; this cell holds {held}"
    yield tenant.id, ("residency",), wrong, right


def _copies(tenant: Tenant, _plans: Plans, cell: Cell | None) -> Iterator[Problem]:
    """A backup is the tenant's data too: where it is copied to must be a place that it may live in."""
    if cell is None or cell.backup_copy_region in (NOWHERE, *REGIONS[tenant.residency]):
        return
    wrong = (
        f"its backups would be copied to {cell.backup_copy_region}, where data of residency"
        f" {tenant.residency} may not live"
    )
    others = [r for r in REGIONS[tenant.residency] if r != cell.region]
    right = f"in Pulumi.{cell.stack}.yaml write backupCopyRegion: {' or '.join((*others, NOWHERE))}"
    yield tenant.id, ("residency",), wrong, right


def _overrides(tenant: Tenant, plans: Plans, _cell: Cell | None) -> Iterator[Problem]:
    given = {name: getattr(tenant.overrides, name) for name in fields_of(Overrides)}
    plan = plans.get(tenant.plan) if plans else None
    for name, value in given.items():
        path = ("overrides", name)
        if value is None:
            continue
        if not any(kind.has_own_instance for kind in tenant.placement_kinds):
            right = "remove it; a pool tenant lives on its shard's database"
            yield tenant.id, path, f"overrides.{name} is for silo tenants only", right
        elif plan is not None:
            allowed: Span | tuple[str, ...] | None = getattr(plan.overrides, name)
            if not allowed:
                yield (
                    tenant.id,
                    path,
                    f"plan {plan.id} allows no override of {name}",
                    "remove it, or change the plan",
                )
            elif value not in allowed:
                listed = str(allowed) if isinstance(allowed, Span) else ", ".join(allowed)
                yield (
                    tenant.id,
                    path,
                    f"{name} {value} is not allowed by plan {plan.id}",
                    f"allowed: {listed}",
                )


Rule = Callable[[Tenant, Plans, Cell | None], Iterator[Problem]]
_RULES: Final[tuple[Rule, ...]] = (_network, _move, _leaving, _plan, _residency, _copies, _overrides)


def problems(tenant: Tenant, plans: Plans, cell: Cell | None) -> Iterator[Problem]:
    """What is wrong with a tenant whose fields are each right; no cell, no check of residency."""
    for rule in _RULES:
        yield from rule(tenant, plans, cell)
