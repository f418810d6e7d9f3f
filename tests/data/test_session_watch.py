"""Sessions of tenants over their limits are ended, whatever the tenant sets, and nobody else's are."""

import json
import struct
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
from functions.session_watch import handler, watch
from functions.session_watch.handler import USER, carry_out
from functions.session_watch.limits import Limits
from functions.session_watch.request import Request, parse
from functions.tenant_bootstrap import watch_rights
from functions.tenant_bootstrap.watch_rights import PLATFORM
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


@pytest.mark.parametrize("case", ["statement", "active"])
def test_a_function_that_is_called_without_a_statement_is_seen(watched: Shard, case: str) -> None:
    """By the protocol's message FunctionCall (PostgreSQL 17, "Message Formats", 2026-11)."""
    limits = replace(WIDE, **{"statement": {"statement_seconds": 1}, "active": {"active": 1}}[case])
    ((sleep,),) = watched.server.rows(watched.database, "SELECT CAST('pg_sleep' AS regproc)::oid::int8")
    seconds = b"60"
    call = struct.pack("!ihhi2sh", sleep, 0, 1, len(seconds), seconds, 0)
    with ExitStack() as sessions:
        for _ in range(2):
            session = sessions.enter_context(closing_late(_as_acme(watched)))
            session.run("SET statement_timeout = 0")
            session._usock.sendall(b"F" + struct.pack("!i", 4 + len(call)) + call)
        role = watched.role(watched.acme)
        calling = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}' AND state LIKE 'fastpath%'"
        wait_for(lambda: watched.server.rows(watched.database, calling) == [[2]], "both calls")
        events = looked(watched, limits, seconds=3)
        assert {(e["Case"], e["tenantRole"]) for e in events if "Case" in e} == {(case, role)}


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
        shared=print,
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
        pytest.raises(
            RuntimeError,
            match=f"tenant {watched.acme}: out of shared memory; .* has to be rebooted first",
        ),
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
    return watch.Tools(connect=connect, left=lambda: True, pause=lambda: None, ended=print, shared=print)


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


# Who comes back is lowered.


def limit(shard: Shard, tenant: str) -> int:
    ((found,),) = shard.server.rows(
        shard.database, f"SELECT rolconnlimit FROM pg_roles WHERE rolname = '{shard.role(tenant)}'"
    )
    return found


def as_watch(shard: Shard, *statements: str) -> list[Any]:
    with closing(log_in(shard)) as session:
        return [rows_of(session, statement)[0][0] for statement in statements]


def lower(shard: Shard, tenant: str, wanted: int = 2) -> str:
    return f"SELECT {PLATFORM}.lower_connections('{shard.role(tenant)}', {wanted})"


def shares(shard: Shard, what: str, tenant: str) -> Any:
    table = f"{PLATFORM}.connection_shares"
    if what.startswith("SELECT"):
        return shard.server.rows(shard.database, f"{what} FROM {table} WHERE role = '{shard.role(tenant)}'")
    return shard.server.superuser(
        f"UPDATE {table} SET {what} WHERE role = '{shard.role(tenant)}'", database=shard.database
    )


def test_whose_sessions_are_ended_again_and_again_has_fewer_for_a_while(watched: Shard) -> None:
    """Three sessions that come back as soon as they are ended, until they may not."""
    over = threading.Event()

    def comes_back() -> None:
        while not over.wait(0.05):
            with suppress(DatabaseError, InterfaceError, OSError), watched.session(watched.acme) as session:
                session.run("SET statement_timeout = 0")
                session.run("SELECT pg_sleep(60)")

    runners = [threading.Thread(target=comes_back, daemon=True) for _ in range(3)]
    try:
        for runner in runners:
            runner.start()
        events = looked(watched, replace(WIDE, active=2), seconds=10)
    finally:
        over.set()
        as_watch(watched, f"SELECT count({PLATFORM}.end_session(pid, backend_start)) FROM pg_stat_activity")
    (lowered,) = [e for e in events if e["event"] == "tenant connections lowered"]
    assert (lowered["tenantRole"], lowered["connections"], lowered["SharesLowered"]) == (
        watched.role(watched.acme), 1, 1,
    )  # fmt: skip
    assert (limit(watched, watched.acme), limit(watched, watched.bolt)) == (1, 5)
    assert [e for e in looked(watched, WIDE) if e["event"] == "tenant connections restored"] == []
    shares(watched, "until = now()", watched.acme)
    (restored,) = [e for e in looked(watched, WIDE, seconds=3) if "connections" in e]
    assert (restored["event"], restored["connections"]) == ("tenant connections restored", 5)
    assert limit(watched, watched.acme) == 5
    for runner in runners:
        runner.join(LIMIT)


