"""A tenant of a shard that leaves, and the function that lets it go, as a test calls it."""

import gzip
import json
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pg8000.exceptions import InterfaceError
from pg8000.native import Connection

from functions.common.connection import TenantDatabase
from functions.common.secret_store import Secret
from functions.tenant_leaving.handler import carry_out
from functions.tenant_leaving.tools import Instance, Key, OffboardingError, Tools
from tests.data.clouds import Clock, FakeDatabases, FakeKeys, FakeObjects, FakeSecrets
from tests.data.moving import Killed, nothing
from tests.data.shard import MASTER_ARN, Shard

HOST = "shard.mock.eu-west-1.rds.amazonaws.com"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666"
SHARD_KEY = KEY.replace("0a1b", "ffff")
EARLIER = [KEY.replace("0a1b", "1111"), KEY.replace("0a1b", "2222")]  # of who had another key before
ACCOUNT = "111122223333"
NEEDS = {
    "export": (
        "role schema host port database masterSecret tenantSecret bucket handover"
    ),
    "keep": "keyArn",
    "close": "keyArn keyDays secrets evidence",
    "erase": (
        "role schema host port database masterSecret bucket handover keyArn instances secrets evidence"
    ),
    "certify": "evidence",
}  # fmt: skip


@dataclass
class Leaver:
    """`shard.acme` leaves; `shard.bolt` stays."""

    shard: Shard
    clock: Clock = field(default_factory=Clock)
    objects: FakeObjects = field(default_factory=FakeObjects)
    databases: FakeDatabases = field(default_factory=FakeDatabases)
    secrets: FakeSecrets = field(default_factory=FakeSecrets)
    sessions: list[Connection] = field(default_factory=list)
    dead: bool = False

    def __post_init__(self) -> None:
        self.tenant, self.role = self.shard.acme, self.shard.role(self.shard.acme)
        self.keys = FakeKeys(self.clock, {KEY: Key("Enabled"), SHARD_KEY: Key("Enabled")})
        self.bucket = f"tenantry-dev-t-{self.tenant}-{ACCOUNT}"
        self.handover = f"tenantry-dev-t-{self.tenant}-handover-{ACCOUNT}"
        self.evidence = f"tenantry-dev-evidence-{ACCOUNT}"
        self.own = f"tenantry-dev-silo-{self.tenant}"
        for name in (self.bucket, self.handover, self.evidence):
            self.objects.buckets[name] = []
        self.databases.instances["shard"] = Instance("shard", SHARD_KEY, 7)

    @property
    def scratch(self) -> str:
        return f"v_{self.role}"

    def event(self, stage: str, **changes: Any) -> dict[str, Any]:
        whole = {
            "role": self.role, "schema": self.role, "host": HOST, "port": 5432,
            "database": self.shard.database, "masterSecret": MASTER_ARN,
            "tenantSecret": self.shard.secret_arn(self.tenant), "bucket": self.bucket,
            "handover": self.handover, "keyArn": KEY, "keyDays": 7, "instances": [],
            "secrets": [self.shard.secret_arn(self.tenant)], "evidence": self.evidence,
        }  # fmt: skip
        values = {k: whole[k] for k in NEEDS[stage].split()}
        return {
            "tenant": self.tenant, "stage": stage, **values, "revision": 1, "lifecycle": {"action": "create"},
        } | changes  # fmt: skip

    def go(
        self,
        stage: str,
        step: Callable[[str], None] = nothing,
        late: Callable[[], bool] = lambda: False,
        **changes: Any,
    ) -> Mapping[str, Any]:
        return self.carry_out(self.event(stage, **changes), step, late)

    def carry_out(
        self,
        event: Mapping[str, Any],
        step: Callable[[str], None] = nothing,
        late: Callable[[], bool] = lambda: False,
    ) -> Mapping[str, Any]:
        self.sessions, self.dead = [], False
        tools = Tools(
            connect=self.open, store=self.shard.secrets, keys=self.keys, objects=self.objects,
            databases=self.databases, secrets=self.secrets, now=self.clock, step=step, late=late,
        )  # fmt: skip
        answer = carry_out(event, tools)
        json.dumps(answer)
        return answer

    def open(self, where: TenantDatabase, login: Secret) -> Connection:
        session = self.shard.connect(where, login)
        self.sessions.append(session)
        return session

    def suspend(self) -> None:
        self.shard.place(self.tenant, "update", login=False)

    def through(self, stage: str, **changes: Any) -> tuple[Mapping[str, Any], set[str]]:
        """One stage, killed at each step that no run was killed at before, until a run comes to its end."""
        killed: set[str] = set()

        def step(name: str) -> None:
            if name not in killed:
                killed.add(name)
                self.dead = True
                for session in self.sessions:
                    with suppress(OSError, AttributeError):  # AttributeError: it is closed
                        session._usock.shutdown(socket.SHUT_RDWR)
                raise Killed

        while True:
            try:
                return self.go(stage, step=step, **changes), killed
            except (Killed, InterfaceError, OffboardingError, OSError):
                if not self.dead:
                    raise

    # who looks

    def peek(self, *statements: str, database: str | None = None) -> Any:
        """As the superuser."""
        connection = self.shard.server.connect("rdsadmin", database=database or self.shard.database)
        try:
            return [connection.run(s) for s in statements][-1]
        finally:
            connection.close()

    def document(self, bucket: str, key: str) -> Any:
        return json.loads(self.objects.content(bucket)[key])

    @property
    def dump(self) -> str:
        return gzip.decompress(self.objects.content(self.handover)["dump.sql.gz"]).decode()

    @property
    def left(self) -> list[str]:
        """What a run may not leave behind."""
        found = self.peek(
            f"SELECT datname FROM pg_database WHERE datname = '{self.scratch}' UNION ALL"
            f" SELECT rolname FROM pg_roles WHERE rolname IN ('{self.scratch}', 'm_{self.role}') UNION ALL"
            " SELECT 'membership' FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid"
            f" WHERE r.rolname = '{self.role}' AND (a.inherit_option OR a.set_option)"
        )
        return sorted(str(x) for (x,) in found)


def moved(leaver: Leaver, role: str) -> None:
    """What moves that nobody ended have left."""
    leaver.peek(
        f"CREATE PUBLICATION m_{role}_out",
        f"CREATE PUBLICATION m_{role}_back",
        f"SELECT pg_create_logical_replication_slot('m_{role}_out', 'pgoutput')",
        f"SELECT pg_create_logical_replication_slot('m_{role}_back_seen', 'pgoutput')",
    )
    leaver.shard.master(
        f"CREATE ROLE m_{role}",
        f"GRANT CONNECT ON DATABASE {leaver.shard.database} TO m_{role}",
        f"CREATE SUBSCRIPTION m_{role}_back CONNECTION 'host=nowhere password=x' PUBLICATION m_{role}_back"
        " WITH (connect = false, slot_name = NONE)",
    )
    leaver.peek(*(f"ALTER PUBLICATION m_{role}_{d} OWNER TO platform" for d in ("out", "back")))


def of_moves(leaver: Leaver) -> int:
    names = f"'m_{leaver.role}%'"
    return leaver.peek(
        f"SELECT (SELECT count(*) FROM pg_publication WHERE pubname LIKE {names})"
        f" + (SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE {names})"
        f" + (SELECT count(*) FROM pg_subscription WHERE subname LIKE {names})"
        f" + (SELECT count(*) FROM pg_roles WHERE rolname LIKE {names})"
    )[0][0]
