"""The entry point: creates a tenant's role and schema, disables its login, rotates its password, and looks at
its protected columns.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import cache
from typing import Any, Final

from pg8000.exceptions import DatabaseError
from pg8000.native import Connection, identifier

from functions.common.blockers import not_held_up
from functions.common.call_record import recorded
from functions.common.connection import BootstrapError, ExhaustedError, connect, refusal_error
from functions.common.keep_active import answers_keep_active
from functions.common.passwords import new_password, verifier
from functions.common.secret_store import Secret, SecretsManager, Store
from functions.tenant_bootstrap.data_keys import DataKeySource, Kms, data_keys
from functions.tenant_bootstrap.guards import (
    GUARDS,
    Guard,
    TenantSchema,
    apply_guards,
    disable_login,
    end_sessions,
    held,
)
from functions.tenant_bootstrap.inspection import INSPECT, inspect
from functions.tenant_bootstrap.request import Action, Request, parse
from functions.tenant_bootstrap.rotation import Connect, rotate

log: Final = logging.getLogger(__name__)
EXHAUSTED: Final = 45.0  # seconds for room in the server's table of locks; half of the function's time
PAUSE: Final = 1.0  # seconds between tries
KMS: Final = Kms()


@answers_keep_active
def handle(event: Mapping[str, Any], _context: object) -> Mapping[str, Any]:
    """What Lambda calls: for the resource of a tenant's schema, for Secrets Manager, or for a schedule."""
    if INSPECT in event:
        return inspect(event, _store(), connect, print)
    if "Step" in event:
        rotate(event, _store(), connect)
        log.info("rotation: %s done", event["Step"])
        return {}
    return recorded(event, lambda: bootstrap(event, _store(), connect))


@cache
def _store() -> Store:
    return SecretsManager()


def bootstrap(
    event: Mapping[str, Any],
    store: Store,
    opened: Connect,
    guards: Sequence[Guard] = GUARDS,
    source: DataKeySource = KMS,
) -> Mapping[str, Any]:
    """Do what `event` asks; returns what was done, which may be kept and shown (no secret is in it)."""
    request = parse(event)
    done = {"tenant": request.tenant, "action": request.action, "role": request.role, "login": _open(request)}
    if request.hold and request.action is Action.DELETE:
        return done  # the move decides what of this schema stays
    master = store.read(request.master_secret)
    if master is None:
        raise BootstrapError(f"tenant {request.tenant}: the secret of the administrator is empty")

    def again() -> Connection:
        return opened(request.tenant_database, master)

    _until_there_is_room(lambda: _serve_once(again, request, store, guards, source))
    log.info("tenant %s: %s done", request.tenant, request.action)
    return done


def _until_there_is_room(work: Callable[[], None]) -> None:
    """A tenant that takes all locks of the server shuts everybody out, until its session is ended
    (`functions.session_watch`). What was begun meanwhile is begun again.
    """
    ends = time.monotonic() + EXHAUSTED
    while True:
        try:
            work()
            return
        except ExhaustedError:
            if time.monotonic() > ends:
                raise
        time.sleep(PAUSE)


def _serve_once(
    again: Callable[[], Connection],
    request: Request,
    store: Store,
    guards: Sequence[Guard],
    source: DataKeySource,
) -> None:
    with closing(again()) as connection:
        try:
            with not_held_up(connection, again, request.tenant):
                _serve(connection, request, store, guards, source)
        except DatabaseError as refusal:
            raise refusal_error(request.tenant, refusal) from None


def _open(request: Request) -> bool | None:
    """Whether the tenant may log in afterwards; None: it is not this function's to say."""
    return None if request.hold else request.login and request.action is not Action.DELETE


def _serve(
    connection: Connection, request: Request, store: Store, guards: Sequence[Guard], source: DataKeySource
) -> None:
    if request.action is Action.DELETE:
        target = _target(request, "")
        disable_login(connection, target)
    elif request.hold:
        target = _target(request, "")
        apply_guards(connection, target, held(guards))
        _sign(request, store)
    else:
        target = _with_login(connection, request, store, guards, source)
        _sign(request, store)
    if _open(request) is False:
        end_sessions(connection, target)


def _with_login(
    connection: Connection, request: Request, store: Store, guards: Sequence[Guard], source: DataKeySource
) -> TenantSchema:
    """Role and schema, with the password of the tenant's secret, which names this database afterwards."""
    found = store.read(request.tenant_secret)
    content: Secret = {
        **_content(request, found),
        **data_keys(request.tenant, found, request.protected, source),
    }
    if found is None:  # before the role: a password that nobody has would lock everybody out
        store.write(request.tenant_secret, content)
    target = _target(request, verifier(content["password"]))
    apply_guards(connection, target, guards)
    if found is not None and found != content:  # after it: who reads this goes there
        store.write(request.tenant_secret, content)
    return target


def _sign(request: Request, store: Store) -> None:
    """A tenant with a webhook has a key that its deliveries are signed with, from the first on."""
    if request.webhook_secret and store.read(request.webhook_secret) is None:
        store.write(request.webhook_secret, {"algorithm": "HMAC-SHA256", "key": new_password()})


def _instance(host: str | None) -> str:
    """Of an endpoint, which begins with the instance's identifier. The rest of it is another one where an
    instance that was lost is made again.
    """
    return (host or "").partition(".")[0]


def _target(request: Request, password_verifier: str) -> TenantSchema:
    return TenantSchema(
        role=identifier(request.role),
        schema=identifier(request.schema),
        database=identifier(request.database),
        verifier=password_verifier,
        request=request,
    )


def _content(request: Request, found: Secret | None) -> Secret:
    """What the tenant's secret is to hold: the password that it has, and the database as it is now."""
    if found is not None and found.get("username") != request.role:
        raise BootstrapError(f"tenant {request.tenant}: its secret is not the one of role {request.role}")
    serving, here = _instance((found or {}).get("host")), _instance(request.host)
    if serving not in ("", here):  # its rows are there; only a move leads the services elsewhere
        raise BootstrapError(
            f"tenant {request.tenant} lives at {serving}, and {here} has none of its rows: stages of a move"
            " were not run; take its entry in the registry and its lines in the ledger back to the last"
            " stage that was, as git has them"
        )
    return {
        "engine": "postgres",
        "username": request.role,
        "password": found["password"] if found else new_password(),
        "host": request.host,
        "port": request.port,
        "dbname": request.database,
        "schema": request.schema,
        "masterarn": request.master_secret,
    }
