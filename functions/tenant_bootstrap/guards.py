"""The statements that create a tenant's role and schema in a shared database, and keep other tenants out.

Each guard is one idea, safe to run again. `tests/data` removes each one in turn and shows what an attacker
could then do; a guard without such a test does not belong here. The user that runs them owns the database
and has CREATEROLE, as the master user of RDS has; it is no superuser.

What no guard can hide in one PostgreSQL database: names (roles, schemas, tables), sizes and row counts in
the catalog and its statistics, and the messages of NOTIFY. A tenant that may not share those is siloed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from pg8000.exceptions import DatabaseError
from pg8000.native import identifier, literal

from functions.common.advisory_lock import FOR_THE_TRANSACTION, take_lock
from functions.common.connection import BootstrapError, server_message
from functions.tenant_bootstrap.request import Request
from functions.tenant_bootstrap.watch_rights import watched

LOCK: Final = "bootstrap"  # the same for every tenant: the catalog is changed one at a time
PATIENCE: Final = 120.0  # seconds for the calls of other tenants, of which a new shard has many at once
TRIES: Final = 200  # of a statement, each of which takes a millisecond
CHANGED: Final = "tuple concurrently"  # updated, or deleted (PostgreSQL 17, heapam.c, simple_heap_update)


class Connection(Protocol):
    """As much of pg8000's connection as is used."""

    def run(self, sql: str, /, **values: Any) -> Sequence[Sequence[Any]] | None: ...


@dataclass(frozen=True, slots=True)
class TenantSchema:
    """A tenant's role and schema as SQL: names quoted, the password as a verifier that logs nobody in."""

    role: str
    schema: str
    database: str
    verifier: str
    request: Request


