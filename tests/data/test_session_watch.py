"""Sessions of tenants over their limits are ended, whatever the tenant sets, and nobody else's are."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection, literal

from functions.common.connection import TenantDatabase
from functions.common.events import RequestError
from functions.session_watch import watch
from functions.session_watch.handler import USER, carry_out
from functions.session_watch.limits import Limits
from functions.session_watch.request import Request, parse
from functions.tenant_bootstrap.guards import PLATFORM
from tests.data.server import MASTER, PASSWORD
from tests.data.shard import Shard
from tests.rows import rows_of
from tests.waiting import LIMIT, wait_for

WIDE = Limits(
    statement_seconds=600,
    transaction_seconds=600,
    idle_seconds=600,
    lock_percent=100,
    temp_mib=1000,
    active=100,
    active_looks=0,
)
LIFTS = (
    "SET statement_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
    "SET transaction_timeout = 0",
    "SET application_name = 'tenant-bootstrap'",
)
GONE = r"terminat|network error|reset by peer|[Bb]roken pipe"
FULL = "SELECT count(pg_advisory_lock(g)) FROM generate_series({}, {}) g"


@pytest.fixture
def watched(shard: Shard) -> Shard:
    """RDS lets the role in by a token of IAM, this server by a password."""
    shard.server.superuser(f"ALTER ROLE {USER} PASSWORD {literal(PASSWORD)}")
    return shard


def log_in(shard: Shard) -> Connection:
    return shard.server.connect(USER, database=shard.database)


def looked(shard: Shard, limits: Limits, seconds: int = 1) -> list[dict[str, Any]]:
    """What a call says, without the count of its looks."""
    where = TenantDatabase("shard-a", "shard.rds.amazonaws.com", 5432, shard.database)
    said: list[str] = []
    request = Request(where=where, seconds=seconds, every=1, limits=limits)
    carry_out(request, lambda: log_in(shard), said.append)
    *events, looks = map(json.loads, said)
    assert looks["Looks"] > 0
    return events


@contextmanager
def hostile(shard: Shard, *statements: str, user: str | None = None) -> Iterator[Connection]:
    """A session of acme's, or of another role, that has lifted what it can; its last statement goes on."""
    with closing_late(
        shard.server.connect(user, database=shard.database) if user else _as_acme(shard)
    ) as session:
        for statement in (*LIFTS, *statements[:-1]):
            session.run(statement)

        def last() -> None:
            with suppress(DatabaseError, InterfaceError, OSError):
                session.run(statements[-1])

        runner = threading.Thread(target=last, daemon=True)
        runner.start()
        runner.join(0.2)
        yield session
        runner.join(LIMIT)


def _as_acme(shard: Shard) -> Connection:
    secret = shard.secret(shard.acme)
    return shard.server.connect(secret["username"], secret["password"], shard.database)


@contextmanager
def closing_late(session: Connection) -> Iterator[Connection]:
    try:
        yield session
    finally:
        with suppress(InterfaceError, OSError):
            session.close()


def pids(shard: Shard, role: str) -> list[int]:
    rows = shard.server.rows(shard.database, f"SELECT pid FROM pg_stat_activity WHERE usename = '{role}'")
    return [pid for (pid,) in rows]


