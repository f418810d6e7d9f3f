"""What a tenant hangs on its own tables runs as nobody but the tenant, whatever is done with its rows."""

import itertools
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import literal

from functions.common.connection import BootstrapError, TenantDatabase
from functions.common.database_endpoint import MoveError
from functions.common.secret_store import PENDING
from functions.session_watch.handler import USER, carry_out
from functions.session_watch.limits import Limits
from functions.session_watch.request import Request
from functions.tenant_bootstrap.guards import GUARDS, Guard, TenantSchema
from functions.tenant_bootstrap.rotation import STEPS, rotate
from functions.tenant_leaving.tools import OffboardingError
from tests.data.hooks import BASE, GRANTED, HOOKS, REFUSED, VICTIM, escaped, placed, ran, with_names, written
from tests.data.leaving import Leaver
from tests.data.moving import Journey
from tests.data.server import MASTER, PASSWORD, Server
from tests.data.shard import Shard
from tests.waiting import wait_for

ALL = tuple(HOOKS)
# From first to last, and the ways back; the bootstrap function comes between, as with each deployment.
PATHS = {
    "to the target": ("prepare", "replicate", "cutover", "soak", "done"),
    "there and back": ("replicate", "cutover", "rollback", "abort"),
    "called off": ("replicate", "abort"),
}


# Of what is refused, a name that the refusal says.
NAMES = {
    "row security": "secured",
    "rule": "instead",
    "operator": "money_of",
    "aggregate": "sum",
    "materialised view": "kept",
    "trigger that fires for replicated rows": "t",
    "type that is neither enum, domain nor composite": "span",
}
NONE = Limits(
    statement_seconds=1, transaction_seconds=1, idle_seconds=1, lock_percent=1, temp_mib=1, active=1,
    active_looks=0,
)  # fmt: skip


def _searches(_: object, place: TenantSchema) -> Iterator[str]:
    yield f"SET search_path = {place.schema}, pg_catalog"


SEARCHES = Guard("searches the tenant's schema", _searches)
EXAMPLES = 3  # a move each; `make test-random` draws others


def with_victim(*servers: Server) -> None:
    """Somebody else's role, which the administrator could give away."""
    for server in servers:
        if not server.rows("postgres", f"SELECT 1 FROM pg_roles WHERE rolname = '{VICTIM}'"):
            administrator = server.connect(MASTER)
            administrator.run(f"CREATE ROLE {VICTIM}")
            administrator.close()


def hooked(servers: Sequence[Server], folder: Path, kinds: Sequence[str]) -> Journey:
    with_victim(*servers)
    found = Journey(dict(zip(("origin", "target", "restored"), servers, strict=False)), folder)
    found.run(*placed(kinds, found.role))
    found.run("SELECT 1", *(w for number in range(1, 30) for w in written(kinds, found.role, number)))
    return found


def logs(journey: Journey) -> list[str]:
    return [server.log for server in journey.servers.values()]


@contextmanager
def writing(journey: Journey, kinds: Sequence[str]) -> Iterator[None]:
    """All the while, so that rows are compared that were written since their table was."""
    over = threading.Event()

    def keep_on() -> None:
        for number in itertools.count(1000):
            if over.is_set():
                return
            with suppress(DatabaseError, InterfaceError, BootstrapError):  # it may not, or is shut out
                journey.run(*written(kinds, journey.role, number))

    thread = threading.Thread(target=keep_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def by_copy(by: str) -> dict[str, Any]:
    return {"by": by} if by == "copy" else {}


def live(journey: Journey, kinds: Sequence[str], path: str, by: str) -> None:
    """A move from first to last."""
    more = by_copy(by)
    with writing(journey, kinds):
        for stage in PATHS[path]:
            journey.go(stage, **more)


@pytest.mark.parametrize("by", ["following", "copy"])
def test_no_hook_of_a_moving_tenant_runs_as_anybody_else(
    server: Server, other: Server, tmp_path: Path, by: str
) -> None:
    journey = hooked((server, other), tmp_path, ALL)
    live(journey, ALL, "there and back", by)
    wait_for(lambda: len({what for what, _ in ran(logs(journey), journey.role)}) >= 8, "hooks that ran")
    assert escaped(logs(journey), journey.role) == set()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    kinds=st.lists(st.sampled_from(ALL), min_size=1, unique=True),
    path=st.sampled_from(sorted(PATHS)),
    by=st.sampled_from(["following", "copy"]),
)
def test_no_hooks_together_run_as_anybody_else(
    server: Server, other: Server, tmp_path: Path, kinds: list[str], path: str, by: str
) -> None:
    journey = hooked((server, other), tmp_path, kinds)
    live(journey, kinds, path, by)
    assert escaped(logs(journey), journey.role) == set()


@pytest.mark.parametrize("kind", sorted(REFUSED))
@pytest.mark.parametrize("by", ["following", "copy"])
def test_a_hook_that_is_refused_has_not_run_either(
    server: Server, other: Server, tmp_path: Path, kind: str, by: str
) -> None:
    journey = hooked((server, other), tmp_path, ())
    journey.run(*(with_names(statement, journey.role) for statement in REFUSED[kind]))
    with pytest.raises(MoveError, match=rf"cannot be moved: .*{re.escape(kind)}"):
        journey.go("replicate", **by_copy(by))
    assert escaped(logs(journey), journey.role) == set()


