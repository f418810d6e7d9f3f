"""Sessions in which a tenant's rows are read and its statements run: they can become nobody but the tenant.

What a tenant wrote may run wherever its rows are read or written: casts, CHECKs of domains and tables,
functions of indexes, policies, a view that took a table's name a moment ago. The administrator may become any
tenant, and the role that replicates may read what every tenant of its server writes; so none of this runs in
their sessions.
"""

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Final

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import identifier, literal

from functions.common.database_endpoint import (
    SESSION_SETTINGS,
    Connect,
    DatabaseEndpoint,
    MoveError,
    TenantRef,
)
from functions.common.passwords import new_password, verifier

log: Final = logging.getLogger(__name__)


def session_role(request: TenantRef) -> str:
    """A member of the tenant's role and of no other, with a password that one worker knows."""
    return f"s_{request.schema}"


@contextmanager
def as_tenant(endpoint: DatabaseEndpoint, connect: Connect) -> Generator[DatabaseEndpoint]:
    """The same database in a session of the tenant's role, as `several_as_tenant` has it."""
    with several_as_tenant(endpoint, connect, 1) as (session,):
        yield session


@contextmanager
def several_as_tenant(
    endpoint: DatabaseEndpoint, connect: Connect, count: int
) -> Generator[Sequence[DatabaseEndpoint]]:
    """The same database in sessions of the tenant's role; `RESET ROLE` there leads to the session's own.

    The tenant's own login is not used: it may be shut out, its settings and its number of connections are its
    own. Raises `MoveError` where there is no such tenant.
    """
    if not endpoint.has_role(endpoint.request.role):
        raise MoveError(f"tenant {endpoint.request.tenant} has no role at the {endpoint.name}")
    plain, password = session_role(endpoint.request), new_password()
    drop_session_role(endpoint)  # of a worker that was killed
    endpoint.run(
        f"CREATE ROLE {identifier(plain)} LOGIN PASSWORD {literal(verifier(password))}",
        # Inherited is only the right to connect: the session is the tenant's from its first statement on.
        f"GRANT {endpoint.role} TO {identifier(plain)} WITH INHERIT TRUE, SET TRUE",
    )
    try:
        with ExitStack() as sessions:
            login = {"username": plain, "password": password}
            yield [sessions.enter_context(_opened(endpoint, connect, login)) for _ in range(count)]
    finally:
        _drop_at_last(endpoint)


@contextmanager
def _opened(
    endpoint: DatabaseEndpoint, connect: Connect, login: Mapping[str, str]
) -> Generator[DatabaseEndpoint]:
    session = connect(endpoint.request.database_at(endpoint.address), login)
    try:
        found = replace(endpoint, session=session)
        found.run(f"SET ROLE {endpoint.role}", *SESSION_SETTINGS)
        yield found
    finally:
        with suppress(InterfaceError, OSError):
            session.close()


@contextmanager
def both_as_tenant(
    one: DatabaseEndpoint, other: DatabaseEndpoint, connect: Connect
) -> Generator[tuple[DatabaseEndpoint, DatabaseEndpoint]]:
    with ExitStack() as open_sessions:
        yield (
            open_sessions.enter_context(as_tenant(one, connect)),
            open_sessions.enter_context(as_tenant(other, connect)),
        )


def _drop_at_last(endpoint: DatabaseEndpoint) -> None:
    """What went wrong before is what the caller is to hear of; the next worker drops what is left."""
    try:
        drop_session_role(endpoint)
    except (DatabaseError, InterfaceError, OSError) as failure:
        log.warning("role %s is left at the %s: %s", session_role(endpoint.request), endpoint.name, failure)


def drop_session_role(endpoint: DatabaseEndpoint) -> None:
    """With its sessions, and what the tenant gave to it; what it was made to own is the tenant's."""
    plain = session_role(endpoint.request)
    if not endpoint.has_role(plain):
        return
    name = identifier(plain)
    endpoint.run(f"ALTER ROLE {name} NOLOGIN")
    endpoint.end_sessions(plain)
    endpoint.run(f"GRANT {name} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE")
    if endpoint.has_role(endpoint.request.role):
        endpoint.grant_tenant_role()
        endpoint.run(f"REASSIGN OWNED BY {name} TO {endpoint.role}")
    endpoint.run(f"DROP OWNED BY {name}", f"DROP ROLE {name}")
