"""Who holds what an administrator's session waits for: never without end, always by name.

A tenant's open transaction can hold rows of the catalog: of its role and settings by ALTER ROLE, and even of
its schema and of the database that all share, by a GRANT that grants nothing. PostgreSQL warns of it and
writes the row all the same (PostgreSQL 17, aclchk.c, ExecGrant_common; seen with 17.11). So what changes
roles ends the tenants' sessions that hold it up; what copies rows has to wait for transactions, and says
whose they are.
"""

import logging
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pg8000.exceptions import DatabaseError, InterfaceError

from functions.common.connection import BootstrapError, server_code

log: Final = logging.getLogger(__name__)
LOCK_SECONDS: Final = (
    10  # that a statement waits for a lock; below the seconds for an answer of each connection
)
LOCK_TIMEOUT: Final = f"SET lock_timeout = '{LOCK_SECONDS}s'"
LOCK_NOT_AVAILABLE: Final = "55P03"
PATIENT: Final = 1.0  # seconds that a session waits before somebody looks for whom
PAUSE: Final = 0.25  # seconds between looks
NAMED: Final = 3
TENANTS: Final = "t_"  # what the names of tenants' roles begin with, and no other's

_ABOUT: Final = """
SELECT a.pid, coalesce(a.usename, a.backend_type),
       coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::int8
FROM pg_stat_activity a WHERE {} ORDER BY a.xact_start"""
# Exactly those that a process waits for.
_OF_PROCESS: Final = "a.pid = ANY (pg_blocking_pids(CAST(:pid AS int4)))"
# Exactly those that a role's processes wait for, such as the sender of a first copy.
_OF_ROLE: Final = """
a.pid IN (SELECT unnest(pg_blocking_pids(w.pid)) FROM pg_stat_activity w WHERE w.usename = :role)"""
# After a wait was given up nobody waits any more: who may have been the reason is whoever writes, or holds a
# lock on something of the schema.
_LIKELY: Final = """
a.pid <> pg_backend_pid() AND (a.backend_xid IS NOT NULL OR EXISTS (
    SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE l.pid = a.pid AND l.granted AND c.relnamespace = to_regnamespace(:schema)
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))"""


class Session(Protocol):
    """As much of pg8000's connection as is used."""

    def run(self, sql: str, /, **values: Any) -> Sequence[Sequence[Any]] | None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session, as much of it as may be shown: never what it runs, which holds customers' data."""

    pid: int
    role: str  # or what kind of process it is
    seconds: int  # that its transaction is old

    def __str__(self) -> str:
        return f"process {self.pid} of {self.role}, {self.seconds} s in its transaction"


def sentence(blockers: Sequence[Blocker]) -> str:
    """The oldest of them, for people."""
    if not blockers:
        return "nobody who is still there"
    more = f" and {len(blockers) - NAMED} more" if len(blockers) > NAMED else ""
    return "; ".join(map(str, blockers[:NAMED])) + more


def blockers_of_role(session: Session, role: str) -> Sequence[Blocker]:
    return _read(session, _OF_ROLE, role=role)


def likely_blockers(session: Session, schema: str) -> Sequence[Blocker]:
    """Ends the transaction in which the wait was given up."""
    session.run("ROLLBACK")
    return _read(session, _LIKELY, schema=schema)


def _read(session: Session, which: str, **values: Any) -> Sequence[Blocker]:
    """The oldest first."""
    return [Blocker(*row) for row in session.run(_ABOUT.format(which), **values) or ()]


@contextmanager
def not_held_up(session: Session, again: Callable[[], Session], tenant: str) -> Generator[None]:
    """Whatever `session` waits for, no tenant keeps it waiting: sessions of tenants that do are ended.

    `again` opens another session of the same administrator, and is called only where somebody waits. Raises
    `BootstrapError` with their names where others hold what is waited for, after `LOCK_SECONDS`.
    """
    ((pid,),) = session.run("SELECT pg_backend_pid()") or [[0]]
    session.run(LOCK_TIMEOUT)
    over, seen = threading.Event(), dict[int, Blocker]()
    watch = threading.Thread(target=_end_tenants, args=(pid, again, over, seen), daemon=True)
    watch.start()
    try:
        yield
    except DatabaseError as refusal:
        if server_code(refusal) != LOCK_NOT_AVAILABLE:
            raise
        who = sentence(list(seen.values()))
        raise BootstrapError(f"tenant {tenant}: waited {LOCK_SECONDS} s for {who}") from None
    finally:
        over.set()
        watch.join()


def _end_tenants(
    pid: int, again: Callable[[], Session], over: threading.Event, seen: dict[int, Blocker]
) -> None:
    if over.wait(PATIENT):
        return
    try:
        with closing(again()) as session:
            while not over.wait(PAUSE):
                for one in _read(session, _OF_PROCESS, pid=pid):
                    seen[one.pid] = one
                    if one.role.startswith(TENANTS):
                        log.warning("ended, as the administrator waited for it: %s", one)
                        session.run("SELECT pg_terminate_backend(:pid, 1000)", pid=one.pid)
    except (BootstrapError, DatabaseError, InterfaceError, OSError) as failure:
        log.warning("nobody can look what a session waits for: %s", type(failure).__name__)
