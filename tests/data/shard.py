"""A pool shard with two tenants on it, as the bootstrap function leaves it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from functions.common.connection import TenantDatabase, refusal_error
from functions.common.secret_store import CURRENT, PENDING, Secret
from functions.tenant_bootstrap.guards import GUARDS, Guard
from functions.tenant_bootstrap.handler import bootstrap
from tests.data.server import MASTER, OTHER, PASSWORD, Server

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
MASTER_ARN = f"{ARN}rds!db-4f1c"
ROWS = "CREATE TABLE ledger (id int PRIMARY KEY, payer text); INSERT INTO ledger VALUES (1, 'of {}')"


class FakeStore:
    """Secrets Manager's versions and stages, as its API reference has them."""

    def __init__(self) -> None:
        self.versions: dict[str, dict[str, Secret]] = {}
        self.labels: dict[str, dict[str, list[str]]] = {}

    def read(self, arn: str, version: str | None = None) -> Secret | None:
        current = [v for v, stages in self.labels.get(arn, {}).items() if CURRENT in stages]
        return self.versions.get(arn, {}).get(version or (current or [""])[0])

    def write(self, arn: str, content: Secret, version: str | None = None) -> None:
        written = self.versions.setdefault(arn, {})
        name = version or f"version-{len(written)}"
        assert name not in written, "a version is written once"
        written[name] = dict(content)
        self.labels.setdefault(arn, {})[name] = [PENDING]
        if version is None:
            self.promote(arn, name)

    def stages(self, arn: str) -> Mapping[str, Sequence[str]]:
        return self.labels.get(arn, {})

    def promote(self, arn: str, version: str) -> None:
        for stages in self.labels[arn].values():
            if CURRENT in stages:
                stages.remove(CURRENT)
        self.labels[arn][version] = [CURRENT]

    def drop(self, arn: str, version: str) -> None:
        del self.labels[arn][version]  # a version without a stage is not listed any more


@dataclass
class Shard:
    """`acme` and `bolt` stand for A and B; each shard has its own pair, since roles are the cluster's."""

    server: Server
    number: int
    secrets: FakeStore = field(default_factory=FakeStore)

    def __post_init__(self) -> None:
        self.database = f"shard{self.number}"
        self.acme, self.bolt = f"acme{self.number}", f"bolt{self.number}"
        self.secrets.write(MASTER_ARN, {"username": MASTER, "password": PASSWORD})
        self.server.superuser(
            f"CREATE DATABASE {self.database} OWNER {MASTER} STRATEGY file_copy",
            f"GRANT CONNECT, TEMPORARY ON DATABASE {OTHER} TO PUBLIC",
        )
        # As in a database that was made before PostgreSQL 15 and upgraded since.
        self.server.superuser("GRANT CREATE ON SCHEMA public TO PUBLIC", database=self.database)

    # what the function is given

    def secret_arn(self, tenant: str) -> str:
        return f"{ARN}tenantry/dev/tenants/{tenant}/database-AbCdEf"

    def new_password(self, tenant: str, password: str) -> None:
        """As a rotation or a hand leaves it; the function makes the first one itself."""
        content = {"username": self.role(tenant), "password": password}
        self.secrets.write(self.secret_arn(tenant), content)

    def event(self, tenant: str, action: str = "create", **changes: Any) -> dict[str, Any]:
        return {
            "tenant": tenant,
            "role": self.role(tenant),
            "schema": self.role(tenant),
            "host": "shard.mock.eu-west-1.rds.amazonaws.com",
            "port": 5432,
            "database": self.database,
            "masterSecret": MASTER_ARN,
            "tenantSecret": self.secret_arn(tenant),
            "webhookSecret": None,
            "login": True,
            "hold": False,
            "connections": 5,
            "statementMs": 5000,
            "idleMs": 5000,
            "revision": 1,
            "lifecycle": {"action": action},
        } | changes

    def inspection(self, *columns: str, keys: Sequence[str], tenant: str | None = None) -> dict[str, Any]:
        """What the daily schedule sends of acme's protected columns, or of another tenant's."""
        tenant = tenant or self.acme
        fields = ("tenant", "role", "schema", "host", "port", "database", "masterSecret")
        sent = {name: value for name, value in self.event(tenant).items() if name in fields}
        return {**sent, "inspect": True, "protected": {"columns": list(columns), "keys": list(keys)}}

    def place(
        self, tenant: str, action: str = "create", guards: Sequence[Guard] = GUARDS, **changes: Any
    ) -> Mapping[str, Any]:
        """Call the function, with other guards than its own where a test takes one away."""
        event = self.event(tenant, action, **changes)
        return bootstrap(event, self.secrets, self.connect, guards)

    def connect(self, where: TenantDatabase, login: Secret) -> Connection:
        """The way in of these tests; the real one is in `test_connect`."""
        try:
            return self.server.connect(login["username"], login["password"], where.database)
        except DatabaseError as refusal:
            raise refusal_error(where.tenant, refusal) from None

    def secret(self, tenant: str) -> Secret:
        found = self.secrets.read(self.secret_arn(tenant))
        assert found is not None
        return found

    # who then comes

    @staticmethod
    def role(tenant: str) -> str:
        return f"t_{tenant}"

    @contextmanager
    def session(self, tenant: str, database: str | None = None, **more: Any) -> Iterator[Connection]:
        """Logged in as the tenant, with the password that its secret holds."""
        secret = self.secret(tenant)
        connection = self.server.connect(
            secret["username"], secret["password"], database or self.database, **more
        )
        try:
            yield connection
        finally:
            with suppress(InterfaceError, OSError):  # ended by the server
                connection.close()

    def run(self, tenant: str, *statements: str) -> Any:
        """Rows of the last statement, run as the tenant in a session of its own."""
        with self.session(tenant) as connection:
            return [connection.run(s) for s in statements][-1]

    def master(self, *statements: str) -> Any:
        connection = self.server.connect(MASTER, database=self.database)
        try:
            return [connection.run(s) for s in statements][-1]
        finally:
            connection.close()

    def opened(self, guards: Sequence[Guard] = GUARDS, **changes: Any) -> "Shard":
        """Both tenants placed, each with a row of its own."""
        for tenant in (self.acme, self.bolt):
            self.place(tenant, guards=guards, **changes)
            self.run(tenant, *(ROWS.format(tenant).split("; ")))
        return self


def without(name: str) -> tuple[Guard, ...]:
    """The guards but one, which must exist."""
    kept = tuple(g for g in GUARDS if g.name != name)
    assert len(kept) == len(GUARDS) - 1, f"no guard {name!r} among {[g.name for g in GUARDS]}"
    return kept


def names(guards: Iterable[Guard]) -> list[str]:
    return [g.name for g in guards]
