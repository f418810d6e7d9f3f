"""A tenant between two servers, and the function that moves it, as a test calls it."""

import itertools
import json
import math
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pg8000.exceptions import DatabaseError
from pg8000.native import Connection, identifier

from functions.common.connection import BootstrapError, TenantDatabase, server_message
from functions.common.database_endpoint import DatabaseEndpoint
from functions.common.secret_store import Secret
from functions.tenant_bootstrap.handler import bootstrap
from functions.tenant_data.handler import carry_out
from functions.tenant_data.move import Tools
from tests.data.server import MASTER, PASSWORD, Server
from tests.data.shard import ARN, MASTER_ARN, FakeStore
from tests.parameters import FakeParameters
from tests.waiting import LIMIT

STEPS = ("prepare", "replicate", "cutover", "soak", "done")
BUDGET = 600  # seconds without writes, the most that may be asked for: a busy machine fails no test
_numbers = itertools.count(1)


class Killed(BaseException):
    """As a process ends that is killed: nothing of it runs any more, no handler and no clean-up."""


class Folder:
    """A bucket."""

    def __init__(self, path: Path) -> None:
        self.path, self.keys = path, list[str]()

    def put(self, bucket: str, key: str, path: Path) -> None:
        target = self.path / bucket / key
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        self.keys.append(key)

    def put_bytes(self, bucket: str, key: str, content: bytes) -> None:
        target = self.path / bucket / key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def get(self, bucket: str, key: str) -> bytes | None:
        path = self.path / bucket / key
        return path.read_bytes() if path.exists() else None

    def remove(self, bucket: str, key: str) -> None:
        (self.path / bucket / key).unlink(missing_ok=True)


def nothing(_: str) -> None:
    """The step is not the one."""


@dataclass
class BudgetClock:
    """The clock by which a cutover's budget is used up; seconds go by without anybody waiting for them."""

    ahead: float = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


