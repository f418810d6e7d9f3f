"""Rotates the password of a tenant's role, or the key of its webhooks, in the steps of Secrets Manager.

Each step may be called again after it has succeeded or half succeeded (Secrets Manager user guide,
"Rotation by Lambda function", 2026-11). The previous key of webhooks is kept, and deliveries are signed with
both.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from enum import StrEnum
from typing import Any, Final, TypeAlias

from pg8000.exceptions import DatabaseError
from pg8000.native import Connection, identifier, literal

from functions.common.blockers import not_held_up
from functions.common.connection import BootstrapError, TenantDatabase, refusal_error
from functions.common.passwords import new_password, verifier
from functions.common.secret_store import CURRENT, PENDING, Secret, Store

Connect: TypeAlias = Callable[[TenantDatabase, Secret], Connection]


class Kind(StrEnum):
    DATABASE = "database"
    WEBHOOK = "webhook"


SECRET: Final = {Kind.DATABASE: "password", Kind.WEBHOOK: "key"}  # what of its content turns
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
    if CURRENT in stages:
        return
    if _outdated(arn, token, store):
        store.drop(arn, token)
        raise BootstrapError(f"tenant {_tenant(arn)}: was moved since this rotation began; rotate again")
    step(arn, token, store, connect)


def _outdated(arn: str, token: str, store: Store) -> bool:
    """Whether the tenant has moved since the pending version was written, which names its old database."""
    current, pending = store.read(arn), store.read(arn, token)
    return current is not None and pending is not None and current.get("host") != pending.get("host")


def _create(arn: str, token: str, store: Store, _: Connect) -> None:
    current = store.read(arn)
    if current is None:
        raise BootstrapError(f"tenant {_tenant(arn)}: there is nothing to rotate yet")
    if PENDING not in store.stages(arn).get(token, ()) or store.read(arn, token) is None:
        store.write(arn, {**current, SECRET[_kind(arn)]: new_password()}, token)


def _set(arn: str, token: str, store: Store, connect: Connect) -> None:
    if _kind(arn) is Kind.WEBHOOK:
        return  # nobody but the deliveries has to know it
    pending = _pending(arn, token, store)
    master = store.read(pending["masterarn"])
    if master is None:
        raise BootstrapError(f"tenant {_tenant(arn)}: the secret of the administrator is empty")
    statement = f"ALTER ROLE {identifier(pending['username'])} PASSWORD"
    where, tenant = _where(arn, pending), _tenant(arn)
    with closing(connect(where, master)) as connection:
        try:
            with not_held_up(connection, lambda: connect(where, master), tenant):
                connection.run(f"{statement} {literal(verifier(pending['password']))}")
        except DatabaseError as refusal:
            raise refusal_error(tenant, refusal) from None


def _test(arn: str, token: str, store: Store, connect: Connect) -> None:
    if _kind(arn) is Kind.WEBHOOK:
        return
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


def _parts(arn: str) -> re.Match[str]:
    found = re.search(r"/tenants/([a-z][a-z0-9-]*)/(database|webhook)-[A-Za-z0-9]{6}$", arn)
    if found is None:
        raise BootstrapError("rotation: not a secret of a tenant")
    return found


def _tenant(arn: str) -> str:
    return _parts(arn)[1]


def _kind(arn: str) -> Kind:
    return Kind(_parts(arn)[2])


def _where(arn: str, secret: Secret) -> TenantDatabase:
    return TenantDatabase(_tenant(arn), secret["host"], secret["port"], secret["dbname"])
