"""What a tenant may take of a database that it shares: each limit, who holds it, whether the tenant lifts it.

What a role can lift by a SET, or by an ALTER ROLE of its own, is no limit: it is there so that who keeps to
it meets an error of one statement, and somebody looks from outside for those who do not
(functions/session_watch). `tests/data/test_tenant_limits.py` compares the last column with a real server.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from plan.data.databases import DatabasePlan


class Holder(StrEnum):
    """Who makes a limit hold."""

    SERVER = "server"  # by a parameter, or an attribute of the role
    WATCH = "watch"  # functions/session_watch, above the limit that is bound at login if there is one


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantLimit:
    takes: str
    setting: str | None  # PostgreSQL's, None where it has none
    lifted: bool  # whether the tenant's role may change that
    holder: Holder
    why: str


TENANT_LIMITS: Final = (
    TenantLimit(
        takes="sessions",
        setting=None,
        lifted=False,
        holder=Holder.SERVER,
        why="CONNECTION LIMIT, the role's attribute: all tenants of a full shard take four fifths at most;"
        " the watch lowers that for a while where sessions are ended again and again",
    ),
    TenantLimit(
        takes="temporary files of a process",
        setting="temp_file_limit",
        lifted=False,
        holder=Holder.SERVER,
        why="a sort or a hash that fills the disk stops everybody",
    ),
    TenantLimit(
        takes="temporary files of all its sessions",
        setting=None,
        lifted=False,
        holder=Holder.WATCH,
        why="each session and each parallel worker has the limit above for itself",
    ),
    TenantLimit(
        takes="locks",
        setting="max_locks_per_transaction",
        lifted=False,
        holder=Holder.WATCH,
        why="this is the size of the table that all sessions share, and no limit of one: it only takes longer"
        " to fill",
    ),
    TenantLimit(
        takes="seconds of a statement",
        setting="statement_timeout",
        lifted=True,
        holder=Holder.WATCH,
        why="bound at login",
    ),
    TenantLimit(
        takes="seconds of a transaction",
        setting="transaction_timeout",
        lifted=True,
        holder=Holder.WATCH,
        why="bound at login; an open one holds back the cleaning of everybody's tables, and new slots",
    ),
    TenantLimit(
        takes="seconds idle in a transaction",
        setting="idle_in_transaction_session_timeout",
        lifted=True,
        holder=Holder.WATCH,
        why="bound at login, and a parameter for everybody else",
    ),
    TenantLimit(
        takes="memory of a sort or a hash",
        setting="work_mem",
        lifted=True,
        holder=Holder.SERVER,
        why="nothing bounds it but the number of sessions and of processes below",
    ),
    TenantLimit(
        takes="processes that run something at once",
        setting="max_parallel_workers_per_gather",
        lifted=True,
        holder=Holder.WATCH,
        why="parallel workers count; beside one for each processor a neighbour has half of one at least",
    ),
)

STATEMENT_SECONDS: Final = 60
TRANSACTION_SECONDS: Final = 300
IDLE_SECONDS: Final = 60  # in a transaction
LOCK_PERCENT: Final = 25
TEMP_PERCENT: Final = 10  # of the storage that the database began with
ACTIVE_LOOKS: Final = 3  # a burst is let be
MARGIN: Final = 1.25  # who keeps to what is bound at login is never ended from outside


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """What the watch of a shard is told."""

    statement_seconds: int
    transaction_seconds: int
    idle_seconds: int
    lock_percent: int
    temp_mib: int
    active: int
    active_looks: int = ACTIVE_LOOKS


def session_limits(shard: DatabasePlan) -> SessionLimits:
    return SessionLimits(
        statement_seconds=int(STATEMENT_SECONDS * MARGIN),
        transaction_seconds=int(TRANSACTION_SECONDS * MARGIN),
        idle_seconds=int(IDLE_SECONDS * MARGIN),
        lock_percent=LOCK_PERCENT,
        temp_mib=shard.size.storage_gib * 1024 * TEMP_PERCENT // 100,
        active=shard.size.vcpus,
    )
