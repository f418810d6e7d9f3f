"""Looks at a shard's sessions for a while, and ends those over their limits.

The session of the watch is open all the time: the next call of the function begins before this one ends. It
has to be, since a tenant may fill the server's table of locks, and then nobody can log in. So all is done in
one transaction: the locks that a look takes are had from the first look on, and are not asked for again. It
holds no snapshot between looks, and so keeps nothing from being cleaned (seen with 17.11).

A tenant whose sessions are ended again and again comes back each time, so it loses sessions of its share for
a while (`functions.tenant_bootstrap.watch_rights`). That changes its role, and is done in a second session.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pg8000.exceptions import DatabaseError, InterfaceError

from functions.common.connection import BootstrapError, server_code
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
# A function may be called without a statement, by a message of the protocol's own ("fastpath").
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
       CASE WHEN a.state = 'active' THEN extract(epoch FROM clock_timestamp() - a.query_start)::int8
            WHEN a.state LIKE 'fastpath%' THEN extract(epoch FROM clock_timestamp() - a.state_change)::int8
            ELSE 0 END,
       coalesce(extract(epoch FROM clock_timestamp() - a.xact_start)::int8, 0),
       CASE WHEN a.state LIKE 'idle in transaction%'
            THEN extract(epoch FROM clock_timestamp() - a.state_change)::int8 ELSE 0 END,
       coalesce(locks.number, 0)::int8, coalesce(files.bytes, 0)::int8,
       CASE WHEN a.state = 'active' OR a.state LIKE 'fastpath%'
            THEN (a.wait_event_type IS DISTINCT FROM 'Lock')::int4 + coalesce(workers.number, 0)
            ELSE 0 END::int8,
       a.wait_event_type IS NOT DISTINCT FROM 'Lock'
FROM seen a LEFT JOIN locks USING (pid) LEFT JOIN files USING (pid) LEFT JOIN workers USING (pid)
WHERE a.backend_type = 'client backend' AND starts_with(a.role, :tenants)"""
# Each table of the catalog, whose locks are then had with those of its indexes. What a look needs of them is
# remembered, until somebody changes the catalog and it has to be read again.
CATALOG: Final = """
SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'
AND has_any_column_privilege(oid, 'SELECT') UNION ALL SELECT 'pg_roles'"""
FIELDS: Final = (
    *("pid", "role", "started", "statement_seconds", "transaction_seconds", "idle_seconds"),
    *("locks", "temp_bytes", "processes", "waits"),
)
SLOTS: Final = """
SELECT current_setting('max_locks_per_transaction')::int8
       * (current_setting('max_connections')::int8 + current_setting('max_prepared_transactions')::int8)"""
# What the role of the watch may do; made by the bootstrap function.
END: Final = "SELECT tenantry.end_session(:pid, :started)"
LOWER: Final = "SELECT tenantry.lower_connections(:tenant, :wanted)"
RESTORE: Final = "SELECT tenantry.restore_connections(:tenant)"
DUE: Final = "SELECT role::text FROM tenantry.connection_shares WHERE until <= clock_timestamp()"
# Of the second session. A tenant may hold its role's row by an open transaction: nobody waits for it.
QUICK: Final = ("SET search_path = pg_catalog", "SET statement_timeout = '5s'", "SET lock_timeout = '300ms'")
HELD: Final = "55P03"  # lock_not_available
TRIES: Final = 3


class Connection(Protocol):
    """As much of pg8000's connection as is used."""

    def run(self, sql: str, /, **values: Any) -> Sequence[Sequence[Any]] | None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Share:
    """A tenant has fewer sessions than its share from now on, or all of them again."""

    role: str
    connections: int
    lowered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    connect: Callable[[], Connection]
    left: Callable[[], bool]  # whether another look is to be
    pause: Callable[[], None]
    ended: Callable[[Excess], None]  # says so, where people and alarms find it
    shared: Callable[[Share], None]  # so does this


def watch(limits: Limits, tools: Tools) -> int:
    """How often somebody looked. A session that was lost is opened again, if there is one to be had."""
    looks, busy, shares = 0, Looks(), Shares(tools, max(1, limits.active // 2))
    session: Connection | None = None
    try:
        while tools.left():
            try:
                session = session or _open(tools)
                again = look(session, limits, busy, tools.ended)
                looks += 1
                shares.change(session, again)
            except (BootstrapError, DatabaseError, InterfaceError, OSError) as failure:
                log.warning("a look failed: %s", failure)
                session = _kept(session)
            tools.pause()
    finally:
        _close(session)
        shares.close()
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


def look(session: Connection, limits: Limits, looks: Looks, ended: Callable[[Excess], None]) -> set[str]:
    """Once. Returns the tenants of which sessions were ended for what they did themselves."""
    found, slots = _read(session)
    own = set[str]()
    for excess in excesses(found, limits, slots, looks):
        if _end(session, excess.session):
            ended(excess)
            # Who waits for a lock may wait for another tenant's: advisory ones are the whole database's.
            own |= set() if excess.session.waits else {excess.session.role}
    return own


def _end(session: Connection, one: Session) -> bool:
    return session.run(END, pid=one.pid, started=one.started) == [[True]]


def _read(session: Connection) -> tuple[Sequence[Session], int]:
    """The tenants' sessions, and how many locks the server has room for."""
    session.run("SELECT pg_stat_clear_snapshot()")  # or it would be that of the transaction's first look
    rows = session.run(LOOK, tenants=TENANTS) or ()
    ((slots,),) = session.run(SLOTS) or ((0,),)
    return [Session(**dict(zip(FIELDS, row, strict=True))) for row in rows], slots


@dataclass
class Shares:
    """Changes tenants' numbers of sessions, in a session of its own, which a look does not need."""

    tools: Tools
    wanted: int  # that a tenant is to have at most, once it loses some
    session: Connection | None = None

    def change(self, watcher: Connection, again: set[str]) -> None:
        """Lower those of `again`, if that is their turn, and give back to whom it is due."""
        try:
            session = self.session = self.session or self._opened()
            for role in sorted(again):
                self._lower(session, watcher, role)
            for (role,) in session.run(DUE) or ():
                self._restore(session, role)
        except (BootstrapError, DatabaseError, InterfaceError, OSError) as failure:
            log.warning("shares of connections were not changed: %s", failure)
            self.close()

    def _opened(self) -> Connection:
        session = self.tools.connect()
        for statement in QUICK:
            session.run(statement)
        return session

    def _lower(self, session: Connection, watcher: Connection, role: str) -> None:
        """Whatever of the tenant's holds its role's row is ended."""
        for _ in range(TRIES):
            try:
                self._say(session.run(LOWER, tenant=role, wanted=self.wanted), role, lowered=True)
                return
            except DatabaseError as refusal:
                if server_code(refusal) != HELD:
                    raise
            for one in _read(watcher)[0]:
                if one.role == role:
                    _end(watcher, one)
        log.warning("the connections of %s are not lowered: it holds its role's row", role)

    def _restore(self, session: Connection, role: str) -> None:
        with suppress(DatabaseError):  # its own transaction may hold its row, and nobody else's turn
            self._say(session.run(RESTORE, tenant=role), role, lowered=False)

    def _say(self, found: Sequence[Sequence[Any]] | None, role: str, *, lowered: bool) -> None:
        ((now_has,),) = found or ((None,),)
        if now_has is not None:
            self.tools.shared(Share(role, now_has, lowered))

    def close(self) -> None:
        _close(self.session)
        self.session = None