Statements: TypeAlias = Callable[[Connection, TenantSchema], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Guard:
    name: str
    statements: Statements


class RefusedError(RuntimeError):
    """What was found in the database is not of this function's making, and a person must look at it."""


def _roles_of_move(p: TenantSchema) -> list[str]:
    return [p.request.replication_role, p.request.session_role] if p.request.hold else []


def _rows(connection: Connection, sql: str, **values: Any) -> Sequence[Sequence[Any]]:
    return connection.run(sql, **values) or ()


def _role_made(connection: Connection, p: TenantSchema) -> Iterator[str]:
    found = _rows(
        connection,
        "SELECT rolsuper OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = :role",
        role=p.request.role,
    )
    if not found:
        yield f"CREATE ROLE {p.role} NOLOGIN"
    elif found[0][0]:
        raise RefusedError(f"role {p.request.role} is a superuser, replicates or bypasses row security")


def _attributes(_: Connection, p: TenantSchema) -> Iterator[str]:
    yield f"ALTER ROLE {p.role} NOCREATEDB NOCREATEROLE"


def _memberships(connection: Connection, p: TenantSchema) -> Iterator[str]:
    """The tenant is a member of nothing and nobody is a member of it, the administrator aside.

    While the tenant moves, so are the role that carries its rows and the one in which they are read.
    """
    rows = _rows(
        connection,
        "SELECT r.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid"
        " JOIN pg_roles m ON m.oid = a.member WHERE :role IN (r.rolname, m.rolname)"
        " AND m.rolname <> CURRENT_USER AND m.rolname <> ALL (CAST(:of_move AS text[]))",
        role=p.request.role,
        of_move=_roles_of_move(p),
    )
    for group, member in rows:
        yield f"REVOKE {identifier(group)} FROM {identifier(member)}"


def _settings(_: Connection, p: TenantSchema) -> Iterator[str]:
    """Bound at login, since a pooled connection would carry them from one user to the next."""
    yield f"ALTER ROLE {p.role} RESET ALL"
    yield f"ALTER ROLE {p.role} IN DATABASE {p.database} RESET ALL"
    yield f"ALTER ROLE {p.role} SET search_path = {p.schema}"
    yield f"ALTER ROLE {p.role} SET statement_timeout = {p.request.statement_ms}"
    yield f"ALTER ROLE {p.role} SET idle_in_transaction_session_timeout = {p.request.idle_ms}"
    if p.request.transaction_ms:
        yield f"ALTER ROLE {p.role} SET transaction_timeout = {p.request.transaction_ms}"


def _connection_limit(_: Connection, p: TenantSchema) -> Iterator[str]:
    yield f"ALTER ROLE {p.role} CONNECTION LIMIT {p.request.connections}"


def _login(_: Connection, p: TenantSchema) -> Iterator[str]:
    word = "LOGIN" if p.request.login else "NOLOGIN"
    yield f"ALTER ROLE {p.role} {word} PASSWORD {literal(p.verifier)}"


def _no_public_connect(_: Connection, p: TenantSchema) -> Iterator[str]:
    yield f"REVOKE CONNECT ON DATABASE {p.database} FROM PUBLIC"
    yield f"GRANT CONNECT ON DATABASE {p.database} TO {p.role}"


def _no_temporary(_: Connection, p: TenantSchema) -> Iterator[str]:
    """Temporary tables come first in every search path, and fill the disk that all share."""
    yield f"REVOKE TEMPORARY ON DATABASE {p.database} FROM PUBLIC, {p.role}"


def _no_create_in_database(_: Connection, p: TenantSchema) -> Iterator[str]:
    """With it a tenant makes schemas and installs trusted extensions."""
    yield f"REVOKE CREATE ON DATABASE {p.database} FROM PUBLIC, {p.role}"


def _other_databases(connection: Connection, _: TenantSchema) -> Iterator[str]:
    rows = _rows(
        connection,
        "SELECT datname FROM pg_database WHERE datname <> current_database()"
        " AND pg_has_role(datdba, 'USAGE') ORDER BY datname",
    )
    for (name,) in rows:
        yield f"REVOKE CONNECT, TEMPORARY ON DATABASE {identifier(name)} FROM PUBLIC"


def _public_schema(_: Connection, _schema: TenantSchema) -> Iterator[str]:
    """Databases that were made before PostgreSQL 15 let everybody create in it."""
    yield "REVOKE ALL ON SCHEMA public FROM PUBLIC"


def _schema_made(connection: Connection, p: TenantSchema) -> Iterator[str]:
    """Owned by the administrator: an owner may give its schema away, and a tenant may not."""
    found = _rows(
        connection,
        "SELECT pg_get_userbyid(nspowner), nspowner = CURRENT_USER::regrole FROM pg_namespace"
        " WHERE nspname = :schema",
        schema=p.request.schema,
    )
    if not found:
        yield f"CREATE SCHEMA {p.schema}"
    elif not found[0][1]:
        raise RefusedError(f"schema {p.request.schema} belongs to {found[0][0]}, expected the administrator")


def _schema_private(connection: Connection, p: TenantSchema) -> Iterator[str]:
    """Whoever was let in by hand is let out: PUBLIC, other tenants, all but the owner and the tenant.

    While the tenant moves, the role that carries its rows is let in.
    """
    rows = _rows(
        connection,
        "SELECT DISTINCT coalesce(r.rolname, '') FROM pg_namespace n, aclexplode(n.nspacl) a"
        " LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE n.nspname = :schema"
        " AND a.grantee <> n.nspowner AND r.rolname IS DISTINCT FROM :role"
        " AND (r.rolname IS NULL OR r.rolname <> ALL (CAST(:of_move AS text[])))",
        schema=p.request.schema,
        role=p.request.role,
        of_move=_roles_of_move(p),
    )
    for (grantee,) in rows:
        yield f"REVOKE ALL ON SCHEMA {p.schema} FROM {identifier(grantee) if grantee else 'PUBLIC'} CASCADE"


def _schema_use(_: Connection, p: TenantSchema) -> Iterator[str]:
    yield f"GRANT USAGE, CREATE ON SCHEMA {p.schema} TO {p.role}"
    yield f"REVOKE GRANT OPTION FOR ALL ON SCHEMA {p.schema} FROM {p.role} CASCADE"


def _watched(connection: Connection, p: TenantSchema) -> Iterator[str]:
    def rows(sql: str, **values: Any) -> Sequence[Sequence[Any]]:
        return _rows(connection, sql, **values)

    yield from watched(rows, p.database, p.request.role, p.request.connections)


GUARDS: Final = (
    Guard("role made", _role_made),
    Guard("sessions watched", _watched),  # before the role is changed, as the watch locks both
    Guard("role has no attributes", _attributes),
    Guard("role has no memberships", _memberships),
    Guard("settings bound to the role", _settings),
    Guard("connection limit", _connection_limit),
    Guard("no public connect", _no_public_connect),
    Guard("no temporary tables", _no_temporary),
    Guard("no create in the database", _no_create_in_database),
    Guard("other databases closed", _other_databases),
    Guard("public schema closed", _public_schema),
    Guard("schema made", _schema_made),
    Guard("schema private", _schema_private),
    Guard("schema usable by its tenant", _schema_use),
    Guard("login", _login),
)
LOGIN: Final = frozenset({"login"})  # what the function that moves a tenant has in its hands


def held(guards: Sequence[Guard]) -> Sequence[Guard]:
    """The guards for a tenant that is being moved."""
    return [g for g in guards if g.name not in LOGIN]


def apply_guards(connection: Connection, target: TenantSchema, guards: Sequence[Guard]) -> None:
    """Make or restore role and schema, all of it or nothing."""
    connection.run("BEGIN")
    if not take_lock(connection.run, LOCK, PATIENCE, FOR_THE_TRANSACTION):
        raise BootstrapError("another call has been changing the roles of this database for minutes")
    for guard in guards:
        for statement in guard.statements(connection, target):
            _run(connection, statement)
    connection.run("COMMIT")


def _run(connection: Connection, statement: str) -> None:
    """In a transaction. Who changes a row of the catalog holds it to the end, and whoever waited for that is
    refused it then: a tenant may do so all day.
    """
    for _ in range(TRIES):
        connection.run("SAVEPOINT before")
        try:
            connection.run(statement)
        except DatabaseError as refusal:
            if not server_message(refusal).startswith(CHANGED):
                raise
            connection.run("ROLLBACK TO SAVEPOINT before")
        else:
            return
    raise BootstrapError("what is to be changed is being changed by others all the time")


def disable_login(connection: Connection, target: TenantSchema) -> None:
    """Nobody logs in as the tenant any more. Its schema and all that is in it stay as they are."""
    if _rows(connection, "SELECT 1 FROM pg_roles WHERE rolname = :role", role=target.request.role):
        connection.run("BEGIN")
        _run(connection, f"ALTER ROLE {target.role} NOLOGIN PASSWORD NULL")
        connection.run("COMMIT")


def end_sessions(connection: Connection, target: TenantSchema) -> None:
    """Only after the login is gone for everybody to see, or they would come straight back."""
    connection.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :role",
        role=target.request.role,
    )
