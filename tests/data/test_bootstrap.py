"""What the function does over a tenant's life, on a real PostgreSQL."""

import threading
from contextlib import closing
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from functions.common.advisory_lock import SPACE
from functions.common.connection import BootstrapError
from functions.tenant_bootstrap import guards, handler
from tests.data.server import MASTER
from tests.data.shard import Shard
from tests.waiting import LIMIT, wait_for

TAKE = f"SELECT pg_advisory_xact_lock({SPACE}, hashtext('{guards.LOCK}'))"
GONE = r"terminating connection|network error|reset by peer"


def catalog(shard: Shard) -> Any:
    """Everything that the function sets, the salted password aside."""
    a, b = (f"'{shard.role(t)}'" for t in (shard.acme, shard.bolt))
    return [
        shard.master(sql)
        for sql in (
            f"SELECT * FROM pg_roles WHERE rolname IN ({a}, {b}) ORDER BY 1",
            f"SELECT nspname, nspowner, nspacl::text FROM pg_namespace WHERE nspname IN ({a}, {b}, 'public')"
            " ORDER BY 1",
            "SELECT datacl::text FROM pg_database WHERE datname = current_database()",
            "SELECT setrole::regrole, setconfig FROM pg_db_role_setting"
            f" WHERE setrole::regrole::text IN ({a}, {b}) ORDER BY 1",
            f"SELECT roleid, member FROM pg_auth_members WHERE roleid::regrole::text IN ({a}, {b})",
        )
    ]


def test_again_changes_nothing(shard: Shard) -> None:
    before = catalog(shard)
    for action in ("create", "update", "update"):
        shard.place(shard.acme, action)
    assert catalog(shard) == before
    assert shard.run(shard.acme, "SELECT * FROM ledger") == [[1, f"of {shard.acme}"]]


def test_one_tenants_run_changes_nothing_of_another(shard: Shard) -> None:
    def of_bolt() -> Any:
        return [[row for row in part if shard.role(shard.bolt) in map(str, row)] for part in catalog(shard)]

    before = of_bolt()
    shard.place(shard.acme, "update", connections=1, statementMs=1)
    shard.place(shard.acme, "delete")
    assert of_bolt() == before


def test_an_update_takes_the_new_password_and_forgets_the_old(shard: Shard) -> None:
    first = shard.secret(shard.acme)["password"]
    shard.new_password(shard.acme, "second")
    with pytest.raises(DatabaseError, match="password authentication failed"):
        shard.run(shard.acme, "SELECT 1")
    shard.place(shard.acme, "update")
    assert shard.run(shard.acme, "SELECT 1") == [[1]]
    shard.new_password(shard.acme, first)
    with pytest.raises(DatabaseError, match="password authentication failed"):
        shard.run(shard.acme, "SELECT 1")


def test_limits_are_bound_at_login(shard: Shard) -> None:
    shard.place(shard.acme, "update", connections=3, statementMs=1234, idleMs=2345)
    limits = (
        "SELECT current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')"
    )
    assert shard.run(shard.acme, limits) == [["1234ms", "2345ms"]]
    assert shard.run(shard.acme, "SHOW search_path") == [[shard.role(shard.acme)]]


def test_delete_ends_sessions_and_the_login_and_keeps_every_row(shard: Shard) -> None:
    with shard.session(shard.acme) as session:
        assert shard.place(shard.acme, "delete")["login"] is False
        with pytest.raises((DatabaseError, InterfaceError, OSError), match=GONE):
            session.run("SELECT * FROM ledger")
    with pytest.raises(DatabaseError, match=r"is not permitted to log in|password authentication failed"):
        shard.run(shard.acme, "SELECT 1")
    shard.place(shard.acme, "create")
    assert shard.run(shard.acme, "SELECT * FROM ledger") == [[1, f"of {shard.acme}"]]


def test_without_ending_sessions_a_deleted_tenant_reads_on(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "end_sessions", lambda *_: None)
    with shard.session(shard.acme) as session:
        shard.place(shard.acme, "delete")
        assert session.run("SELECT payer FROM ledger") == [[f"of {shard.acme}"]]


def test_without_closing_the_place_a_deleted_tenant_comes_back(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "disable_login", lambda *_: None)
    shard.place(shard.acme, "delete")
    assert shard.run(shard.acme, "SELECT 1") == [[1]]


def test_nobody_is_led_away_from_its_rows_but_by_a_move(shard: Shard) -> None:
    """The stages of a move were not run: the registry says another instance, and the rows are here."""
    before = shard.secret(shard.acme)
    with pytest.raises(
        handler.BootstrapError, match=f"{shard.acme} lives at shard, and silo has none of its rows"
    ):
        shard.place(shard.acme, host="silo.mock.eu-west-1.rds.amazonaws.com")
    assert shard.secret(shard.acme) == before
    assert shard.run(shard.acme, "SELECT 1") == [[1]]


def test_deleting_who_was_never_there_is_well(empty: Shard) -> None:
    role = empty.role(empty.acme)
    done = {"tenant": empty.acme, "action": "delete", "role": role, "login": False}
    assert [empty.place(empty.acme, "delete") for _ in range(2)] == [done, done]
    left = f"SELECT rolname FROM pg_roles WHERE rolname = '{role}' UNION SELECT nspname FROM pg_namespace"
    assert empty.master(f"{left} WHERE nspname = '{role}'") == []
    assert empty.secrets.stages(empty.secret_arn(empty.acme)) == {}


