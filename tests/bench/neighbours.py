"""A quiet tenant's answers, alone and beside a hostile neighbour of its shard, with the limits in force.

`python -m tests.bench.neighbours`. Alone and beside alternate, so that a busy machine is busy in both.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from typing import Final

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import literal

from functions.common.connection import TenantDatabase
from functions.session_watch.handler import USER, carry_out
from functions.session_watch.limits import Limits
from functions.session_watch.request import Request
from tests.data.server import MASTER, PASSWORD, SETTINGS, Server, running
from tests.data.shard import Shard

ROUNDS: Final = 2
SECONDS: Final = 4.0  # of each side of a round
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
    columns = ("alone p99", "beside p99", "ratio", "ended")
    print(
        f"{'quiet':<10}{'beside':<16}{'sessions':>9}{columns[0]:>11}{columns[1]:>12}{columns[2]:>7}{columns[3]:>7}"
    )
    with running() as server:
        server.wait = 120
        shard = _shard(server)
        for quiet, hostile, sessions in ((q, h, s) for q in QUIET for h in HOSTILE for s in SESSIONS):
            _one(shard, quiet, hostile, sessions)


END: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :role"
FILL: Final = f"INSERT INTO ledger SELECT g, md5(g::text) FROM generate_series(2, {ROWS}) g"  # noqa: S608


def _shard(server: Server) -> Shard:
    shard = Shard(server, 1).opened(statementMs=60_000, idleMs=60_000, connections=36)
    shard.run(shard.bolt, FILL, "ANALYZE ledger")
    shard.run(shard.acme, "CREATE TABLE junk (id int, x text)")
    server.superuser(f"ALTER ROLE {USER} PASSWORD {literal(PASSWORD)}")
    return shard


def _one(shard: Shard, quiet: str, hostile: str, sessions: int) -> None:
    alone, beside, ended = list[float](), list[float](), list[str]()
    for _ in range(ROUNDS):
        alone += _answers(shard, QUIET[quiet])
        with _hostile(shard, HOSTILE[hostile], sessions), _watched(shard, ended):
            time.sleep(0.5)
            beside += _answers(shard, QUIET[quiet])
        shard.run(shard.acme, "TRUNCATE junk")
    one, other = _p99(alone), _p99(beside)
    looks = sum('"SessionsEnded"' in line and '"Case"' in line for line in ended)
    print(
        f"{quiet:<10}{hostile:<16}{sessions:>9}{one:>8.1f} ms{other:>9.1f} ms{other / one:>7.1f}{looks:>7}",
        flush=True,
    )


def _answers(shard: Shard, sql: str) -> list[float]:
    found, ends, numbers = list[float](), time.monotonic() + SECONDS, count(1, 7919)
    with shard.session(shard.bolt) as session:
        while time.monotonic() < ends:
            began = time.perf_counter()
            session.run(sql.format(next(numbers) % ROWS + 1))
            found.append(time.perf_counter() - began)
            time.sleep(0.002)
    return found


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1000


@contextmanager
def _hostile(shard: Shard, sql: str, sessions: int) -> Iterator[None]:
    """Each begins anew as soon as it is ended."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            with suppress(DatabaseError, InterfaceError, OSError), shard.session(shard.acme) as session:
                for statement in LIFTS:
                    session.run(statement)
                while not over.is_set():
                    session.run(sql)

    runners = [threading.Thread(target=run, daemon=True) for _ in range(sessions)]
    for runner in runners:
        runner.start()
    try:
        yield
    finally:
        over.set()
        with closing(shard.server.connect(MASTER, database=shard.database)) as session:
            session.run(END, role=shard.role(shard.acme))
        for runner in runners:
            runner.join(10)


@contextmanager
def _watched(shard: Shard, said: list[str]) -> Iterator[None]:
    where = TenantDatabase("shard-a", "shard", 5432, shard.database)
    request = Request(where=where, seconds=int(SECONDS) + 1, every=1, limits=LIMITS)
    log_in = lambda: shard.server.connect(USER, database=shard.database)  # noqa: E731
    watch = threading.Thread(target=lambda: carry_out(request, log_in, said.append), daemon=True)
    watch.start()
    yield
    watch.join(30)


if __name__ == "__main__":
    main()
