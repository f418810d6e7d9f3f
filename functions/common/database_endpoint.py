"""One database of a tenant: its administrator's session, and queries about the tenant's schema."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection, identifier, literal

from functions.common.advisory_lock import take_lock
from functions.common.blockers import (
    LOCK_NOT_AVAILABLE,
    LOCK_SECONDS,
    LOCK_TIMEOUT,
    likely_blockers,
    sentence,
)
from functions.common.connection import TenantDatabase, server_code
from functions.common.events import DatabaseAddress
from functions.common.going_on import GoesOn
from functions.common.secret_store import Store

# What rows read as text must look alike at both ends, whatever their servers' settings are, and all be read.
SESSION_SETTINGS: Final = (
    "SET search_path = ''",
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'postgres'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
    "SET xmlbinary = 'base64'",
    # A policy that the tenant forces on its tables would run its functions as who reads: fail instead.
    "SET row_security = off",
    "SET statement_timeout = 0",
    LOCK_TIMEOUT,
    "SET idle_in_transaction_session_timeout = 0",
)
Rows: TypeAlias = Sequence[Sequence[Any]]
Connect: TypeAlias = Callable[[TenantDatabase, Mapping[str, Any]], Connection]
# How a server reaches another one and proves who that is: the start of a connection string.
Reach: TypeAlias = Callable[["DatabaseEndpoint", "DatabaseEndpoint"], str]  # whom it reaches, who does


class MoveError(RuntimeError):
    """It cannot go on; one sentence for the person who runs it, with what to do and no secret."""


class TenantRef(Protocol):
    """What every request says of its tenant, whatever else it asks for."""

    @property
    def tenant(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def schema(self) -> str: ...
    @property
    def tenant_secret(self) -> str: ...  # ARN
    @property
    def bucket(self) -> str: ...

    def database_at(self, address: DatabaseAddress) -> TenantDatabase: ...


@dataclass(frozen=True, slots=True)
class DatabaseEndpoint:
    """`name` is what people call it; the session is the administrator's, who owns the database."""

    name: str  # origin or target
    address: DatabaseAddress
    request: TenantRef
    session: Connection

    @property
    def role(self) -> str:
        return identifier(self.request.role)

    @property
    def schema(self) -> str:
        return identifier(self.request.schema)

    @property
    def replication_role(self) -> str:
        """The role that carries the tenant's rows, and is nobody between moves. Quoted."""
        return identifier(replication_role(self.request))

    def rows(self, sql: str, **values: Any) -> Rows:
        with self._naming_blockers():
            return self.session.run(sql, **values) or ()

    def value(self, sql: str, **values: Any) -> Any:
        """The one value of the one row, None where there is no row."""
        found = self.rows(sql, **values)
        return found[0][0] if found else None

    def run(self, *statements: str) -> None:
        with self._naming_blockers():
            for statement in statements:
                self.session.run(statement)

    @contextmanager
    def _naming_blockers(self) -> Generator[None]:
        """Where a lock was waited for in vain, `MoveError` says who may hold it."""
        try:
            yield
        except DatabaseError as refusal:
            if server_code(refusal) != LOCK_NOT_AVAILABLE:
                raise
            who = sentence(likely_blockers(self.session, self.schema))
            raise MoveError(
                f"waited {LOCK_SECONDS} s for a lock at the {self.name}, which may be held by: {who};"
                " run again once that is over"
            ) from None

    def named(self, relation: str) -> str:
        """A table or sequence of the tenant's, as SQL."""
        return f"{self.schema}.{identifier(relation)}"

    def has_role(self, name: str) -> bool:
        return bool(self.rows("SELECT 1 FROM pg_roles WHERE rolname = :name", name=name))

    def grant_tenant_role(self) -> None:
        """While a move is on, the administrator may read the tenant's tables and use its sequences."""
        self.run(f"GRANT {self.role} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE")

    def revoke_tenant_role(self) -> None:
        if self.has_role(self.request.role):
            self.run(f"REVOKE {self.role} FROM CURRENT_USER GRANTED BY CURRENT_USER")

    def empty_schema(self) -> None:
        """The tenant's schema as the bootstrap function makes it: empty, owned by the administrator.

        Default privileges go too: they are the role's, and would be of whatever is made next.
        """
        self.run(
            "BEGIN",
            f"DROP SCHEMA IF EXISTS {self.schema} CASCADE",
            f"DROP OWNED BY {self.role}",
            f"CREATE SCHEMA {self.schema}",
            f"GRANT USAGE, CREATE ON SCHEMA {self.schema} TO {self.role}",
            f"GRANT CONNECT ON DATABASE {identifier(self.address.database)} TO {self.role}",
            "COMMIT",
        )

    def drop_tenant(self) -> None:
        """The schema with all that is in it, and the role."""
        if not self.has_role(self.request.role):
            return
        self.run(f"ALTER ROLE {self.role} NOLOGIN")
        self.end_sessions()
        self.grant_tenant_role()
        self.run(
            f"DROP SCHEMA IF EXISTS {self.schema} CASCADE",
            f"DROP OWNED BY {self.role}",
            f"DROP ROLE {self.role}",
        )

    def end_sessions(self, role: str | None = None) -> None:
        self.rows(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = :role",
            role=role or self.request.role,
        )