@dataclass
class Journey:
    """One tenant with a place at both ends, made by the bootstrap function, open at the origin."""

    servers: Mapping[str, Server]  # origin and target, and for some a third
    folder: Path
    number: int = field(default_factory=lambda: next(_numbers))
    secrets: FakeStore = field(default_factory=FakeStore)

    def __post_init__(self) -> None:
        self.sessions: list[Connection] = []  # of the function
        self.dead = False
        self.tenant = f"mover-{self.number}"
        self.role = f"t_mover_{self.number}"
        self.database = f"moving{self.number}"
        self.bucket = Folder(self.folder)
        self.catalog = FakeParameters()
        self.entry = f"/tenantry/dev/tenants/{self.tenant}"
        known = {"host": host("origin"), "port": 5432, "readers": ["reader.of.origin"], "name": self.database}
        self.catalog.put(self.entry, json.dumps({"tenant": self.tenant, "database": known, "active": True}))
        self.secret_arn = f"{ARN}tenantry/dev/tenants/{self.tenant}/database-AbCdEf"
        self.secrets.write(MASTER_ARN, {"username": MASTER, "password": PASSWORD})
        for name, server in self.servers.items():
            server.superuser(f"CREATE DATABASE {self.database} OWNER {MASTER} STRATEGY file_copy")
            self._place(name, serves=name == "origin")

    def _place(self, name: str, *, serves: bool) -> None:
        event = {
            "tenant": self.tenant, "role": self.role, "schema": self.role, "host": host(name), "port": 5432,
            "database": self.database, "masterSecret": MASTER_ARN, "tenantSecret": self.secret_arn,
            "webhookSecret": None, "login": serves, "connections": 20, "statementMs": 600_000,
            "idleMs": 600_000, "revision": 1, "lifecycle": {"action": "create"},
        }  # fmt: skip
        kept = self.secrets
        if not serves:  # the tenant's secret stays as it is
            kept = FakeStore()
            kept.write(MASTER_ARN, {"username": MASTER, "password": PASSWORD})
        bootstrap(event, kept, self.open)

    def open(self, where: TenantDatabase, login: Secret) -> Connection:
        server = self.servers[where.host.split(".")[0]]
        try:
            session = server.connect(login["username"], login["password"], where.database)
        except DatabaseError as refusal:
            raise BootstrapError(server_message(refusal)) from None
        self.sessions.append(session)
        return session

    def die(self) -> None:
        """What the function's servers see when its process is killed: every session is cut."""
        self.dead = True
        for session in self.sessions:
            with suppress(OSError, AttributeError):  # AttributeError: it is closed
                session._usock.shutdown(socket.SHUT_RDWR)

    def reach(self, source: DatabaseEndpoint, _: DatabaseEndpoint) -> str:
        """By its socket; the way with TLS is the sandbox's and has its tests there."""
        return f"host='{self.servers[source.name].directory}'"

    def event(self, stage: str, **changes: Any) -> dict[str, Any]:
        return {
            "tenant": self.tenant,
            "role": self.role,
            "schema": self.role,
            "stage": stage,
            "origin": self.end("origin"),
            "target": self.end("target"),
            "targetGib": 20,
            "tenantSecret": self.secret_arn,
            "bucket": "the-bucket",
            "budgetSeconds": BUDGET,
            "catalog": self.entry,
            "readers": {"origin": ["reader.of.origin"], "target": []},
            "revision": 1,
            "lifecycle": {"action": "update"},
        } | changes

    def end(self, name: str) -> dict[str, Any]:
        return {"host": host(name), "port": 5432, "database": self.database, "masterSecret": MASTER_ARN}

    def go(
        self,
        stage: str,
        step: Callable[[str], None] = nothing,
        patience: float = LIMIT,
        left: float = math.inf,
        ends: Callable[[], bool] = lambda: False,
        **changes: Any,
    ) -> Mapping[str, Any]:
        tools = Tools(
            connect=self.open, store=self.secrets, objects=self.bucket, reach=self.reach, step=step,
            patience=patience, parameters=lambda: self.catalog, left=lambda: left,
            ends=ends,
        )  # fmt: skip
        self.sessions, self.dead = [], False
        return carry_out(self.event(stage, **changes), tools)

    # who looks

    @property
    def serving(self) -> str:
        return str(self.secret["host"]).split(".")[0]

    @property
    def in_catalog(self) -> str:
        """Where the services look for the tenant."""
        return str(json.loads(self.catalog.values[self.entry])["database"]["host"]).split(".")[0]

    @property
    def secret(self) -> Secret:
        found = self.secrets.read(self.secret_arn)
        assert found is not None
        return found

    @contextmanager
    def session(self, name: str | None = None) -> Iterator[Connection]:
        """As the tenant, with what its secret says now."""
        secret = self.secret
        server = self.servers[name or self.serving]
        connection = server.connect(secret["username"], secret["password"], self.database)
        try:
            yield connection
        finally:
            connection.close()

    def run(self, *statements: str, at: str | None = None) -> Any:
        with self.session(at) as connection:
            return [connection.run(s) for s in statements][-1]

    def master(self, name: str, *statements: str) -> Any:
        connection = self.servers[name].connect(MASTER, database=self.database)
        try:
            return [connection.run(s) for s in statements][-1]
        finally:
            connection.close()

    def peek(self, name: str, *statements: str) -> Any:
        """As the superuser, whom no role of the move can hide anything from."""
        connection = self.servers[name].connect("rdsadmin", database=self.database)
        try:
            connection.run(f"SET search_path = {identifier(self.role)}")
            return [connection.run(s) for s in statements][-1]
        finally:
            connection.close()

    def left(self, name: str) -> list[str]:
        """What replication has left at an end."""
        found = self.peek(
            name,
            f"SELECT 'publication ' || pubname FROM pg_publication UNION ALL"
            f" SELECT 'slot ' || slot_name FROM pg_replication_slots WHERE database = '{self.database}'"
            f" UNION ALL SELECT 'subscription ' || subname FROM pg_subscription s JOIN pg_database d"
            f" ON d.oid = s.subdbid WHERE d.datname = '{self.database}' UNION ALL"
            f" SELECT 'role ' || rolname FROM pg_roles WHERE rolname IN ('m_{self.role}', 's_{self.role}')"
            " UNION ALL"
            f" SELECT 'membership' FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid"
            f" WHERE r.rolname = '{self.role}' AND (a.inherit_option OR a.set_option)",
        )
        return sorted(str(x) for (x,) in found)


def host(name: str) -> str:
    return f"{name}.mock.eu-west-1.rds.amazonaws.com"
