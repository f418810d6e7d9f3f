"""The dev stack with real databases."""

import datetime
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pg8000.native import Connection

from cli.sandbox.psql import login
from sandbox.data_plane.service import SWITCH, Service
from tests.cells import ROOT
from tests.engine.workspace import Run, Workspace
from tests.waiting import LIMIT

# Two tenants that share a shard, and one with an instance of its own.
POOLED, OTHER, SILOED = "amber-pay", "birch-lending", "ember-cards"
# What of the cell a move may touch: the paths between the two databases, while it lasts.
SHARED = (
    "cell-paths-pool-db-to-silo-db-",
    "cell-paths-silo-db-to-pool-db-",
    "cell-pool-data-acl",
    "cell-silo-data-acl",
)


class Live(Workspace):
    """Everything that a person would type."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, "dev")
        self.env[SWITCH] = "1"

    @property
    def service(self) -> Service:
        return Service(self.sandbox)

    def start(self) -> None:
        """Let every database run, as it does after an `up`."""
        service = self.service
        service.start(None, make=False)
        service.close()

    def sandbox_command(self, *args: str) -> "subprocess.CompletedProcess[str]":
        """What a person types."""
        return subprocess.run(
            [sys.executable, "-m", "sandbox", *args],
            cwd=ROOT,
            env=os.environ | {"TENANTRY_SANDBOX_DIR": str(self.sandbox)},
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
            stdin=subprocess.DEVNULL,
        )

    def psql(self, tenant: str, sql: str) -> str:
        done = self.sandbox_command("psql", tenant, "-c", sql)
        return done.stdout if done.returncode == 0 else f"refused: {done.stderr}"

    def pids(self) -> dict[Path, int]:
        """Data directory → the server that serves it now."""
        return {c.data: c.pid for c in self.service.instances.clusters() if c.pid}

    @contextmanager
    def session(self, tenant: str) -> Iterator[Connection]:
        """As a tenant, with what its secret says now."""
        found = login(self.service, tenant, self.stack)
        secret = found.secret
        cluster = self.service.instances.cluster(found.instance)
        session = cluster.connect(secret["username"], secret["password"], secret["dbname"])
        try:
            yield session
        finally:
            session.close()

    def tenants_command(self, *args: str) -> str:
        """`python -m tenants` on this workspace's registry."""
        done = subprocess.run(
            [sys.executable, "-m", "tenants", *args],
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def wait(self, days: int) -> None:
        """Time goes by, for the cloud and for the registry."""
        assert self.sandbox_command("clock", f"+{days}").returncode == 0
        self.env["TENANTRY_TODAY"] = str(datetime.date.today() + datetime.timedelta(days=days))

    def step(self, *args: str) -> Run:
        """The next stage of a tenant's life, as a change of the registry and a run."""
        self.tenants_command(*args)
        return self.up()
