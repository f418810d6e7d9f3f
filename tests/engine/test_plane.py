"""Databases that run: tenants placed by the function itself, kept apart, and gone at the end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from cli.sandbox.psql import login
from devtools.locks import locks
from sandbox.data_plane.instances import Instance
from sandbox.data_plane.postgres_cluster import serves
from sandbox.data_plane.service import Service
from tests.engine.deployed import TENANTS, small
from tests.engine.live import OTHER, POOLED, SILOED, Live
from tests.rows import rows_of
from tests.waiting import LIMIT, children, is_running, wait_for

KEEP = "CREATE TABLE IF NOT EXISTS payments (id int PRIMARY KEY, payer text)"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Live]:
    """The dev stack with a few tenants and databases that run; not up yet."""
    space = Live(tmp_path)
    small(space)
    try:
        yield space
    finally:
        space.service.remove_servers()


@pytest.mark.slow
def test_tenants_log_in_and_keep_rows_to_themselves_and_a_destroy_stops_it_all(live: Live) -> None:
    begun = live.pids()
    assert len(begun) == 4, "a server for each instance"
    for tenant in (POOLED, OTHER, SILOED):
        live.psql(tenant, KEEP)
        live.psql(tenant, f"INSERT INTO payments VALUES (1, 'of {tenant}')")
        assert f"of {tenant}" in live.psql(tenant, "SELECT payer FROM payments")
    assert "permission denied for schema" in live.psql(OTHER, "SELECT * FROM t_amber_pay.payments")
    assert "does not exist" in live.psql(SILOED, "SELECT * FROM t_amber_pay.payments")
    again = live.up()
    assert (again.status, again.changes) == (0, ()), again.output
    assert live.pids() == begun, "a run without an edit starts nothing anew"

    assert_no_secret_in_state(live)
    assert live.destroy().status == 0
    assert [pid for data, pid in begun.items() if serves(pid, data)] == []
    assert not any(data.exists() for data in begun)
    assert live.sandbox_command("status").returncode == 0


@pytest.mark.slow
def test_a_rotation_turns_the_password_and_nobody_is_locked_out(live: Live) -> None:
    """The function's four steps, called as Secrets Manager calls them, with its role's permissions."""
    live.psql(POOLED, KEEP)
    before = login(live.service, POOLED, "dev")
    done = live.sandbox_command("rotate", POOLED)
    assert done.returncode == 0, done.stderr
    after = login(live.service, POOLED, "dev")
    assert after.secret["password"] != before.secret["password"]
    assert {**after.secret, "password": ""} == {**before.secret, "password": ""}
    assert "t_amber_pay" in live.psql(POOLED, "SELECT current_user")
    cluster = live.service.instances.cluster(before.instance)
    with pytest.raises((DatabaseError, InterfaceError), match=r"network error|authentication"):
        cluster.connect(before.secret["username"], before.secret["password"], before.secret["dbname"])
    assert live.preview().changes == (), "the program does not notice"

    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    result = live.sandbox_command("as", POOLED, "--", sys.executable, "-c", script)
    assert result.stdout.strip().endswith(":assumed-role/tenantry-dev-tenant-amber-pay/sandbox"), (
        result.stderr
    )
    assert (
        live.sandbox_command("as", POOLED, "--", sys.executable, "-c", "raise SystemExit(7)").returncode == 7
    )


@pytest.mark.slow
def test_a_killed_run_leaves_nothing_that_is_not_reported_and_the_next_one_sweeps(fresh: Live) -> None:
    live = fresh
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", "dev"]
    process = subprocess.Popen(
        command, cwd=live.project, env=live.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: len(live.pids()) >= 2 or process.poll() is not None, "the second server")
    assert process.poll() is None
    engine = next(pid for _, pid, alive in locks(live.sandbox, "dev") if alive)
    plugins = children(engine)
    assert plugins
    os.kill(engine, signal.SIGKILL)
    assert process.wait(LIMIT) != 0
    wait_for(lambda: not any(is_running(pid) for pid in plugins), "the end of the plugins")
    left = live.pids()
    assert left
    seen = live.sandbox_command("status").stdout
    assert "was killed" in seen
    assert [data for data, pid in left.items() if f"{pid}" not in seen] == [], "each process is reported"

    run = live.up()
    assert run.status == 0, run.output
    now = live.pids()
    assert len(now) == 4
    assert not set(now) & set(left), "the killed run was undone, its databases too"
    assert [pid for data, pid in left.items() if serves(pid, data)] == []
    assert "t_amber_pay" in live.psql(POOLED, "SELECT current_user")


def assert_no_secret_in_state(live: Live) -> None:
    """What the function wrote is in the vault alone."""
    passwords = [
        json.loads(live.service.secret_store.secret(arn, version) or b"{}")["password"]
        for arn, version in live.service.secret_store.rows("SELECT secret, version FROM versions")
        if "/database-" in arn
    ]
    assert len(passwords) == len(TENANTS)
    files = [p for p in live.sandbox.rglob("*") if p.is_file() and "plane" not in p.parts]
    assert len(files) > 3
    written = b"".join(p.read_bytes() for p in files)
    logs = b"".join(p.read_bytes() for p in (live.sandbox / "plane" / "logs").iterdir())
    assert b"bootstrap" in logs
    assert [p for p in passwords if p.encode() in written + logs] == []


@pytest.mark.slow
def test_a_suspended_tenant_is_locked_out_and_let_in_again(live: Live) -> None:
    text = live.registry.read_text(encoding="utf-8")
    suspended = text.replace("  name: Amber Pay\n", "  name: Amber Pay\n  state: suspended\n")
    assert suspended != text
    live.registry.write_text(suspended, encoding="utf-8")
    run = live.up()
    assert run.status == 0, run.output
    assert "is not permitted to log in" in live.psql(POOLED, "SELECT 1")
    live.registry.write_text(text, encoding="utf-8")
    run = live.up()
    assert run.status == 0, run.output
    assert "1" in live.psql(POOLED, "SELECT 1")


@pytest.mark.slow
def test_what_was_stopped_is_reported_and_goes_on_with_its_rows(live: Live) -> None:
    live.psql(POOLED, KEEP)
    live.psql(POOLED, "INSERT INTO payments VALUES (1, 'kept')")
    before = live.pids()
    assert live.sandbox_command("stop").returncode == 0
    assert [pid for data, pid in before.items() if serves(pid, data)] == []
    assert live.sandbox_command("status").stdout.count("stopped") == 4
    assert "kept" in live.psql(POOLED, "SELECT payer FROM payments"), "a session starts what it needs"
    assert live.sandbox_command("start").stdout.count("started") == 3
    assert live.sandbox_command("status").stdout.count("runs") == 4


@pytest.mark.slow
def test_rows_of_a_tenant_follow_from_its_shard_to_another_instance(live: Live) -> None:
    """With what the program itself sets up: parameter groups, master users, and the names of AWS."""
    live.psql(POOLED, KEEP)
    live.psql(POOLED, "INSERT INTO payments VALUES (1, 'before')")
    service = live.service
    shard, silo = (login(service, t, "dev").instance for t in (POOLED, SILOED))
    with closing(master(service, shard)) as here, closing(master(service, silo)) as there:
        here.run("GRANT t_amber_pay TO CURRENT_USER WITH INHERIT TRUE, SET TRUE")
        here.run("CREATE ROLE m_t_amber_pay LOGIN REPLICATION IN ROLE t_amber_pay PASSWORD 'of-the-move'")
        here.run("CREATE PUBLICATION m_t_amber_pay FOR TABLE t_amber_pay.payments")
        there.run("CREATE SCHEMA t_amber_pay")
        there.run(KEEP.replace("payments", "t_amber_pay.payments"))
        assert service.tls_proxy.port, "it stands while a run does"
        ((roots,),) = rows_of(there, "SHOW ssl_ca_file")
        ((database,),) = rows_of(here, "SELECT current_database()")
        there.run(
            f"CREATE SUBSCRIPTION m_t_amber_pay CONNECTION 'host={shard.host} port=5432 dbname={database}"
            f" user=m_t_amber_pay password=of-the-move sslmode=verify-full sslrootcert={roots}'"
            " PUBLICATION m_t_amber_pay"
        )
        live.psql(POOLED, "INSERT INTO payments VALUES (2, 'after')")
        payers = "SELECT payer FROM t_amber_pay.payments ORDER BY id"
        wait_for(lambda: there.run(payers) == [["before"], ["after"]], "the second row")
        there.run("DROP SUBSCRIPTION m_t_amber_pay")
    service.close()


def master(service: Service, instance: Instance) -> Connection:
    """A session of the administrator, whose password RDS keeps."""
    secret = service.secret_store.current(instance.managed_secret or "") or {}
    database = instance.inputs["dbName"]
    return service.instances.cluster(instance).connect(secret["username"], secret["password"], database)
