"""A quiet tenant's answers, alone and beside a hostile neighbour of its shard, with the limits in force.

`python -m tests.bench.neighbours`. Alone and beside alternate, so that a busy machine is busy in both. The
neighbour's clients are sessions of processes of their own, since they would run on other machines: Linux
shares processors among those first (sched(7), "The autogroup feature").
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from typing import Final

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import literal

from functions.common.connection import TenantDatabase
from functions.session_watch.handler import USER, carry_out
from functions.session_watch.limits import Limits
from functions.session_watch.request import Request
from tests.data.server import MASTER, PASSWORD, SETTINGS, Server, running
from tests.data.shard import Shard
from tests.rows import rows_of

ROUNDS: Final = 4
SECONDS: Final = 2.5  # of each side of a round
SETTLES: Final = 8.0  # seconds at most, until the neighbour has lost sessions of its share
LONGEST: Final = 600  # seconds that the watch looks, unless it is ended
CONNECTIONS: Final = 36  # a tenant's share
ROWS: Final = 200_000
QUIET: Final = {
    "by key": "SELECT payer FROM ledger WHERE id = {}",
    "report": "SELECT count(*), max(payer) FROM ledger WHERE id % 7 = {} % 7",
}
LIFTS: Final = ("SET statement_timeout = 0", "SET work_mem = '64MB'")
HOSTILE: Final = {
    "processors": "SELECT count(*) FROM generate_series(1, 1000000000) g WHERE g * g % 7 = 3",
    "sorts on disk": "SELECT max(m) FROM (SELECT md5(g::text) m FROM generate_series(1, 3000000) g"
    " ORDER BY 1 OFFSET 0) x",
    "writes": "INSERT INTO junk SELECT g, md5(g::text) FROM generate_series(1, 20000) g",
}
# Times are a twelfth of the deployed ones, so that hostility meets the watch within a round.
LIMITS: Final = Limits(
    statement_seconds=6, transaction_seconds=30, idle_seconds=6, lock_percent=25, temp_mib=2048,
    active=os.cpu_count() or 2, active_looks=0,
)  # fmt: skip
SESSIONS: Final = (2, 8)  # of the neighbour: one for each processor of this machine, and four times as many


def main() -> None:
    SETTINGS.update({"shared_buffers": "'256MB'", "temp_file_limit": "'20GB'"})
    print(f"{os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}")
    print(
        f"{'quiet':<10}{'beside':<15}{'sessions':>9}{'left':>6}{'ended':>7}{'refused':>9}"
        f"{'alone p99':>12}{'at first':>12}{'then':>12}{'ratio':>7}"
    )
    with running() as server:
        server.wait = 120
        shard = _shard(server)
        for quiet, hostile, sessions in ((q, h, s) for q in QUIET for h in HOSTILE for s in SESSIONS):
            _one(shard, quiet, hostile, sessions)


ENDED: Final = "terminating connection due to administrator command"
REFUSED: Final = "too many connections for role"
END: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :role"
FILL: Final = f"INSERT INTO ledger SELECT g, md5(g::text) FROM generate_series(2, {ROWS}) g"  # noqa: S608


def _shard(server: Server) -> Shard:
    shard = Shard(server, 1).opened(statementMs=60_000, idleMs=60_000, connections=CONNECTIONS)
    shard.run(shard.bolt, FILL, "ANALYZE ledger")
    shard.run(shard.acme, "CREATE TABLE junk (id int, x text)")
    server.superuser(f"ALTER ROLE {USER} PASSWORD {literal(PASSWORD)}")
    return shard


@dataclass
class _Answers:
    """Seconds that each took."""

    alone: list[float] = field(default_factory=list[float])
    first: list[float] = field(default_factory=list[float])  # while the neighbour has its whole share
    then: list[float] = field(default_factory=list[float])


def _one(shard: Shard, quiet: str, hostile: str, sessions: int) -> None:
    shard.place(shard.acme, "update", connections=CONNECTIONS, statementMs=60_000, idleMs=60_000)
    found, ended, refused, sql = _Answers(), 0, 0, QUIET[quiet]
    for number in range(ROUNDS):
        found.alone += _answers(shard, sql)
        log = shard.server.log
        before, refused = log.count(ENDED), refused - log.count(REFUSED)
        with _watched(shard), _hostile(shard, HOSTILE[hostile], sessions):
            if number == 0:
                found.first += _answers(shard, sql, SETTLES, lambda: _has(shard) == CONNECTIONS)
            found.then += _answers(shard, sql)
            log = shard.server.log
            ended, refused = ended + log.count(ENDED) - before, refused + log.count(REFUSED)
        shard.server.superuser(f"TRUNCATE {shard.role(shard.acme)}.junk", database=shard.database)
    one, first, then = map(_p99, (found.alone, found.first, found.then))
    print(
        f"{quiet:<10}{hostile:<15}{sessions:>9}{_has(shard):>6}{ended:>7}{refused:>9}"
        f"{one:>9.1f} ms{first:>9.1f} ms{then:>9.1f} ms{then / one:>7.1f}",
        flush=True,
    )


def _has(shard: Shard) -> int:
    """Sessions that the neighbour may have now."""
    role = shard.role(shard.acme)
    with closing(shard.server.connect(MASTER)) as session:
        ((most,),) = rows_of(session, "SELECT rolconnlimit FROM pg_roles WHERE rolname = :role", role=role)
    return int(most)


def _answers(
    shard: Shard, sql: str, seconds: float = SECONDS, goes_on: Callable[[], bool] = lambda: True
) -> list[float]:
    found, ends, numbers = list[float](), time.monotonic() + seconds, count(1, 7919)
    with shard.session(shard.bolt) as session:
        while time.monotonic() < ends:
            began = time.perf_counter()
            session.run(sql.format(next(numbers) % ROWS + 1))
            found.append(time.perf_counter() - began)
            time.sleep(0.002)
            if len(found) % 50 == 0 and not goes_on():
                break
    return found


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1000


@contextmanager
def _hostile(shard: Shard, sql: str, sessions: int) -> Iterator[None]:
    """Each begins anew as soon as it is ended."""

    def run() -> None:
        os.setsid()
        while True:
            with suppress(DatabaseError, InterfaceError, OSError), shard.session(shard.acme) as session:
                for statement in LIFTS:
                    session.run(statement)
                while True:
                    session.run(sql)

    with ExitStack() as running_ones:
        for _ in range(sessions):
            running_ones.enter_context(_process(run))
        time.sleep(0.5)
        yield
    with closing(shard.server.connect(MASTER, database=shard.database)) as session:
        session.run(END, role=shard.role(shard.acme))


@contextmanager
def _watched(shard: Shard) -> Iterator[None]:
    where = TenantDatabase("shard-a", "shard", 5432, shard.database)
    request = Request(where=where, seconds=LONGEST, every=1, limits=LIMITS)
    log_in = lambda: shard.server.connect(USER, database=shard.database)  # noqa: E731
    with _process(lambda: carry_out(request, log_in, lambda _: None)):
        yield


@contextmanager
def _process(work: Callable[[], object]) -> Iterator[None]:
    one = get_context("fork").Process(target=work, daemon=True)
    one.start()
    try:
        yield
    finally:
        one.kill()
        one.join()


if __name__ == "__main__":
    main()
