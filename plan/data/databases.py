"""Plans of databases: the cell's own, the shards of the pool, the silos."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from plan.names import LIMITS, Names, fit
from plan.settings import Settings
from tenants.models import Registry, Tenant

CELL_NETWORK: Final = "cell"
SHARD: Final = "shard-"  # what the names of shards begin with, in the ledger too

# The major version alone: RDS chooses the minor one and raises it in the maintenance window.
ENGINE_VERSION: Final = "17"
PARAMETER_FAMILY: Final = f"postgres{ENGINE_VERSION}"
CA_CERTIFICATE: Final = "rds-ca-rsa2048-g1"  # ends 2061; the bootstrap function trusts this family of roots
MASTER_USER: Final = "platform"
RESTORE: Final = "restore"
TENANT_DATABASE: Final = "tenants"  # in shards and silos alike, so that a tenant can move between them
BACKUP_WINDOW: Final = "01:00-02:00"  # UTC; must not touch the maintenance window
MAINTENANCE_WINDOW: Final = "sun:03:00-sun:04:00"
# The tag by which the backup plan finds what it saves: writers, for a reader has nothing of its own.
BACKED_UP: Final[Mapping[str, str]] = {"backup": "daily"}


class Master(StrEnum):
    """Who holds the password of a database's master user."""

    MANAGED = "managed"  # RDS makes and rotates it; not possible on the source of a read replica
    PROGRAM = "program"  # this program makes it


