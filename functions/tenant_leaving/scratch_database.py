"""A temporary database to restore a dump into, which proves that the dump is complete.

What a tenant wrote runs there: functions of its indexes, checks and computed columns. So it is restored by a
role that owns that database's contents, and cannot become anybody else.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import identifier, literal

from functions.common.database_endpoint import SESSION_SETTINGS, Connect, DatabaseEndpoint
from functions.common.passwords import new_password, verifier

ENDING: Final = 20.0  # seconds for sessions of the server's own to end
PAUSE: Final = 0.5


def name_of(schema: str) -> str:
    return f"v_{schema}"


@contextmanager
def scratch(endpoint: DatabaseEndpoint, connect: Connect) -> Generator[DatabaseEndpoint]:
    """Open on the same server, empty, closed to everybody else; gone at the end."""
    drop(endpoint)
    try:
        yield from _opened(endpoint, connect)
    finally:
        drop(endpoint)


def _opened(endpoint: DatabaseEndpoint, connect: Connect) -> Generator[DatabaseEndpoint]:
    plain, password = name_of(endpoint.request.schema), new_password()
    name, end = identifier(plain), replace(endpoint.address, database=plain)
    endpoint.run(
        f"CREATE ROLE {name} LOGIN PASSWORD {literal(verifier(password))}",
        # Nobody may come in before it is closed; template0 can be copied while others copy it.
        f"CREATE DATABASE {name} TEMPLATE template0 ALLOW_CONNECTIONS false",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT, CREATE ON DATABASE {name} TO {name}",
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS true",
    )
    session = connect(endpoint.request.database_at(end), {"username": plain, "password": password})
    try:
        set_text_formats(found := DatabaseEndpoint("copy", end, endpoint.request, session))
        yield found
    finally:
        with suppress(InterfaceError, OSError):
            session.close()


def set_text_formats(endpoint: DatabaseEndpoint) -> None:
    """So that what is read as text looks alike everywhere."""
    endpoint.run(*SESSION_SETTINGS)


def drop(endpoint: DatabaseEndpoint) -> None:
    """Also what a run that was killed has left."""
    plain = name_of(endpoint.request.schema)
    ends = time.monotonic() + ENDING
    while True:
        try:
            endpoint.run(f"DROP DATABASE IF EXISTS {identifier(plain)} WITH (FORCE)")
            break
        except DatabaseError:  # the server's own sessions look into each database, and nobody may end them
            if time.monotonic() > ends:
                raise
            time.sleep(PAUSE)
    if endpoint.has_role(plain):
        endpoint.run(f"ALTER ROLE {identifier(plain)} NOLOGIN")
        endpoint.end_sessions(plain)
        endpoint.run(f"DROP ROLE {identifier(plain)}")
