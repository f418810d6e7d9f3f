"""The entry point: reads two secrets, opens one connection, makes or closes one place."""

import base64
import importlib
import json
import logging
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import scramp
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection, identifier

from .guards import GUARDS, Guard, Place, close_place, end_sessions, open_place
from .request import Action, Request, parse

Secret: TypeAlias = Mapping[str, Any]
ReadSecret: TypeAlias = Callable[[str], Secret]
Connect: TypeAlias = Callable[[Request, Secret], Connection]

ROOTS: Final = Path(__file__).parent / "rds-roots.pem"
ITERATIONS: Final = 4096  # PostgreSQL's own default
TIMEOUT: Final = 15  # seconds for an answer
PAUSES: Final = (1.0, 2.0, 4.0)  # seconds between attempts
log: Final = logging.getLogger(__name__)


class BootstrapError(RuntimeError):
    """PostgreSQL refused; its own words, without the statement, which holds a verifier."""


def handle(event: Mapping[str, Any], _context: object) -> Mapping[str, Any]:
    """What Lambda calls."""
    return bootstrap(event, read_secret, connect)


def bootstrap(
    event: Mapping[str, Any], read: ReadSecret, opened: Connect, guards: Sequence[Guard] = GUARDS
) -> Mapping[str, Any]:
    """Do what `event` asks; returns what was done, which may be kept and shown (no secret is in it)."""
    request = parse(event)
    connection = opened(request, read(request.master_secret))
    try:
        _serve(connection, request, read, guards)
    except DatabaseError as refusal:
        raise BootstrapError(f"tenant {request.tenant}: {_words(refusal)}") from None
    finally:
        connection.close()
    log.info("tenant %s: %s done", request.tenant, request.action)
    return {"tenant": request.tenant, "action": request.action, "role": request.role, "login": _open(request)}


def _open(request: Request) -> bool:
    return request.login and request.action is not Action.DELETE


def _serve(connection: Connection, request: Request, read: ReadSecret, guards: Sequence[Guard]) -> None:
    deleting = request.action is Action.DELETE
    place = Place(
        role=identifier(request.role),
        schema=identifier(request.schema),
        database=identifier(request.database),
        verifier="" if deleting else verifier(_password(request, read(request.tenant_secret))),
        request=request,
    )
    if deleting:
        close_place(connection, place)
    else:
        open_place(connection, place, guards)
    if not _open(request):
        end_sessions(connection, place)


def _password(request: Request, secret: Secret) -> str:
    if secret.get("username") != request.role:
        raise BootstrapError(f"tenant {request.tenant}: its secret is not the one of role {request.role}")
    return secret["password"]


def verifier(password: str) -> str:
    """What PostgreSQL keeps of a password. The server logs DDL, so the password itself is never sent."""
    mechanism = scramp.ScramMechanism("SCRAM-SHA-256")
    salt, stored, server, rounds = mechanism.make_auth_info(password, iteration_count=ITERATIONS)
    return f"SCRAM-SHA-256${rounds}:{_b64(salt)}${_b64(stored)}:{_b64(server)}"


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _words(refusal: DatabaseError) -> str:
    told = refusal.args[0] if refusal.args else {}
    return str(told.get("M", "refused")) if isinstance(told, Mapping) else str(told)


def connect(request: Request, master: Secret) -> Connection:
    """As the database's administrator, over TLS that is verified against the roots of RDS.

    An instance that was made a moment ago may not answer yet, so what the network refuses is tried again.
    """
    pauses = [*PAUSES, None]
    for pause in pauses:
        try:
            return Connection(
                master["username"],
                host=request.host,
                port=request.port,
                database=request.database,
                password=master["password"],
                ssl_context=trusted(),
                timeout=TIMEOUT,
                application_name="tenant-bootstrap",
            )
        except (DatabaseError, InterfaceError) as failure:
            refusal = refused_by(failure)
            if refusal:
                raise BootstrapError(f"tenant {request.tenant}: {_words(refusal)}") from None
            if pause is None:
                raise BootstrapError(f"tenant {request.tenant}: {request.host} does not answer") from failure
            time.sleep(pause)
    raise AssertionError


def refused_by(failure: BaseException | None) -> DatabaseError | None:
    """What the server said before it hung up; pg8000 then fails on closing, and raises that instead."""
    while failure is not None:
        if isinstance(failure, DatabaseError):
            return failure
        failure = failure.__context__
    return None


@cache
def trusted() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ROOTS))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@cache
def _client() -> Any:
    # The runtime carries boto3; nothing else that runs this module does.
    return importlib.import_module("boto3").client("secretsmanager")


def read_secret(arn: str) -> Secret:
    return json.loads(_client().get_secret_value(SecretId=arn)["SecretString"])
