"""The plan of a leaving tenant: its phase in this run, and what the function is sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from plan.data.databases import reader_identifiers, silo_name
from plan.names import Names, sql_name
from plan.settings import NOWHERE, Settings
from tenants.models import Registry, Tenant
from tenants.phases import LEAVING, Phase
from tenants.states import Leaving, PlacementKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavingPlan:
    """One tenant's phase. Names are the planned ones, for what bears them may be gone."""

    tenant: str
    phase: Phase
    key_days: int
    sql: str
    artefacts: str  # bucket
    handover: str  # bucket
    shard: str | None  # the database that holds its schema; None: an instance of its own
    instances: tuple[str, ...]  # identifiers of all that it ever had, and of the replicas that it has
    copies: tuple[str, ...]  # Region/identifier of those whose backups a second Region has copies of


def plan_leaving(settings: Settings, names: Names, registry: Registry) -> tuple[LeavingPlan, ...]:
    """Those who leave and those who have left, by id, as long as they stand in the registry."""
    going = [_plan(settings, names, registry, t) for t in registry.tenants if t.phase in LEAVING]
    gone = [_plan(settings, names, registry, t) for t in registry.erased]
    return tuple(sorted((*going, *gone), key=lambda p: p.tenant))


def staying(tenants: Sequence[Tenant]) -> list[Tenant]:
    """Whose resources stand: all but those whose last ones go with this run."""
    return [t for t in tenants if t.phase.row.exists]


def _plan(settings: Settings, names: Names, registry: Registry, tenant: Tenant) -> LeavingPlan:
    placement = registry.ledger.placements.get(tenant.id)
    silos = [silo_name(tenant.id, n) for n in range(1, placement.issued + 1)] if placement else []
    instances = [names.label("database", silo) for silo in silos]
    region = settings.backup_copy_region
    replicas = tenant.overrides.report_replicas or 0
    readers = [r for silo in silos for r in reader_identifiers(names, silo, replicas).values()]
    return LeavingPlan(
        tenant=tenant.id,
        phase=tenant.phase,
        key_days=(tenant.leaving or Leaving()).key_days,
        sql=sql_name(tenant.id),
        artefacts=names.bucket("t", tenant.id),
        handover=handover_bucket(names, tenant.id),
        shard=registry.ledger.shards.get(tenant.id) if tenant.placement_kind is PlacementKind.POOL else None,
        instances=(*instances, *readers),
        copies=tuple(f"{region}/{instance}" for instance in instances if region != NOWHERE),
    )


def handover_bucket(names: Names, tenant_id: str) -> str:
    return names.bucket("handover", tenant_id)
