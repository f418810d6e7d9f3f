"""Where a tenant's data is: a schema on a shard or an instance of its own, and both during a move."""

from dataclasses import dataclass, replace
from typing import Final

from plan.data.databases import CELL_NETWORK, DatabasePlan, RestorePlan, Size, plan_restored, plan_silo
from plan.data.tenant_limits import IDLE_SECONDS, STATEMENT_SECONDS, TRANSACTION_SECONDS
from plan.names import Names
from plan.network.network import NetworkPlan, plan_dedicated_network
from plan.settings import Settings
from tenants.models import Registry, Tenant
from tenants.phases import MoveMethod, Phase, Released
from tenants.states import PlacementKind

FOR_TENANTS: Final = 0.8  # share of a database's connections that tenants may take, all together


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlLimits:
    """What a tenant's role may take of its database."""

    connections: int
    statement_ms: int = STATEMENT_SECONDS * 1000
    idle_ms: int = IDLE_SECONDS * 1000
    transaction_ms: int = TRANSACTION_SECONDS * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePlan:
    """One place for a tenant's data."""

    kind: PlacementKind
    database_name: str  # name of the DatabasePlan that holds it
    silo: DatabasePlan | None  # its own instance, or None in the pool
    network: NetworkPlan | None  # its own VPC, or None in the cell's
    storage_gib: int  # of the database
    limits: SqlLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlan:
    """A move under way: both places, and how far it is to come."""

    origin: PlacePlan
    target: PlacePlan
    stage: Phase
    read_only_seconds: int  # that the tenant's writes may wait at the cutover
    by: MoveMethod = MoveMethod.REPLICATION
    at: str | None = None  # of a restore: moment that the target begins with
    restored: DatabasePlan | None = None  # the pool's shard as it was then, for the target to copy from

    @property
    def live(self) -> PlacePlan:
        """Where the services find the data after this stage."""
        return self.target if self.stage.row.at_target else self.origin


def plan_places(
    settings: Settings, names: Names, registry: Registry, tenant: Tenant
) -> tuple[PlacePlan, MovePlan | None]:
    """Where the tenant's data is, and the move that it is on. Reads this tenant's entries only."""
    placement, released = registry.ledger.placements[tenant.id], tenant.phase.row.released
    if tenant.move is None:
        place = _place(settings, names, registry, tenant, tenant.placement_kind, placement.instance)
        return (_released(place, "leaving") if released is Released.ALL else place), None
    move = tenant.move
    origin = _place(settings, names, registry, tenant, move.origin, placement.instance)
    target = _restored(_place(settings, names, registry, tenant, move.to, placement.issued), origin, move.at)
    plan = MovePlan(
        origin=_released(origin, "move") if released is Released.ORIGIN else origin,
        target=_released(target, "move") if released is Released.TARGET else target,
        stage=move.stage,
        read_only_seconds=move.read_only_seconds,
        by=move.by,
        at=move.at,
        restored=_beside(settings, names, origin, tenant.id, placement.issued, move.at),
    )
    return plan.live, plan


def _beside(
    settings: Settings, names: Names, origin: PlacePlan, tenant_id: str, number: int, at: str | None
) -> DatabasePlan | None:
    """Of a shard RDS restores all tenants' rows, so nobody may live in what it makes of one."""
    if at is None or origin.silo:
        return None
    return plan_restored(settings, names, origin.database_name, tenant_id, number, at)


def _restored(target: PlacePlan, origin: PlacePlan, at: str | None) -> PlacePlan:
    """A restore asks for no key: the new instance is under its source's (RDS API reference,
    RestoreDBInstanceToPointInTime, 2026-11).
    """
    if at is None or target.silo is None or origin.silo is None:
        return target
    source = RestorePlan(origin.silo.identifier, at)
    return replace(target, silo=replace(target.silo, restore=source, key=origin.silo.key))


def _released(place: PlacePlan, why: str) -> PlacePlan:
    """What a move leaves behind, or a tenant that goes, may be deleted by the next change."""
    return replace(place, silo=replace(place.silo, released=why)) if place.silo else place


def _place(
    settings: Settings, names: Names, registry: Registry, tenant: Tenant, kind: PlacementKind, number: int
) -> PlacePlan:
    network, silo = None, None
    if kind is PlacementKind.DEDICATED:
        follows = tenant.move is not None and tenant.move.by is MoveMethod.REPLICATION
        peers = [other for other in tenant.placement_kinds if other is not kind and follows]
        network = plan_dedicated_network(tenant.id, registry.ledger.networks[tenant.id], settings, peers)
    if kind.has_own_instance:
        placement = registry.ledger.placements[tenant.id]
        silo = plan_silo(settings, names, tenant, number, network.name if network else CELL_NETWORK)
        silo = replace(silo, key=placement.stored if number == placement.instance else placement.key)
    size = silo.size if silo else Size(settings.shard_instance_class, settings.shard_storage)
    return PlacePlan(
        kind=kind,
        database_name=silo.name if silo else registry.ledger.shards[tenant.id],
        silo=silo,
        network=network,
        storage_gib=size.storage_gib,
        limits=_limits(settings, size, alone=silo is not None),
    )


def _limits(settings: Settings, size: Size, *, alone: bool) -> SqlLimits:
    """A full shard of busy tenants stays below its limit, so none of them can shut another out."""
    sharing = 1 if alone else settings.shard_capacity
    return SqlLimits(connections=max(1, int(size.max_connections * FOR_TENANTS) // sharing))
