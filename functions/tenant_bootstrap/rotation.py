"""A new password for a tenant's role, in the four steps that Secrets Manager calls one by one.

Each step may be called again after it has succeeded or half succeeded (Secrets Manager user guide,
"Rotation by Lambda function", 2026-11).
"""

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Final, TypeAlias

from pg8000.exceptions import DatabaseError
from pg8000.native import Connection, identifier, literal

from .connection import BootstrapError, Where, words
from .passwords import new_password, verifier
from .store import CURRENT, PENDING, Secret, Store

Connect: TypeAlias = Callable[[Where, Secret], Connection]
SUSPENDED: Final = "is not permitted to log in"  # said after the password was found to be right


def rotate(event: Mapping[str, Any], store: Store, connect: Connect) -> None:
    """Serve one step; `event` is what Secrets Manager sends."""
    arn, token = event["SecretId"], event["ClientRequestToken"]
    step = STEPS.get(event["Step"])
    if step is None:
        raise BootstrapError(f"rotation: expected a step of {', '.join(STEPS)}")
    stages = store.stages(arn).get(token)
    if stages is None:
        raise BootstrapError("rotation: the secret has no version of this token")
    if CURRENT not in stages:
        step(arn, token, store, connect)


def _create(arn: str, token: str, store: Store, _: Connect) -> None:
    current = store.read(arn)
    if current is None:
        raise BootstrapError(f"tenant {_tenant(arn)}: there is no password to rotate yet")
    if PENDING not in store.stages(arn).get(token, ()) or store.read(arn, token) is None:
        store.write(arn, {**current, "password": new_password()}, token)


def _set(arn: str, token: str, store: Store, connect: Connect) -> None:
    pending = _pending(arn, token, store)
    master = store.read(pending["masterarn"])
    if master is None:
        raise BootstrapError(f"tenant {_tenant(arn)}: the secret of the administrator is empty")
    statement = f"ALTER ROLE {identifier(pending['username'])} PASSWORD"
    with closing(connect(_where(arn, pending), master)) as connection:
        try:
            connection.run(f"{statement} {literal(verifier(pending['password']))}")
        except DatabaseError as refusal:
            raise BootstrapError(f"tenant {_tenant(arn)}: {words(refusal)}") from None


def _test(arn: str, token: str, store: Store, connect: Connect) -> None:
    pending = _pending(arn, token, store)
    try:
        with closing(connect(_where(arn, pending), pending)) as connection:
            connection.run("SELECT 1")
    except BootstrapError as refusal:
        if SUSPENDED not in str(refusal):
            raise


def _finish(arn: str, token: str, store: Store, _: Connect) -> None:
    store.promote(arn, token)


STEPS: Final = {"createSecret": _create, "setSecret": _set, "testSecret": _test, "finishSecret": _finish}


def _pending(arn: str, token: str, store: Store) -> Secret:
    pending = store.read(arn, token)
    if pending is None or pending.get("username") != "t_" + _tenant(arn).replace("-", "_"):
        raise BootstrapError(f"tenant {_tenant(arn)}: the pending version is not one of its role")
    return pending


def _tenant(arn: str) -> str:
    found = re.search(r"/tenants/([a-z][a-z0-9-]*)/database-[A-Za-z0-9]{6}$", arn)
    if found is None:
        raise BootstrapError("rotation: not a database secret of a tenant")
    return found[1]


def _where(arn: str, secret: Secret) -> Where:
    return Where(_tenant(arn), secret["host"], secret["port"], secret["dbname"])