def test_the_servers_log_never_holds_a_password(shard: Shard) -> None:
    shard.new_password(shard.acme, "canary-of-the-log")
    shard.place(shard.acme, "update")
    logged = shard.server.log
    assert (
        f'ALTER ROLE "{shard.role(shard.acme)}" LOGIN PASSWORD' in logged
    )  # DDL is logged, with what it holds
    assert "canary-of-the-log" not in logged


def test_a_password_sent_as_it_is_would_be_in_the_log(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "verifier", lambda password: password)
    shard.new_password(shard.acme, "canary-in-the-clear")
    shard.place(shard.acme, "update")
    assert "canary-in-the-clear" in shard.server.log


def test_runs_wait_for_one_another(shard: Shard) -> None:
    """PostgreSQL fails two that change the rights of one database at once ("tuple concurrently updated")."""
    holder = shard.server.connect(MASTER, database=shard.database)
    holder.run("BEGIN")
    holder.run(TAKE)
    done: list[Any] = []
    runner = threading.Thread(target=lambda: done.append(shard.place(shard.acme, "update")))
    runner.start()
    waiting = (
        "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%advisory%'"
        " AND datname = current_database() AND query NOT LIKE 'SELECT pg_advisory%'"
    )
    wait_for(lambda: shard.master(waiting), "the run to wait for the lock")
    assert not done
    holder.run("COMMIT")
    holder.close()
    runner.join(LIMIT)
    assert done


def test_a_run_says_so_when_another_does_not_end(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "PATIENCE", 0.5)
    with closing(shard.server.connect(MASTER, database=shard.database)) as holder:
        holder.run(TAKE.replace("_xact", ""))
        with pytest.raises(BootstrapError, match="another call has been changing the roles of this database"):
            shard.place(shard.acme, "update")


def test_a_tenant_that_takes_the_lock_holds_no_other_tenant_up(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "PATIENCE", 5.0)

    def take() -> None:
        with shard.session(shard.bolt) as hostile:
            hostile.run(TAKE.replace("_xact", ""))
            shard.place(shard.acme, "update")
            placed.append(shard.acme)
            hostile.run("SELECT 1")

    placed: list[str] = []
    with pytest.raises((DatabaseError, InterfaceError), match=GONE):
        take()
    assert placed == [shard.acme]


def test_many_at_once_all_arrive(empty: Shard) -> None:
    tenants = [f"many{empty.number}x{n}" for n in range(8)]
    failed: list[Exception] = []

    def place(tenant: str) -> None:
        try:
            empty.place(tenant)
        except Exception as problem:
            failed.append(problem)

    runners = [threading.Thread(target=place, args=[t]) for t in tenants]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join(LIMIT)
    assert not failed
    assert [empty.run(t, "SELECT current_user") for t in tenants] == [[[empty.role(t)]] for t in tenants]


def test_the_result_holds_no_secret(shard: Shard) -> None:
    shard.new_password(shard.acme, "canary-of-the-result")
    assert shard.place(shard.acme, "update") == {
        "tenant": shard.acme,
        "action": "update",
        "role": shard.role(shard.acme),
        "login": True,
    }


def test_a_secret_of_another_role_is_refused(shard: Shard) -> None:
    wrong = {"username": shard.role(shard.bolt), "password": "x"}
    shard.secrets.write(shard.secret_arn(shard.acme), wrong)
    with pytest.raises(handler.BootstrapError, match="its secret is not the one of role"):
        shard.place(shard.acme, "update")


def test_the_first_password_is_made_here_and_kept_nowhere_else(empty: Shard) -> None:
    empty.place(empty.acme)
    secret = empty.secret(empty.acme)
    assert len(secret["password"]) == 48
    assert {**secret, "password": "…"} == {
        "engine": "postgres",
        "username": empty.role(empty.acme),
        "password": "…",
        "host": "shard.mock.eu-west-1.rds.amazonaws.com",
        "port": 5432,
        "dbname": empty.database,
        "schema": empty.role(empty.acme),
        "masterarn": empty.event(empty.acme)["masterSecret"],
    }
    empty.place(empty.bolt)
    assert empty.secret(empty.bolt)["password"] != secret["password"]


def test_an_update_keeps_the_password_and_writes_a_version_only_where_its_instance_was_made_again(
    shard: Shard,
) -> None:
    before, arn = shard.secret(shard.acme), shard.secret_arn(shard.acme)
    shard.place(shard.acme, "update")
    assert len(shard.secrets.versions[arn]) == 1
    shard.place(shard.acme, "update", host="shard.made-again.eu-west-1.rds.amazonaws.com")
    assert len(shard.secrets.versions[arn]) == 2
    assert shard.secret(shard.acme) == {
        **before,
        "host": "shard.made-again.eu-west-1.rds.amazonaws.com",
    }


def test_a_run_that_stops_after_the_first_secret_was_written_is_finished_by_the_next(empty: Shard) -> None:
    def breaks(*_: Any) -> Any:
        yield "SELECT 1 / 0"

    with pytest.raises(handler.BootstrapError, match="division by zero"):
        empty.place(empty.acme, guards=[*guards.GUARDS, guards.Guard("breaks", breaks)])
    written = empty.secret(empty.acme)
    empty.place(empty.acme)
    assert empty.secret(empty.acme) == written
    assert empty.run(empty.acme, "SELECT 1") == [[1]]


def test_an_administrators_secret_that_is_empty_is_said(empty: Shard) -> None:
    arn = empty.event(empty.acme)["masterSecret"] + "0"
    with pytest.raises(handler.BootstrapError, match="the secret of the administrator is empty"):
        empty.place(empty.acme, masterSecret=arn)
