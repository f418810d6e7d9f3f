"""Looks at a shard's sessions for a while, and ends those over their limits.

The session of the watch is open all the time: the next call of the function begins before this one ends. It
has to be, since a tenant may fill the server's table of locks, and then nobody can log in. So all is done in
one transaction: the locks that a look takes are had from the first look on, and are not asked for again. It
holds no snapshot between looks, and so keeps nothing from being cleaned (seen with 17.11).
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pg8000.exceptions import DatabaseError, InterfaceError

from functions.common.connection import BootstrapError
from functions.session_watch.limits import Excess, Limits, Looks, Session, excesses

log: Final = logging.getLogger(__name__)
TENANTS: Final = "t_"  # what the names of tenants' roles begin with, and no other's
SETTINGS: Final = (
    "SET search_path = pg_catalog",
    "SET statement_timeout = '20s'",
    "SET lock_timeout = '5s'",
    "SET idle_in_transaction_session_timeout = 0",
    "SET transaction_timeout = 0",
)
# All by functions: a view would have to be read from the catalog again whenever somebody changed that.
# A statement's temporary files have its process's number in their names (PostgreSQL 17, fd.c,
# OpenTemporaryFileInTablespace); those of parallel hashes stand in folders, and are not counted.
LOOK: Final = """
WITH seen AS MATERIALIZED (SELECT *, pg_get_userbyid(usesysid)::text AS role FROM pg_stat_get_activity(NULL)),
     locks AS (SELECT pid, count(*) AS number FROM pg_lock_status() GROUP BY pid),
     files AS (SELECT substring(name FROM '^pgsql_tmp([0-9]+)\\.')::int4 AS pid, sum(size) AS bytes
               FROM pg_ls_tmpdir() GROUP BY 1),
     workers AS (SELECT leader_pid AS pid, count(*) AS number FROM seen
                 WHERE leader_pid IS NOT NULL AND state = 'active' GROUP BY 1)
SELECT a.pid, a.role, a.backend_start,
       CASE WHEN a.state = 'active'
            THEN extract(epoch FROM clock_timestamp() - a.query_start)::int8 ELSE 0 END,
       coalesce(extract(epoch FROM clock_timestamp() - a.xact_start)::int8, 0),
       CASE WHEN a.state LIKE 'idle in transaction%'
            THEN extract(epoch FROM clock_timestamp() - a.state_change)::int8 ELSE 0 END,
       coalesce(locks.number, 0)::int8, coalesce(files.bytes, 0)::int8,
       CASE WHEN a.state = 'active' THEN 1 + coalesce(workers.number, 0) ELSE 0 END::int8
FROM seen a LEFT JOIN locks USING (pid) LEFT JOIN files USING (pid) LEFT JOIN workers USING (pid)
WHERE a.backend_type = 'client backend' AND starts_with(a.role, :tenants)"""
# Each table of the catalog, whose locks are then had with those of its indexes. What a look needs of them is
# remembered, until somebody changes the catalog and it has to be read again.
CATALOG: Final = """
SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'
AND has_any_column_privilege(oid, 'SELECT') UNION ALL SELECT 'pg_roles'"""
FIELDS: Final = (
    *("pid", "role", "started", "statement_seconds", "transaction_seconds", "idle_seconds"),
    *("locks", "temp_bytes", "processes"),
)
SLOTS: Final = """
SELECT current_setting('max_locks_per_transaction')::int8
       * (current_setting('max_connections')::int8 + current_setting('max_prepared_transactions')::int8)"""
# The one thing that the role of the watch may do; made by the bootstrap function.
END: Final = "SELECT tenantry.end_session(:pid, :started)"


class Connection(Protocol):
    """As much of pg8000's connection as is used."""

    def run(self, sql: str, /, **values: Any) -> Sequence[Sequence[Any]] | None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    connect: Callable[[], Connection]
    left: Callable[[], bool]  # whether another look is to be
    pause: Callable[[], None]
    ended: Callable[[Excess], None]  # says so, where people and alarms find it


def watch(limits: Limits, tools: Tools) -> int:
    """How often somebody looked. A session that was lost is opened again, if there is one to be had."""
    looks, in_a_row = 0, Looks()
    session: Connection | None = None
    try:
        while tools.left():
            try:
                session = session or _open(tools)
                look(session, limits, in_a_row, tools.ended)
                looks += 1
            except (BootstrapError, DatabaseError, InterfaceError, OSError) as failure:
                log.warning("a look failed: %s", failure)
                session = _kept(session)
            tools.pause()
    finally:
        _close(session)
    return looks


def _open(tools: Tools) -> Connection:
    session = tools.connect()
    try:
        for statement in (*SETTINGS, "BEGIN READ ONLY"):
            session.run(statement)
        for (table,) in session.run(CATALOG) or ():
            session.run(f"SELECT FROM {table} LIMIT 0")
        _read(session)
        session.run(END, pid=0, started=None)
        session.run("SAVEPOINT looked")  # a look that fails gives back no lock that was had before it
    except (DatabaseError, InterfaceError, OSError):
        _close(session)
        raise
    return session


def _kept(session: Connection | None) -> Connection | None:
    if session is None:
        return None
    try:
        session.run("ROLLBACK TO SAVEPOINT looked")
    except (DatabaseError, InterfaceError, OSError):
        _close(session)
        return None
    return session


def _close(session: Connection | None) -> None:
    with suppress(InterfaceError, OSError):
        if session:
            session.close()


def look(session: Connection, limits: Limits, looks: Looks, ended: Callable[[Excess], None]) -> None:
    """Once."""
    found, slots = _read(session)
    for excess in excesses(found, limits, slots, looks):
        if session.run(END, pid=excess.session.pid, started=excess.session.started) == [[True]]:
            ended(excess)


def _read(session: Connection) -> tuple[Sequence[Session], int]:
    """The tenants' sessions, and how many locks the server has room for."""
    session.run("SELECT pg_stat_clear_snapshot()")  # or it would be that of the transaction's first look
    rows = session.run(LOOK, tenants=TENANTS) or ()
    ((slots,),) = session.run(SLOTS) or ((0,),)
    return [Session(**dict(zip(FIELDS, row, strict=True))) for row in rows], slots