def test_once_and_twice_are_accidents_and_each_further_time_halves(watched: Shard) -> None:
    said = as_watch(watched, *[lower(watched, watched.acme, 4)] * 6)
    assert said == [None, None, 4, 2, 1, None]
    assert limit(watched, watched.acme) == 1
    shares(watched, "ended = now() - interval '6 minutes'", watched.bolt)
    as_watch(watched, *[lower(watched, watched.bolt)] * 2)
    shares(watched, "ended = now() - interval '6 minutes'", watched.bolt)
    assert as_watch(watched, lower(watched, watched.bolt)) == [None]


def test_who_begins_again_soon_waits_twice_as_long(watched: Shard) -> None:
    restore = f"SELECT {PLATFORM}.restore_connections('{watched.role(watched.acme)}')"
    times = list[int]()
    for restored in ("restored", "restored", "restored - make_interval(secs => 2 * seconds)", "restored"):
        as_watch(watched, *[lower(watched, watched.acme)] * 3)
        ((seconds, until),) = shares(
            watched, "SELECT seconds, extract(epoch FROM until - ended)::int4", watched.acme
        )
        assert (as_watch(watched, restore), until) == ([None], seconds), "it is not over"
        times.append(seconds)
        shares(watched, "until = now()", watched.acme)
        assert as_watch(watched, restore) == [5]
        shares(watched, f"restored = {restored}", watched.acme)
    assert times == [300, 600, 1200, 300]
    shares(watched, "seconds = 14400, restored = now()", watched.acme)
    as_watch(watched, *[lower(watched, watched.acme)] * 3)
    assert shares(watched, "SELECT seconds", watched.acme) == [[14400]]


@pytest.mark.parametrize(("wanted", "has"), [(-1, 1), (0, 1), (1000, 5)])
def test_no_tenant_has_less_than_one_session_or_more_than_its_share(
    watched: Shard, wanted: int, has: int
) -> None:
    as_watch(watched, *[lower(watched, watched.acme, wanted)] * 3)
    assert limit(watched, watched.acme) == has


def test_nobody_but_a_tenant_is_lowered(watched: Shard) -> None:
    names = (MASTER, USER, "t_nobody")
    watched.server.superuser(
        f"INSERT INTO {PLATFORM}.connection_shares (role, connections) VALUES ('{MASTER}', 9)",
        database=watched.database,
    )
    said = as_watch(watched, *(f"SELECT {PLATFORM}.lower_connections('{n}', 1)" for n in names * 3))
    assert said == [None] * 9
    found = f"SELECT rolconnlimit FROM pg_roles WHERE rolname IN ('{MASTER}', '{USER}') ORDER BY 1"
    assert watched.server.rows(watched.database, found) == [[-1], [10]]


@pytest.mark.parametrize("call", ["lower_connections('{}', 1)", "restore_connections('{}')"])
def test_a_tenant_can_lower_nobody_and_give_itself_nothing_back(watched: Shard, call: str) -> None:
    for tenant in (watched.acme, watched.bolt):
        with pytest.raises(DatabaseError, match=f"permission denied for schema {PLATFORM}"):
            watched.run(watched.acme, f"SELECT {PLATFORM}.{call.format(watched.role(tenant))}")


def test_who_is_placed_again_has_its_share(watched: Shard) -> None:
    as_watch(watched, *[lower(watched, watched.acme)] * 3)
    watched.place(watched.acme, "update", connections=7)
    assert limit(watched, watched.acme) == 7
    assert shares(watched, "SELECT connections, times, until", watched.acme) == [[7, 0, None]]


def holding_its_row(session: Connection, shard: Shard) -> None:
    for statement in (*LIFTS, "BEGIN", f"ALTER ROLE {shard.role(shard.acme)} PASSWORD 'x'"):
        session.run(statement)


def changed(shard: Shard, again: set[str]) -> list[watch.Share]:
    said: list[watch.Share] = []
    tools = replace(_tools(lambda: log_in(shard)), shared=said.append)
    shares_of_all = watch.Shares(tools, 2)
    with closing(log_in(shard)) as session:
        shares_of_all.change(watch._open(_tools(lambda: session)), again)
    shares_of_all.close()
    return said


