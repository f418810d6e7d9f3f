"""Databases: the cell's own, the pool's shards, the silos."""

from dataclasses import dataclass, replace
from enum import StrEnum

from plan.names import Names
from plan.settings import Settings
from tenants.models import Registry, Tenant

CELL_NETWORK = "cell"


class Master(StrEnum):
    """Who holds the password of a database's master user."""

    MANAGED = "managed"  # RDS makes and rotates it; not possible on the source of a read replica
    PROGRAM = "program"  # this program makes it


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database stands: its network, the segment of it, and its group in the table of paths."""

    segment: str
    group: str
    network: str = CELL_NETWORK


@dataclass(frozen=True, slots=True)
class Size:
    instance_class: str
    storage_gib: int

    @property
    def max_storage_gib(self) -> int:
        """Storage grows by itself up to here."""
        return 4 * self.storage_gib


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabasePlan:
    """One PostgreSQL instance. `name` is its identity in the program, `identifier` in AWS."""

    name: str  # monolith, reports, shard-a, silo-acme
    identifier: str
    place: Place
    size: Size
    multi_az: bool
    backup_days: int
    protect: bool
    replicas: int = 0
    master: Master = Master.MANAGED
    owner: str | None = None  # the tenant whose key encrypts it; None: a key of its own


def _database(settings: Settings, names: Names, name: str, place: Place, size: Size) -> DatabasePlan:
    return DatabasePlan(
        name=name,
        identifier=names.label("database", name),
        place=place,
        size=size,
        multi_az=settings.multi_az,
        backup_days=settings.backup_days,
        protect=settings.protect_data,
    )


def plan_monolith_database(settings: Settings, names: Names) -> DatabasePlan:
    size = Size(settings.monolith_instance_class, settings.monolith_storage)
    return _database(settings, names, "monolith", Place("monolith-data", "monolith-db"), size)


def plan_reports_database(settings: Settings, names: Names) -> DatabasePlan:
    """RDS refuses replicas of a PostgreSQL source whose master password it manages, hence `PROGRAM`.

    It is so without replicas too, so that adding the first one changes nothing else.
    """
    size = Size(settings.reports_instance_class, settings.reports_storage)
    database = _database(settings, names, "reports", Place("reports-data", "reports-db"), size)
    return replace(database, replicas=settings.reports_replicas, master=Master.PROGRAM)


def plan_shards(settings: Settings, names: Names, registry: Registry) -> tuple[DatabasePlan, ...]:
    """One instance for each shard that holds a tenant of the registry."""
    size = Size(settings.shard_instance_class, settings.shard_storage)
    ids = {t.id for t in registry.tenants}
    used = sorted({shard for tenant, shard in registry.ledger.shards.items() if tenant in ids})
    return tuple(_database(settings, names, s, Place("pool-data", "pool-db"), size) for s in used)


def plan_silo(settings: Settings, names: Names, tenant: Tenant, network: str) -> DatabasePlan:
    """The instance of a siloed tenant, under the tenant's own key."""
    override = tenant.overrides
    size = Size(
        override.instance_class or settings.silo_instance_class,
        override.storage_gib or settings.silo_storage,
    )
    place = Place("silo-data", "silo-db", network)
    silo = _database(settings, names, f"silo-{tenant.id}", place, size)
    days = max(override.backup_days or 0, settings.backup_days)
    return replace(silo, backup_days=days, owner=tenant.id)