@dataclass(frozen=True, slots=True)
class NetworkLocation:
    """Where a database stands: its network, the segment of it, and its group in the table of paths."""

    segment: str
    group: str
    network: str = CELL_NETWORK


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of the parameter group.

    A static one takes effect at the next reboot. One that has its default anyway RDS does not modify, and
    answers as one that waits for a reboot: asked for at once, it would differ for ever
    (sandbox/aws/differences.yaml).
    """

    name: str
    value: str
    static: bool = False
    default: bool = False

    @property
    def apply_method(self) -> str:
        return "pending-reboot" if self.static or self.default else "immediate"


# One group for all databases of a cell: 50 groups per Region (RDS quotas, 2026-11).
PARAMETERS: Final = (
    Parameter("rds.force_ssl", "1", default=True),
    Parameter("rds.logical_replication", "1", static=True),  # ready for moving a tenant, and for Zero-ETL
    Parameter("rds.accepted_password_auth_method", "scram"),
    Parameter("password_encryption", "scram-sha-256", default=True),
    Parameter("log_connections", "1"),
    Parameter("log_disconnections", "1"),
    Parameter("log_statement", "ddl"),
    Parameter("log_min_duration_statement", "1000"),  # ms
    Parameter("log_lock_waits", "1"),
    Parameter("log_temp_files", "10240"),  # KiB
    # Values bound to statements are customers' data and stay out of the logs.
    Parameter("log_parameter_max_length", "0"),
    Parameter("log_parameter_max_length_on_error", "0", default=True),
    Parameter("idle_in_transaction_session_timeout", "300000"),  # ms
    # Of each process, KiB; no role but a superuser lifts it, so an index that a move builds has to fit too
    # (RDS user guide, "Managing temporary files with PostgreSQL", 2026-11).
    Parameter("temp_file_limit", "20971520"),
    # The lock table is for all sessions: this times max_connections. The default of 64 is too few for dumps
    # and moves of schemas with many tables beside one another. It is no limit of a tenant's.
    Parameter("max_locks_per_transaction", "256", static=True),
)

# GiB of memory of the `large` size by family, and of each size in larges (RDS instance types, 2026-11).
_LARGE_GIB: Final[Mapping[str, int]] = {"t": 8, "m": 8, "r": 16, "x": 32}
_IN_LARGES: Final[Mapping[str, float]] = {"micro": 1 / 8, "small": 1 / 4, "medium": 1 / 2, "large": 1}
_BYTES_PER_CONNECTION: Final = 9_531_392  # default of max_connections: memory / this, at most 5,000


@dataclass(frozen=True, slots=True)
class Size:
    instance_class: str
    storage_gib: int

    @property
    def max_storage_gib(self) -> int:
        """Storage grows by itself up to here."""
        return 4 * self.storage_gib

    @property
    def memory_gib(self) -> float:
        """Memory of the instance class; a family that the table does not know counts as the smallest."""
        family, size = self.instance_class.removeprefix("db.").split(".")
        return _LARGE_GIB.get(family[0], 8) * _larges(size)

    @property
    def max_connections(self) -> int:
        """What RDS for PostgreSQL allows by default on this class."""
        return min(int(self.memory_gib * 2**30 / _BYTES_PER_CONNECTION), 5000)

    @property
    def vcpus(self) -> int:
        """Two of a `large` and of all below, four of an `xlarge`."""
        return max(2, int(2 * _larges(self.instance_class.removeprefix("db.").split(".")[1])))

    @property
    def burstable(self) -> bool:
        return self.instance_class.startswith("db.t")


def _larges(size: str) -> float:
    """`large` is 1, `xlarge` 2, `4xlarge` 8; what the table does not know counts as one."""
    count = re.fullmatch(r"([0-9]*)xlarge", size)
    return 2 * int(count[1] or 1) if count else _IN_LARGES.get(size, 1)


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What an instance begins as: another one at a moment, which lends it its key too."""

    source: str  # identifier
    at: str  # RFC 3339, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabasePlan:
    """One PostgreSQL instance. `name` is its identity in the program, `identifier` in AWS."""

    name: str  # monolith, reports, shard-a, silo-acme
    identifier: str
    readers_head: str  # what identifiers of its read replicas begin with
    database: str  # the one database made in it
    place: NetworkLocation
    size: Size
    multi_az: bool
    backup_days: int
    protect: bool
    replicas: int = 0
    password_generation: int = 1  # of a master password that this program makes
    master: Master = Master.MANAGED
    owner: str | None = None  # the tenant whose it is, or for whom it is restored; None: several share it
    key: int = 1  # which of the owner's keys, and for ever
    restore: RestorePlan | None = None  # said until the restore is over; it was one for ever
    # Why a later change may delete it: its tenant has let it go by a `move` or by `leaving`, or it stands for
    # the days of a `restore` alone. None: it is in use.
    released: str | None = None

    @property
    def guarded(self) -> bool:
        """Whether the engine and RDS refuse to delete it."""
        return self.protect and not self.released

    @property
    def snapshot(self) -> bool:
        """Whether its end leaves a snapshot and its backups. Under a key that is gone none can be made, and
        what is there for a restore has its rows from backups.
        """
        return self.protect and self.released not in ("leaving", RESTORE)

    @property
    def copied(self) -> bool:
        """Whether its backups are worth a copy in a second Region, where there is one."""
        return self.released != RESTORE

    @property
    def readers(self) -> Mapping[str, str]:
        """Read replicas, name → identifier. They are alike, so counting them moves nobody's data.

        The word comes first: a silo may be named `silo-acme`, and so may one of tenant `acme-reader-a`.
        """
        return _readers(self.readers_head, self.name, self.replicas)

    @property
    def log_groups(self) -> Mapping[str, str]:
        """The logs that RDS exports → the groups that it writes them to, named by RDS and not by us."""
        return log_group_names(self.identifier)


def log_group_names(identifier: str) -> Mapping[str, str]:
    """Log that RDS exports → its group, of an instance."""
    return {log: f"/aws/rds/instance/{identifier}/{log}" for log in ("postgresql", "upgrade")}


def reader_identifiers(names: Names, name: str, count: int) -> Mapping[str, str]:
    """`DatabasePlan.readers` of a database of that name, for who has no plan of it."""
    return _readers(_readers_head(names), name, count)


def _readers_head(names: Names) -> str:
    return names.label("database", "reader")