def test_a_view_that_takes_a_tables_place_is_read_as_the_tenant(
    server: Server, other: Server, tmp_path: Path
) -> None:
    """In the moment between: tables are listed, and then read by their names."""
    journey = hooked((server, other), tmp_path, ())
    journey.run("CREATE TABLE one (id int PRIMARY KEY)", "INSERT INTO one VALUES (1)")
    journey.go("replicate")

    def step(name: str) -> None:
        if name == "rows equal":
            journey.run(
                "SET default_transaction_read_only = off",
                "INSERT INTO one VALUES (2)",
                "ALTER TABLE one RENAME TO kept",
                f"CREATE VIEW one AS SELECT * FROM kept WHERE {journey.role}.seen('view for a table')",
            )

    with pytest.raises(MoveError, match=r"changed since the move began: .*kept"):
        journey.go("cutover", step)
    journey.go("abort")
    assert ("view for a table", journey.role) in ran(logs(journey), journey.role)
    assert escaped(logs(journey), journey.role) == set()


def test_no_hook_of_a_restored_tenant_runs_as_anybody_else(
    server: Server, other: Server, beside: Server, tmp_path: Path
) -> None:
    """Its rows come out of an instance that was restored with everybody's."""
    journey = hooked((server, other, beside), tmp_path, ())
    for name in ("origin", "restored"):
        journey.master(name, f"ALTER ROLE {journey.role} LOGIN PASSWORD '{journey.secret['password']}'")
        journey.run(*placed(ALL, journey.role)[len(BASE if name == "origin" else ()) :], at=name)
        journey.run(*written(ALL, journey.role, 1), at=name)
    for stage in ("prepare", "replicate", "cutover", "soak", "rollback"):
        journey.go(stage, restoredTo="2026-11-27T10:00:00Z", restored=journey.end("restored"))
    assert len(ran(logs(journey)[2:], journey.role)) >= 8
    assert escaped(logs(journey), journey.role) == set()


def test_no_hook_of_a_leaving_tenant_runs_as_anybody_else(shard: Shard) -> None:
    """Its rows are dumped, restored on the same server to prove the dump, and compared."""
    with_victim(shard.server)
    leaver = Leaver(shard)
    shard.run(leaver.tenant, *placed(ALL, leaver.role), *written(ALL, leaver.role, 1))
    leaver.suspend()
    before = len(shard.server.log)
    assert leaver.go("export")["verified"]
    after = [shard.server.log[before:]]
    everybody = {who for _, who in ran(after, leaver.role)}
    assert everybody <= {leaver.role, f"s_{leaver.role}", leaver.scratch}
    assert leaver.scratch in everybody
    assert GRANTED.findall(after[0]) == []


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_a_leaving_tenant_with_a_hook_that_is_refused_is_told_so(shard: Shard, kind: str) -> None:
    with_victim(shard.server)
    leaver = Leaver(shard)
    shard.run(
        leaver.tenant,
        *placed((), leaver.role),
        *(with_names(s, leaver.role) for s in REFUSED[kind]),
    )
    leaver.suspend()
    before = len(shard.server.log)
    said = rf"cannot be handed over whole: (?=.*{re.escape(kind)}).*: .*\b{NAMES[kind]}\b"
    with pytest.raises(OffboardingError, match=said):
        leaver.go("export")
    assert ran([shard.server.log[before:]], leaver.role) == set()


# What the functions that make places and turn passwords ask for, in a schema that nobody is to search.
SHADOWS = (
    *(
        f"CREATE FUNCTION {name} RETURNS {kind} LANGUAGE plpgsql AS"
        f" $$BEGIN PERFORM {{role}}.seen('{kind} shadow'); RETURN {value}; END$$"
        for name, kind, value in (
            ("hashtext(text)", "int", "1"),
            ("pg_try_advisory_xact_lock(int, int)", "boolean", "true"),
            ("pg_get_userbyid(oid)", "name", "'x'"),
            ("to_regnamespace(text)", "regnamespace", "NULL"),
            ("set_config(text, text, boolean)", "text", "''"),
        )
    ),
    *(
        statement
        for name in ("pg_roles", "pg_auth_members", "pg_namespace", "pg_database", "pg_proc")
        for statement in (
            f"CREATE VIEW {name} AS SELECT * FROM pg_catalog.{name} WHERE {{role}}.seen('{name}')",
            f"GRANT SELECT ON {{role}}.{name} TO PUBLIC",
        )
    ),
)


@pytest.mark.parametrize("guards", [GUARDS, (SEARCHES, *GUARDS)], ids=["as shipped", "careless"])
def test_no_hook_runs_where_places_are_made_sessions_watched_and_passwords_turned(
    shard: Shard, guards: Sequence[Guard]
) -> None:
    """With a guard that searches the tenant's schema they do, so they are hooks."""
    with_victim(shard.server)
    role, arn, token = shard.role(shard.acme), shard.secret_arn(shard.acme), "b" * 32
    shard.run(shard.acme, *placed(ALL, role), *written(ALL, role, 1), *(with_names(s, role) for s in SHADOWS))
    before = len(shard.server.log)
    for changes in ({}, {"hold": True}, {"login": False}, {"connections": 9}):
        shard.place(shard.acme, "update", guards, **changes)
    shard.secrets.labels[arn][token] = [PENDING]
    for step in STEPS:
        event = {"Step": step, "SecretId": arn, "ClientRequestToken": token}
        rotate(event, shard.secrets, shard.connect)
    shard.server.superuser(f"ALTER ROLE {USER} PASSWORD {literal(PASSWORD)}")
    where = TenantDatabase("shard-a", "shard.rds.amazonaws.com", 5432, shard.database)
    request = Request(where=where, seconds=1, every=1, limits=NONE)
    with shard.session(shard.acme) as tenant:
        tenant.run("BEGIN")
        carry_out(request, lambda: shard.server.connect(USER, database=shard.database), lambda _: None)
    shard.place(shard.acme, "delete", guards)
    found = ran([shard.server.log[before:]], role)
    assert bool(found) == (guards is not GUARDS), found