def replication_role(request: TenantRef) -> str:
    return f"m_{request.schema}"


def verify_fully(_source: DatabaseEndpoint, endpoint: DatabaseEndpoint) -> str:
    """TLS, with the name and the roots verified that the server itself was given for this.

    `ssl_ca_file` is RDS's own bundle (/rdsdbdata/rds-metadata/ca-cert.pem, 2026-11).
    """
    roots = endpoint.value("SELECT current_setting('ssl_ca_file')")
    if not roots:
        raise MoveError(f"the {endpoint.name} has no ssl_ca_file, so it cannot tell whom it replicates from")
    return f"sslmode=verify-full sslrootcert={_quoted(str(roots))}"


def connection_string(source: DatabaseEndpoint, reach: str, password: str) -> str:
    """The subscription's connection to its publisher, as the role that replicates."""
    address = source.address
    parts = {
        "host": address.host,
        "port": address.port,
        "dbname": address.database,
        "user": replication_role(source.request),
    }
    text = " ".join(f"{k}={_quoted(str(v))}" for k, v in parts.items())
    return f"{text} password={_quoted(password)} {reach}"


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def administrator_at(
    name: str, address: DatabaseAddress, tenant: TenantRef, connect: Connect, store: Store
) -> Generator[DatabaseEndpoint]:
    """A session of the administrator, in which what is read as text looks alike everywhere."""
    master = store.read(address.master_secret)
    if master is None:
        raise MoveError(f"tenant {tenant.tenant}: the secret of the administrator of the {name} is empty")
    session = connect(tenant.database_at(address), master)
    try:
        endpoint = DatabaseEndpoint(name, address, tenant, session)
        endpoint.run(*SESSION_SETTINGS)
        yield endpoint
    finally:
        with suppress(InterfaceError, OSError):
            session.close()


ENDING: Final = 10.0  # seconds for the session of a call that was killed to end


def work_alone(endpoint: DatabaseEndpoint) -> None:
    """Nobody else works on the tenant until this session ends, which it does with its process.

    A call of Lambda whose answer was lost is made again, while the first may still work. Raises `GoesOn`, so
    that the second one comes again later.
    """
    if not take_lock(endpoint.session.run, endpoint.request.schema, ENDING):
        raise GoesOn("another call works on the tenant")


__all__ = [
    "SESSION_SETTINGS",
    "Connect",
    "DatabaseEndpoint",
    "MoveError",
    "Reach",
    "Rows",
    "TenantRef",
    "administrator_at",
    "connection_string",
    "identifier",
    "literal",
    "replication_role",
    "verify_fully",
    "work_alone",
]  # fmt: skip