def _readers(head: str, name: str, count: int) -> Mapping[str, str]:
    letters = "abcdefghijklmno"[:count]
    return {f"reader-{x}-{name}": fit(f"{head}-{x}-{name}", LIMITS["database"]) for x in letters}


def _database(
    settings: Settings, names: Names, name: str, place: NetworkLocation, size: Size
) -> DatabasePlan:
    """A shard or a silo, unless what is put over it says otherwise."""
    return DatabasePlan(
        name=name,
        identifier=names.label("database", name),
        readers_head=_readers_head(names),
        database=TENANT_DATABASE,
        place=place,
        size=size,
        multi_az=settings.multi_az,
        backup_days=settings.backup_days,
        protect=settings.protect_data,
        password_generation=settings.database_passwords,
    )


def plan_monolith_database(settings: Settings, names: Names) -> DatabasePlan:
    size = Size(settings.monolith_instance_class, settings.monolith_storage)
    database = _database(settings, names, "monolith", NetworkLocation("monolith-data", "monolith-db"), size)
    return replace(database, database="monolith")


def plan_reports_database(settings: Settings, names: Names) -> DatabasePlan:
    """RDS refuses replicas of a PostgreSQL source whose master password it manages, hence `PROGRAM`.

    It is so without replicas too, so that adding the first one changes nothing else.
    """
    size = Size(settings.reports_instance_class, settings.reports_storage)
    database = _database(settings, names, "reports", NetworkLocation("reports-data", "reports-db"), size)
    return replace(database, database="reports", replicas=settings.reports_replicas, master=Master.PROGRAM)


def plan_shards(settings: Settings, names: Names, registry: Registry) -> tuple[DatabasePlan, ...]:
    """One instance for each shard that holds a tenant or has held one: an emptied one waits for the next."""
    size = Size(settings.shard_instance_class, settings.shard_storage)
    rested = {place.partition("/")[0] for place in registry.ledger.resting if place.startswith(SHARD)}
    used = sorted({*registry.ledger.shards.values(), *rested})
    return tuple(_database(settings, names, s, NetworkLocation("pool-data", "pool-db"), size) for s in used)


def plan_restored(
    settings: Settings, names: Names, shard: str, tenant_id: str, number: int, at: str
) -> DatabasePlan:
    """A tenant's shard as it was at a moment, beside it and under its key, until the tenant's rows are out.

    `number` is that of the instance that gets them.
    """
    size = Size(settings.shard_instance_class, settings.shard_storage)
    name = restored_name(tenant_id, number)
    made = _database(settings, names, name, NetworkLocation("pool-data", "pool-db"), size)
    source = RestorePlan(names.label("database", shard), at)
    return replace(made, owner=tenant_id, restore=source, released=RESTORE)


def silo_name(tenant_id: str, number: int) -> str:
    """`silo-acme`, the next one `silo2-acme`: no instance takes an earlier one's name, whose last snapshot,
    backups and secret outlive it. The number comes first, since another tenant may be called `acme-2`.
    """
    return f"silo{number if number > 1 else ''}-{tenant_id}"


def restored_name(tenant_id: str, number: int) -> str:
    """What is restored for that silo to copy from."""
    return f"restored{number if number > 1 else ''}-{tenant_id}"


def plan_silo(settings: Settings, names: Names, tenant: Tenant, number: int, network: str) -> DatabasePlan:
    """An instance of a siloed tenant, under the tenant's own key; `number` is the ledger's."""
    override = tenant.overrides
    size = Size(
        override.instance_class or settings.silo_instance_class,
        override.storage_gib or settings.silo_storage,
    )
    place = NetworkLocation("silo-data", "silo-db", network)
    silo = _database(settings, names, silo_name(tenant.id, number), place, size)
    days = max(override.backup_days or 0, settings.backup_days)
    replicas = override.report_replicas or 0
    return replace(
        silo,
        backup_days=days,
        owner=tenant.id,
        replicas=replicas,
        master=Master.PROGRAM if replicas else Master.MANAGED,
    )
