"""No tenant holds up what is done with its own role or with others'; who holds up a move is named."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from functions.common import blockers, database_endpoint, tenant_session
from functions.common.connection import BootstrapError
from functions.common.database_endpoint import MoveError
from functions.common.going_on import GoesOn
from functions.common.secret_store import PENDING
from functions.tenant_bootstrap import guards
from functions.tenant_bootstrap.rotation import rotate
from functions.tenant_data import neighbours
from tests.data.moving import Journey
from tests.data.server import MASTER, SUPERUSER, Server
from tests.data.shard import Shard
from tests.rows import rows_of

# What a tenant may do, and what it holds until its transaction ends. The grants grant nothing, warned of.
HOLDS = {
    "its role": "ALTER ROLE {role} PASSWORD 'x'",
    "its settings": "ALTER ROLE {role} SET work_mem = '1GB'",
    "its schema": "GRANT USAGE ON SCHEMA {role} TO PUBLIC",
    "the database of all": "GRANT CONNECT ON DATABASE {database} TO PUBLIC",
}
CALLS: dict[str, Callable[[Shard], object]] = {
    "its suspension": lambda s: s.place(s.acme, "update", login=False),
    "its end": lambda s: s.place(s.acme, "delete"),
    "its update": lambda s: s.place(s.acme, "update"),
    "another's onboarding": lambda s: s.place(f"new{s.number}"),
    "another's suspension": lambda s: s.place(s.bolt, "update", login=False),
}
# Of whom a call is, and whether that tenant comes in afterwards with what its secret says.
AFTERWARDS: dict[str, tuple[Callable[[Shard], str], bool]] = {
    "its suspension": (lambda s: s.acme, False),
    "its end": (lambda s: s.acme, False),
    "its update": (lambda s: s.acme, True),
    "another's onboarding": (lambda s: f"new{s.number}", True),
    "another's suspension": (lambda s: s.bolt, False),
}
GONE = r"terminating connection|network error|reset by peer|[Bb]roken pipe"


@contextmanager
def held(shard: Shard, what: str) -> Iterator[Connection]:
    """An open transaction of acme's, which nothing of acme's own settings ends."""
    with shard.session(shard.acme) as session:
        session.run("SET idle_in_transaction_session_timeout = 0")
        session.run("BEGIN")
        session.run(HOLDS[what].format(role=shard.role(shard.acme), database=shard.database))
        yield session


def lets_in(shard: Shard, tenant: str) -> bool:
    try:
        return shard.run(tenant, "SELECT current_user") == [[shard.role(tenant)]]
    except DatabaseError:
        return False


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blockers, "PATIENT", 0.1)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("what", HOLDS)
def test_a_tenants_open_transaction_holds_nothing_up(shard: Shard, what: str, call: str) -> None:
    with held(shard, what):
        began = time.monotonic()
        CALLS[call](shard)
    assert time.monotonic() - began < blockers.LOCK_SECONDS
    assert shard.server.rows(shard.database, "SELECT count(*) FROM pg_locks WHERE NOT granted") == [[0]]


def test_a_tenant_that_was_suspended_so_is_out(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blockers, "PATIENT", 0.1)
    with held(shard, "its role") as session:
        shard.place(shard.acme, "update", login=False)
        with pytest.raises((DatabaseError, InterfaceError, OSError), match=GONE):
            session.run("SELECT 1")
    with pytest.raises(DatabaseError, match=r"is not permitted to log in|password authentication failed"):
        shard.run(shard.acme, "SELECT 1")


@pytest.mark.usefixtures("quick")
def test_a_session_that_holds_nothing_up_goes_on(shard: Shard) -> None:
    with shard.session(shard.bolt) as quiet, held(shard, "its role"):
        quiet.run("BEGIN")
        quiet.run("INSERT INTO ledger VALUES (2, 'x')")
        shard.place(shard.acme, "update", login=False)
        quiet.run("COMMIT")
        assert quiet.run("SELECT count(*) FROM ledger") == [[2]]


@pytest.mark.parametrize("call", CALLS)
def test_what_a_tenant_changes_at_the_same_moment_is_changed_again(shard: Shard, call: str) -> None:
    """The row was waited for and is another one then, which PostgreSQL refuses."""
    who, comes_in = AFTERWARDS[call]
    with held(shard, "its role") as one, held(shard, "the database of all") as two:
        commit = threading.Timer(0.3, lambda: (one.run("COMMIT"), two.run("COMMIT")))
        commit.start()
        CALLS[call](shard)
        commit.join()
    assert lets_in(shard, who(shard)) == comes_in


def test_a_row_that_is_changed_at_every_try_is_said(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "TRIES", 1)
    with held(shard, "its role") as session:
        commit = threading.Timer(0.3, lambda: session.run("COMMIT"))
        commit.start()
        with pytest.raises(BootstrapError, match="being changed by others all the time"):
            shard.place(shard.acme, "update")
        commit.join()


def test_what_is_no_tenants_is_named_and_not_ended(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blockers, "PATIENT", 0.1)
    monkeypatch.setattr(blockers, "LOCK_TIMEOUT", "SET lock_timeout = '900ms'")
    with closing(shard.server.connect(MASTER, database=shard.database)) as colleague:
        ((pid,),) = rows_of(colleague, "SELECT pg_backend_pid()")
        colleague.run("BEGIN")
        colleague.run(f"ALTER ROLE {shard.role(shard.acme)} CONNECTION LIMIT 4")
        with pytest.raises(BootstrapError, match=f"process {pid} of {MASTER}, ") as caught:
            shard.place(shard.acme, "update", login=False)
        colleague.run("ROLLBACK")
    assert "CONNECTION LIMIT" not in str(caught.value)


@pytest.mark.usefixtures("quick")
def test_a_rotation_is_not_held_up(shard: Shard) -> None:
    arn, token, old = shard.secret_arn(shard.acme), "a" * 32, shard.secret(shard.acme)
    shard.secrets.labels[arn][token] = [PENDING]
    event = {"SecretId": arn, "ClientRequestToken": token}
    with held(shard, "its role"):
        for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            rotate({**event, "Step": step}, shard.secrets, shard.connect)
    assert shard.secret(shard.acme)["password"] != old["password"]
    assert lets_in(shard, shard.acme), "by the new password"


# Of a move.


@pytest.fixture
def journey(server: Server, other: Server, tmp_path: Path) -> Iterator[Journey]:
    found = Journey({"origin": server, "target": other}, tmp_path)
    found.run("CREATE TABLE ledger (id int PRIMARY KEY)", "INSERT INTO ledger VALUES (1)")
    yield found
    found.go("abort")


@contextmanager
def writing(shard: Shard) -> Iterator[None]:
    """A neighbour's transaction that has written something, in another database of the same server."""
    with shard.session(shard.bolt) as neighbour:
        neighbour.run("BEGIN")
        neighbour.run("INSERT INTO ledger VALUES (2, 'secret of bolt')")
        yield
        neighbour.run("COMMIT")


