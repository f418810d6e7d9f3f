"""A database for a while, to restore a dump into: the proof that a copy is one.

What a tenant wrote runs there: functions of its indexes, checks and computed columns. So it is restored by a
role that owns that database's contents, and can become nobody else.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import identifier, literal

from functions.common.database_endpoint import PLAIN, Connect, Side
from functions.common.passwords import new_password, verifier

ENDING: Final = 20.0  # seconds for sessions of the server's own to end
PAUSE: Final = 0.5


def name_of(schema: str) -> str:
    return f"v_{schema}"


@contextmanager
def scratch(side: Side, connect: Connect) -> Iterator[Side]:
    """Open on the same server, empty, closed to everybody else; gone at the end."""
    drop(side)
    try:
        yield from _opened(side, connect)
    finally:
        drop(side)


def _opened(side: Side, connect: Connect) -> Iterator[Side]:
    plain, password = name_of(side.request.schema), new_password()
    name, end = identifier(plain), replace(side.end, database=plain)
    side.run(
        f"CREATE ROLE {name} LOGIN PASSWORD {literal(verifier(password))}",
        # Nobody may come in before it is closed; template0 can be copied while others copy it.
        f"CREATE DATABASE {name} TEMPLATE template0 ALLOW_CONNECTIONS false",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT, CREATE ON DATABASE {name} TO {name}",
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS true",
    )
    session = connect(side.request.where(end), {"username": plain, "password": password})
    try:
        plainly(found := Side("copy", end, side.request, session))
        yield found
    finally:
        with suppress(InterfaceError, OSError):
            session.close()


def plainly(side: Side) -> None:
    """So that what is read as text looks alike everywhere."""
    side.run(*PLAIN)


def drop(side: Side) -> None:
    """Also what a run that was killed has left."""
    plain = name_of(side.request.schema)
    ends = time.monotonic() + ENDING
    while True:
        try:
            side.run(f"DROP DATABASE IF EXISTS {identifier(plain)} WITH (FORCE)")
            break
        except DatabaseError:  # the server's own sessions look into each database, and nobody may end them
            if time.monotonic() > ends:
                raise
            time.sleep(PAUSE)
    if side.has_role(plain):
        side.run(f"ALTER ROLE {identifier(plain)} NOLOGIN")
        side.end_sessions(plain)
        side.run(f"DROP ROLE {identifier(plain)}")
