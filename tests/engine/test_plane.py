"""Databases that run: tenants placed by the function itself, kept apart, and gone at the end."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.plane.cluster import serves
from sandbox.plane.service import SWITCH, Service
from tests.cells import ROOT
from tests.engine.workspace import Workspace

POOLED, OTHER, SILOED = "amber-pay", "birch-lending", "ember-cards"
KEEP = "CREATE TABLE IF NOT EXISTS payments (id int PRIMARY KEY, payer text)"


class Live(Workspace):
    """The dev stack with real databases."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, "dev")
        self.env[SWITCH] = "1"

    @property
    def service(self) -> Service:
        return Service(self.sandbox)

    def sandbox_command(self, *args: str) -> "subprocess.CompletedProcess[str]":
        """What a person types."""
        return subprocess.run(
            [sys.executable, "-m", "sandbox", *args],
            cwd=ROOT,
            env=os.environ | {"TENANTRY_SANDBOX_DIR": str(self.sandbox)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    def psql(self, tenant: str, sql: str) -> str:
        done = self.sandbox_command("psql", tenant, "-c", sql)
        return done.stdout if done.returncode == 0 else f"refused: {done.stderr}"

    def pids(self) -> dict[Path, int]:
        """Data directory → the server that serves it now."""
        return {c.data: c.pid for c in self.service.instances.clusters() if c.pid}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    space = Live(tmp_path)
    try:
        yield space
    finally:
        space.service.remove_servers()


def test_tenants_log_in_and_keep_rows_to_themselves_and_a_destroy_stops_it_all(live: Live) -> None:
    run = live.up()
    assert run.status == 0, run.output
    begun = live.pids()
    assert len(begun) == 5, "a server for each instance of dev"
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


def assert_no_secret_in_state(live: Live) -> None:
    """What the function wrote is in the vault alone."""
    passwords = [
        json.loads(live.service.vault.secret(arn, version) or b"{}")["password"]
        for arn, version in live.service.vault.rows("SELECT secret, version FROM versions")
        if "/database-" in arn
    ]
    assert len(passwords) == 6
    files = [p for p in live.sandbox.rglob("*") if p.is_file() and "plane" not in p.parts]
    assert len(files) > 3
    written = b"".join(p.read_bytes() for p in files)
    logs = b"".join(p.read_bytes() for p in (live.sandbox / "plane" / "logs").iterdir())
    assert b"bootstrap" in logs
    assert [p for p in passwords if p.encode() in written + logs] == []


def test_a_suspended_tenant_is_locked_out_and_let_in_again(live: Live) -> None:
    assert live.up().status == 0
    text = live.registry.read_text(encoding="utf-8")
    suspended = text.replace("  name: Amber Pay\n", "  name: Amber Pay\n  state: suspended\n")
    assert suspended != text
    live.registry.write_text(suspended, encoding="utf-8")
    run = live.up()
    assert run.status == 0, run.output
    assert "is not permitted to log in" in live.psql(POOLED, "SELECT 1")
    live.registry.write_text(text, encoding="utf-8")
    assert live.up().status == 0
    assert "1" in live.psql(POOLED, "SELECT 1")


def test_what_was_stopped_is_reported_and_goes_on_with_its_rows(live: Live) -> None:
    assert live.up().status == 0
    live.psql(POOLED, KEEP)
    live.psql(POOLED, "INSERT INTO payments VALUES (1, 'kept')")
    before = live.pids()
    assert live.sandbox_command("stop").returncode == 0
    assert [pid for data, pid in before.items() if serves(pid, data)] == []
    assert live.sandbox_command("status").stdout.count("stopped") == 5
    assert "kept" in live.psql(POOLED, "SELECT payer FROM payments"), "a session starts what it needs"
    assert live.sandbox_command("start").stdout.count("started") == 4
    assert live.sandbox_command("status").stdout.count("runs") == 5