def test_a_neighbours_transaction_holds_up_no_move_without_end(
    journey: Journey, shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "SLOT_SECONDS", 2)
    with writing(shard):
        with pytest.raises(MoveError, match=f" of {shard.role(shard.bolt)}, ") as caught:
            journey.go("replicate")
        assert "secret of bolt" not in str(caught.value)
    journey.go("replicate")


def test_a_first_copy_that_waits_says_for_whom(journey: Journey, shard: Shard) -> None:
    """The subscription is made before its neighbour writes, and the copy of its table begins after that."""
    with ExitStack() as held_back, ExitStack() as neighbour:

        def step(name: str) -> None:
            if name == "subscribed":
                target = held_back.enter_context(
                    closing(journey.servers["target"].connect(SUPERUSER, database=journey.database))
                )
                target.run("BEGIN")
                target.run(f"LOCK TABLE {journey.role}.ledger IN SHARE MODE")
            if name == "copied":
                neighbour.enter_context(writing(shard))
                held_back.close()

        with pytest.raises(GoesOn, match=rf"is not over, which waits for: .* of {shard.role(shard.bolt)}, "):
            journey.go("replicate", step=step, patience=3.0)
        with pytest.raises(
            GoesOn, match=rf"is not over .*, which waits for: .* of {shard.role(shard.bolt)}, "
        ):
            journey.go("cutover", patience=0.5)
    journey.go("replicate")


def test_a_lock_of_the_tenants_own_is_named(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = (*database_endpoint.SESSION_SETTINGS, "SET lock_timeout = '500ms'")
    for module in (database_endpoint, tenant_session):
        monkeypatch.setattr(module, "SESSION_SETTINGS", settings)
    with journey.session() as tenant:
        tenant.run("BEGIN")
        tenant.run("LOCK TABLE ledger IN SHARE MODE")
        with pytest.raises(MoveError, match=f"may be held by: process [0-9]+ of {journey.role}, "):
            journey.go("replicate")
        tenant.run("COMMIT")
    journey.go("replicate")
