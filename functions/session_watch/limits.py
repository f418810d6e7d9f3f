"""What a tenant may take of a shard, and which of its sessions take more.

Bound to the role at login are times of statements and transactions, which a tenant lifts by a SET of its
own. PostgreSQL offers no limit of locks, of temporary files of all sessions together, or of processors. So
these are looked at from outside. A session is told by the role that it logged in as, which nothing of the
tenant's changes.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one tenant, in all of its sessions together where nothing else is said."""

    statement_seconds: int  # of each session
    transaction_seconds: int  # of each session
    idle_seconds: int  # in a transaction, of each session
    lock_percent: int  # of the server's table of locks
    temp_mib: int  # of temporary files
    active: int  # processes that run something at once, parallel workers too
    active_looks: int  # at which there may be more


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One of a tenant's, as a look finds it; nothing of what it runs."""

    pid: int
    role: str
    started: datetime
    statement_seconds: int  # 0: it runs none
    transaction_seconds: int  # 0: it has none
    idle_seconds: int  # in a transaction; 0: it is not
    locks: int
    temp_bytes: int
    processes: int  # that run its statement: itself, unless it waits for a lock, and its parallel workers
    waits: bool  # for a lock, which may be another tenant's doing


@dataclass(frozen=True, slots=True)
class Excess:
    """A session that is to end, and why. `measured` is the session's or, of shares, its tenant's."""

    session: Session
    case: str
    measured: int
    limit: int


@dataclass
class Looks:
    """At how many looks each tenant ran too much at once; one at which it did not makes up for another."""

    busy: Counter[str] = field(default_factory=Counter[str])

    def note(self, busy: Iterable[str], most: int) -> None:
        """More than `most` looks are not counted."""
        now = set(busy)
        counts = {r: self.busy[r] + (1 if r in now else -1) for r in self.busy.keys() | now}
        self.busy = Counter({role: min(count, most) for role, count in counts.items() if count > 0})


Measure = Callable[[Session], int]
# case → what a session has of it, and the limit.
OF_SESSIONS: Final[Mapping[str, tuple[Measure, Callable[[Limits], int]]]] = {
    "statement": (lambda s: s.statement_seconds, lambda limits: limits.statement_seconds),
    "transaction": (lambda s: s.transaction_seconds, lambda limits: limits.transaction_seconds),
    "idle in transaction": (lambda s: s.idle_seconds, lambda limits: limits.idle_seconds),
}
LOCKS, TEMP, ACTIVE = "locks", "temporary files", "active"


def excesses(sessions: Sequence[Session], limits: Limits, lock_slots: int, looks: Looks) -> Iterator[Excess]:
    """Each session at most once, for the first reason that there is."""
    ended: set[int] = set()
    for excess in _all(sessions, limits, lock_slots, looks):
        if excess.session.pid not in ended:
            ended.add(excess.session.pid)
            yield excess


def _all(sessions: Sequence[Session], limits: Limits, lock_slots: int, looks: Looks) -> Iterator[Excess]:
    for case, (measure, limit) in OF_SESSIONS.items():
        for session in sessions:
            if measure(session) > limit(limits):
                yield Excess(session, case, measure(session), limit(limits))
    most_locks = lock_slots * limits.lock_percent // 100
    yield from _shares(sessions, LOCKS, lambda s: s.locks, most_locks)
    yield from _shares(sessions, TEMP, lambda s: s.temp_bytes, limits.temp_mib << 20)
    busy = list(_shares(sessions, ACTIVE, lambda s: s.processes, limits.active))
    looks.note((excess.session.role for excess in busy), limits.active_looks + 1)
    yield from (e for e in busy if looks.busy[e.session.role] > limits.active_looks)


def _shares(sessions: Sequence[Session], case: str, measure: Measure, limit: int) -> Iterator[Excess]:
    """Of each tenant that has too much, the sessions that have most of it, until the rest is no more."""
    of_tenant: defaultdict[str, list[Session]] = defaultdict(list)
    for session in sessions:
        of_tenant[session.role].append(session)
    for own in of_tenant.values():
        most = sorted(own, key=lambda s: (-measure(s), -s.statement_seconds, s.pid))
        total = sum(map(measure, most))
        gone = accumulate((measure(s) for s in most), initial=0)
        yield from (
            Excess(session, case, total, limit)
            for session, before in zip(most, gone, strict=False)
            if total - before > limit
        )
