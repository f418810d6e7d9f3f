"""Connects to a database: verifies TLS, waits for a new instance, does not retry a refusal."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

ROOTS: Final = Path(__file__).parent / "rds-roots.pem"
TIMEOUT: Final = 15  # seconds for an answer
PAUSES: Final = (1.0, 2.0, 4.0)  # seconds between attempts
OUT_OF_MEMORY: Final = "53200"  # of shared memory: no lock can be taken, and so nobody can log in
ROOM: Final = (
    "a session holds all locks of the server: on a shard it is ended within seconds, so run again; a silo's"
    " instance has to be rebooted first"
)


class BootstrapError(RuntimeError):
    """It cannot be done; what the server or the secret says to it, and never a statement or a secret."""


class ExhaustedError(BootstrapError):
    """The server's table of locks, which all its sessions share, is full: for a while, if somebody ends whose
    locks these are.
    """


@dataclass(frozen=True, slots=True)
class TenantDatabase:
    """One database, and for whom it is opened."""

    tenant: str
    host: str
    port: int
    database: str


def connect(where: TenantDatabase, login: Mapping[str, Any], timeout: float = TIMEOUT) -> Connection:
    """Log in with a secret's `username` and `password`.

    An instance that was made a moment ago may not answer yet, so what the network refuses is tried again.
    """
    for pause in (*PAUSES, None):
        try:
            return Connection(
                login["username"],
                host=where.host,
                port=where.port,
                database=where.database,
                password=login["password"],
                ssl_context=trusted(),
                timeout=timeout,
                application_name="tenant-bootstrap",
            )
        except (DatabaseError, InterfaceError) as failure:
            refusal = refused_by(failure)
            if refusal:
                raise refusal_error(where.tenant, refusal) from None
            if pause is None:
                raise BootstrapError(f"tenant {where.tenant}: {where.host} does not answer") from failure
            time.sleep(pause)
    raise AssertionError


def refused_by(failure: BaseException | None) -> DatabaseError | None:
    """What the server said before it hung up; pg8000 then fails on closing, and raises that instead."""
    while failure is not None:
        if isinstance(failure, DatabaseError):
            return failure
        failure = failure.__context__
    return None


def refusal_error(tenant: str, refusal: DatabaseError) -> BootstrapError:
    """What a server refused, as a sentence without the statement."""
    said = f"tenant {tenant}: {server_message(refusal)}"
    if server_code(refusal) == OUT_OF_MEMORY:
        return ExhaustedError(f"{said}; {ROOM}")
    return BootstrapError(said)


def server_code(refusal: DatabaseError) -> str:
    """The SQLSTATE."""
    answer: object = refusal.args[0] if refusal.args else {}
    return str(cast("Mapping[str, object]", answer).get("C", "")) if isinstance(answer, Mapping) else ""


def server_message(refusal: DatabaseError) -> str:
    """The server's message alone: the statement, which may hold a verifier, stays out."""
    answer: object = refusal.args[0] if refusal.args else {}
    if isinstance(answer, Mapping):
        return str(cast("Mapping[str, object]", answer).get("M", "refused"))
    return str(answer)


# Classes of errors that PostgreSQL words with names of objects and never with values of rows: what is not
# supported, constraints, access, names, resources, limits, states, operators (PostgreSQL 17, appendix A).
NAMES_ONLY: Final = ("0A", "23", "28", "42", "53", "54", "55", "57", "58")
RAISED: Final = "exec_stmt_raise"  # PL/pgSQL's RAISE, whose words and code are the tenant's own


def server_words(refusal: DatabaseError) -> str:
    """SQLSTATE and message, as far as no row's values can be in it; DETAIL and CONTEXT never are."""
    answer: object = refusal.args[0] if refusal.args else {}
    if not isinstance(answer, Mapping):
        return "SQLSTATE unknown"
    fields = cast("Mapping[str, object]", answer)
    code = server_code(refusal)
    if code.startswith(NAMES_ONLY) and fields.get("R") != RAISED:
        return f"SQLSTATE {code}: {fields.get('M')}"
    return f"SQLSTATE {code}, whose message may hold values of rows and is in the log of that server"


@cache
def trusted() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ROOTS))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