def test_a_tenant_cannot_hold_its_share(watched: Shard) -> None:
    as_watch(watched, *[lower(watched, watched.acme)] * 2)
    with watched.session(watched.acme) as session:
        holding_its_row(session, watched)
        said = changed(watched, {watched.role(watched.acme)})
        assert said == [watch.Share(watched.role(watched.acme), 2, lowered=True)]
        with pytest.raises((DatabaseError, InterfaceError, OSError), match=GONE):
            session.run("SELECT 1")


def test_a_tenant_that_holds_its_row_keeps_nobody_elses_share(watched: Shard) -> None:
    for tenant in (watched.acme, watched.bolt):
        as_watch(watched, *[lower(watched, tenant)] * 3)
        shares(watched, "until = now()", tenant)
    with watched.session(watched.acme) as session:
        holding_its_row(session, watched)
        assert changed(watched, set()) == [watch.Share(watched.role(watched.bolt), 5, lowered=False)]
        assert session.run("SELECT 1") == [[1]]
        session.run("ROLLBACK")
    assert changed(watched, set()) == [watch.Share(watched.role(watched.acme), 5, lowered=False)]


def test_who_waits_for_a_lock_of_another_tenants_takes_no_processor_and_loses_nothing(watched: Shard) -> None:
    """Advisory locks are the whole database's: a hostile neighbour may hold the one that a service needs."""
    with ExitStack() as sessions:
        hostile_one = sessions.enter_context(watched.session(watched.acme))
        hostile_one.run("SELECT pg_advisory_lock(1)")

        def wait() -> None:
            with suppress(DatabaseError, InterfaceError, OSError), watched.session(watched.bolt) as session:
                session.run("SET statement_timeout = 0")
                session.run("SELECT pg_advisory_lock(1)")

        waiting = [threading.Thread(target=wait, daemon=True) for _ in range(3)]
        for one in waiting:
            one.start()
        found = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = '{}'"
        wait_for(
            lambda: watched.master(found.format(watched.role(watched.bolt))) == [[3]], "sessions that wait"
        )
        assert looked(watched, replace(WIDE, active=1), seconds=3) == []
        with closing(log_in(watched)) as session:
            opened, ended = watch._open(_tools(lambda: session)), list[str]()
            again = watch.look(
                opened, replace(WIDE, statement_seconds=0), watch.Looks(), lambda e: ended.append(e.case)
            )
        assert (again, ended) == (set(), ["statement"] * 3)
    for one in waiting:
        one.join(LIMIT)


def test_a_function_of_a_tenants_with_the_same_words_keeps_the_watch_from_nothing(empty: Shard) -> None:
    empty.opened()
    for function in watch_rights._FUNCTIONS:
        empty.master(f"DROP FUNCTION {PLATFORM}.{function.name}")
        empty.server.superuser(  # as text, since the body of one is for the administrator alone
            f"CREATE FUNCTION {empty.role(empty.acme)}.{function.name}() RETURNS int LANGUAGE plpgsql"
            f" AS {literal('BEGIN RETURN 1; END')}",
            f"UPDATE pg_proc SET prosrc = {literal(function.body)} WHERE proname = '{function.name}'",
            database=empty.database,
        )
    empty.place(empty.bolt, "update")
    found = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'tenantry'::regnamespace"
    assert empty.server.rows(empty.database, found) == [[3]]


def test_no_tenant_can_tell_when_the_next_look_is(watched: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    where = TenantDatabase("shard-a", "shard.rds.amazonaws.com", 5432, watched.database)
    now = iter(range(1000))
    monkeypatch.setattr(handler.time, "sleep", pauses.append)
    monkeypatch.setattr(handler.time, "monotonic", lambda: next(now))
    request = Request(where=where, seconds=20, every=5, limits=WIDE)
    carry_out(request, lambda: log_in(watched), lambda _: None)
    assert 2.5 <= min(pauses) < max(pauses) <= 7.5
    assert len(set(pauses)) > 10


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
    for expected in (1, 2, 3, 3):
        looks.note(["t_acme"], 3)
        assert looks.busy["t_acme"] == expected
    for expected in (2, 1, 0, 0):
        looks.note([], 3)
        assert looks.busy["t_acme"] == expected