SORTED = "DECLARE c CURSOR FOR SELECT md5(g::text) FROM generate_series(1, 200000) g ORDER BY 1"
# case → what acme does, and the limits under which it is too much.
CASES: dict[str, tuple[tuple[str, ...], Limits]] = {
    "statement": (("SELECT pg_sleep(60)",), replace(WIDE, statement_seconds=1)),
    "transaction": (
        ("BEGIN", "SELECT count(*) FROM ledger", "SELECT pg_sleep(60)"),
        replace(WIDE, transaction_seconds=1),
    ),
    "idle in transaction": (("BEGIN", "SELECT 1"), replace(WIDE, idle_seconds=1)),
    "locks": ((FULL.format(1, 2000),), replace(WIDE, lock_percent=25)),
    "temporary files": (
        ("SET work_mem = '64kB'", "BEGIN", SORTED, "FETCH 1 FROM c"),
        replace(WIDE, temp_mib=1),
    ),
    "active": (("SELECT pg_sleep(60)",), replace(WIDE, active=1)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_session_over_a_limit_is_ended_and_said(watched: Shard, case: str) -> None:
    statements, limits = CASES[case]
    with ExitStack() as sessions:
        quiet = sessions.enter_context(watched.session(watched.bolt))
        assert quiet.run("SELECT payer FROM ledger") == [[f"of {watched.bolt}"]]
        for _ in range(2 if case == "active" else 1):
            sessions.enter_context(hostile(watched, *statements))
        before = pids(watched, watched.role(watched.acme))
        events = looked(watched, limits, seconds=3)
        (one,) = [e for e in events if e["pid"] in before]
        assert quiet.run("SELECT payer FROM ledger") == [[f"of {watched.bolt}"]]
        gone = set(before) - set(pids(watched, watched.role(watched.acme)))
        assert gone == {one["pid"]}
        watched.server.rows(
            watched.database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE usename = '{watched.role(watched.acme)}'",
        )
    assert (one["Case"], one["tenantRole"]) == (case, watched.role(watched.acme))
    assert one["measured"] > one["limit"]
    (metric,) = one["_aws"]["CloudWatchMetrics"]
    assert (metric["Metrics"][0]["Name"], one["SessionsEnded"]) == ("SessionsEnded", 1)
    assert "ledger" not in json.dumps(one), "what a tenant runs is not said"


@pytest.mark.parametrize("case", CASES)
def test_within_the_limits_nobody_is_ended(watched: Shard, case: str) -> None:
    statements, _ = CASES[case]
    with hostile(watched, *statements):
        assert looked(watched, WIDE, seconds=2) == []
        watched.server.rows(
            watched.database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE usename = '{watched.role(watched.acme)}'",
        )


@pytest.mark.parametrize("user", [MASTER, "m_{}", "s_{}"])
def test_sessions_of_lifecycle_work_are_never_ended(watched: Shard, user: str) -> None:
    name = user.format(watched.role(watched.acme))
    if name != MASTER:
        watched.server.superuser(f"CREATE ROLE {name} LOGIN PASSWORD {literal(PASSWORD)}")
        watched.server.superuser(f"GRANT CONNECT ON DATABASE {watched.database} TO {name}")
    none = Limits(
        statement_seconds=1,
        transaction_seconds=1,
        idle_seconds=1,
        lock_percent=1,
        temp_mib=1,
        active=1,
        active_looks=0,
    )
    with hostile(watched, "BEGIN", FULL.format(1, 500), "SELECT pg_sleep(4)", user=name):
        ((pid,),) = watched.server.rows(
            watched.database,
            # The administrator of the server may have more sessions than this one.
            f"SELECT pid FROM pg_stat_activity WHERE usename = '{name}' AND query LIKE '%pg_sleep(4)%'",
        )
        assert [e for e in looked(watched, none, seconds=3) if e["pid"] == pid] == []
        with closing(log_in(watched)) as watcher:
            end = f"SELECT {PLATFORM}.end_session(pid, backend_start) FROM pg_stat_activity WHERE pid = {pid}"
            assert watcher.run(end) == [[False]]
        assert pid in pids(watched, name)


def test_a_tenant_that_takes_all_locks_is_ended_where_nobody_can_log_in(watched: Shard) -> None:
    """The watch has been there before: its session has all that it needs."""
    limits = replace(WIDE, lock_percent=50)
    filled, over, cases = threading.Event(), threading.Event(), list[str]()
    looked_once = threading.Event()

    def pause() -> None:
        looked_once.set()
        filled.wait(LIMIT)

    tools = watch.Tools(
        connect=lambda: log_in(watched),
        left=lambda: not cases and not over.is_set(),
        pause=pause,
        ended=lambda excess: cases.append(excess.case),
    )
    watcher = threading.Thread(target=lambda: watch.watch(limits, tools), daemon=True)
    watcher.start()
    assert looked_once.wait(LIMIT)
    for number in range(300):  # what the session of the watch remembers of the catalog is forgotten
        watched.run(watched.bolt, f"CREATE TABLE x{number} (id int PRIMARY KEY)", f"DROP TABLE x{number}")
    watched.master(f"ALTER ROLE {watched.role(watched.acme)} CONNECTION LIMIT 6")
    with _as_acme_full(watched):
        with pytest.raises(DatabaseError, match="out of shared memory"):
            watched.master("SELECT 1")
        threading.Timer(1.0, filled.set).start()
        try:
            watched.place(watched.acme, "update", login=False)
        finally:
            over.set()
    watcher.join(LIMIT)
    assert cases == ["locks"]
    with pytest.raises(DatabaseError, match=r"is not permitted to log in|password authentication failed"):
        watched.run(watched.acme, "SELECT 1")


@contextmanager
def _as_acme_full(shard: Shard) -> Iterator[None]:
    """A session of acme's that has every lock there is."""
    with closing_late(_as_acme(shard)) as session:
        taken, step = 0, 8192
        while step:
            try:
                session.run(FULL.format(taken + 1, taken + step))
                taken += step
            except DatabaseError:
                step //= 2
        yield
    wait_for(lambda: _there_is_room(shard), "the locks of a session that has ended")


def _there_is_room(shard: Shard) -> bool:
    try:
        return shard.master("SELECT count(*) < 1000 FROM pg_locks") == [[True]]
    except DatabaseError:
        return False


def test_without_the_watch_a_suspension_says_why_it_cannot_be(
    watched: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.tenant_bootstrap.handler.EXHAUSTED", 0.5)
    with (
        _as_acme_full(watched),
        pytest.raises(RuntimeError, match=f"tenant {watched.acme}: out of shared memory"),
    ):
        watched.place(watched.acme, "update", login=False)


def test_the_watch_keeps_nothing_from_being_cleaned(watched: Shard) -> None:
    with closing(log_in(watched)) as session:
        limits = WIDE
        opened = watch._open(_tools(lambda: session))
        watch.look(opened, limits, watch.Looks(), print)
        seen = watched.server.rows(
            watched.database,
            f"SELECT state, backend_xmin, backend_xid FROM pg_stat_activity WHERE usename = '{USER}'",
        )
        assert seen == [["idle in transaction", None, None]]


def _tools(connect: Callable[[], Connection]) -> watch.Tools:
    return watch.Tools(connect=connect, left=lambda: True, pause=lambda: None, ended=print)


def test_a_look_that_fails_gives_back_no_lock(watched: Shard) -> None:
    with closing(log_in(watched)) as session:
        opened = watch._open(_tools(lambda: session))
        locks = (
            f"SELECT count(*) FROM pg_locks WHERE pid = {rows_of(session, 'SELECT pg_backend_pid()')[0][0]}"
        )
        before = watched.server.rows(watched.database, locks)
        with pytest.raises(DatabaseError, match="division by zero"):
            opened.run("SELECT 1 / 0")
        assert watch._kept(opened) is opened
        assert watched.server.rows(watched.database, locks) == before
        watch.look(opened, WIDE, watch.Looks(), print)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM {acme}.ledger",
        "SET ROLE {acme}",
        "SELECT pg_terminate_backend({pid})",
        "CREATE TABLE x ()",
    ],
)
def test_the_role_of_the_watch_can_do_nothing_else(watched: Shard, statement: str) -> None:
    with watched.session(watched.acme) as tenant, closing(log_in(watched)) as session:
        ((pid,),) = rows_of(tenant, "SELECT pg_backend_pid()")
        with pytest.raises(DatabaseError, match=r"permission denied|no schema has been selected"):
            session.run(statement.format(acme=watched.role(watched.acme), pid=pid))
        assert tenant.run("SELECT 1") == [[1]]


def test_a_tenant_can_end_nobody_by_the_function_of_the_watch(watched: Shard) -> None:
    with watched.session(watched.bolt) as other:
        ((pid,),) = rows_of(other, "SELECT pg_backend_pid()")
        with pytest.raises(DatabaseError, match=f"permission denied for schema {PLATFORM}"):
            watched.run(watched.acme, f"SELECT {PLATFORM}.end_session({pid}, now())")


def test_a_process_that_took_the_number_of_another_is_not_ended(watched: Shard) -> None:
    with watched.session(watched.acme) as tenant, closing(log_in(watched)) as session:
        ((pid,),) = rows_of(tenant, "SELECT pg_backend_pid()")
        end = f"SELECT {PLATFORM}.end_session({pid}, now() - interval '1 day')"
        assert session.run(end) == [[False]]
        assert tenant.run("SELECT 1") == [[1]]


def test_a_session_that_cannot_be_had_is_tried_again(watched: Shard) -> None:
    tries: list[int] = []

    def connect() -> Connection:
        tries.append(1)
        if len(tries) < 3:
            raise InterfaceError("away")
        return log_in(watched)

    left = iter([True] * 4 + [False])
    assert watch.watch(WIDE, replace(_tools(connect), left=lambda: next(left))) == 2


EVENT = {
    "shard": "shard-a", "host": "x.rds.amazonaws.com", "port": 5432, "database": "tenants",
    "seconds": 70, "every": 5,
    "limits": {
        "statementSeconds": 75, "transactionSeconds": 375, "idleSeconds": 75, "lockPercent": 25,
        "tempMib": 2048, "active": 2, "activeLooks": 3,
    },
}  # fmt: skip


def test_a_request_is_read_whole() -> None:
    request = parse(EVENT)
    assert (request.where.tenant, request.seconds, request.limits.temp_mib) == ("shard-a", 70, 2048)
    with pytest.raises(RequestError, match=r"seconds: .*"):
        parse({**EVENT, "seconds": 0})


def test_a_short_burst_is_let_be() -> None:
    looks = watch.Looks()
    for expected in (1, 2):
        looks.note(["t_acme"])
        assert looks.in_a_row["t_acme"] == expected
    looks.note([])
    assert looks.in_a_row["t_acme"] == 0
