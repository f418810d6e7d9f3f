"""What the function is asked to do: checked whole before anything is opened."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from .connection import Where

LIFECYCLE: Final = "lifecycle"  # the key under which the invocation's resource says what happens to it


class RequestError(ValueError):
    """The event is not one that this function serves; the text says what is wrong and never a secret."""


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One tenant's place in one database. Passwords are in the two secrets and nowhere else."""

    action: Action
    tenant: str
    role: str
    schema: str
    host: str
    port: int
    database: str
    master_secret: str  # ARN
    tenant_secret: str  # ARN
    webhook_secret: str | None  # ARN; None: the tenant is not told by webhook
    login: bool  # False: the tenant is suspended
    hold: bool  # True: it moves; login, password and secret are left to the function that moves it
    connections: int  # at most, at one time
    statement_ms: int
    idle_ms: int  # in a transaction

    @property
    def mover(self) -> str:
        """The role that carries the tenant's rows while it moves."""
        return f"m_{self.schema}"

    @property
    def where(self) -> Where:
        return Where(self.tenant, self.host, self.port, self.database)


def _text(pattern: str) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, str) and re.fullmatch(pattern, v) is not None


def _number(low: int, high: int) -> Callable[[Any], bool]:
    return lambda v: type(v) is int and low <= v <= high


_ARN: Final = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:"
# PostgreSQL cuts a longer identifier to 63 bytes, and two tenants could become one.
_NAME: Final = r"t_[a-z][a-z0-9_]{0,60}"

FIELDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "tenant": _text(r"[a-z][a-z0-9-]{0,60}"),
    "role": _text(_NAME),
    "schema": _text(_NAME),
    "host": _text(r"[A-Za-z0-9.-]{1,253}"),
    "port": _number(1, 65535),
    "database": _text(r"[a-z][a-z0-9_]{0,62}"),
    "masterSecret": _text(_ARN + r"[A-Za-z0-9/_+=.@!-]+"),
    "tenantSecret": _text(_ARN + r"[A-Za-z0-9/_+=.@!-]+"),
    "webhookSecret": lambda v: v is None or _text(_ARN + r"[A-Za-z0-9/_+=.@!-]+")(v),
    "login": lambda v: isinstance(v, bool),
    "hold": lambda v: isinstance(v, bool),
    "connections": _number(1, 5000),
    "statementMs": _number(1, 86_400_000),
    "idleMs": _number(1, 86_400_000),
}
# Inputs that were sent before a field existed come again when their place ends.
DEFAULTS: Final[Mapping[str, Any]] = {"hold": False}
# Said only so that a change of it calls the function again.
NOTES: Final = frozenset({"revision", LIFECYCLE})


def parse(event: Mapping[str, Any]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong."""
    event = {**DEFAULTS, **event}
    wrong = [f"{k}: missing" for k in FIELDS if k not in event]
    wrong += [f"{k}: not a field" for k in sorted(set(event) - set(FIELDS) - NOTES)]
    wrong += [f"{k}: not allowed" for k, check in FIELDS.items() if k in event and not check(event[k])]
    wrong += [] if wrong else _foreign(event)
    if wrong:
        raise RequestError("; ".join(wrong))
    return Request(
        action=_action(event),
        tenant=event["tenant"],
        role=event["role"],
        schema=event["schema"],
        host=event["host"],
        port=event["port"],
        database=event["database"],
        master_secret=event["masterSecret"],
        tenant_secret=event["tenantSecret"],
        webhook_secret=event["webhookSecret"],
        login=event["login"],
        hold=event["hold"],
        connections=event["connections"],
        statement_ms=event["statementMs"],
        idle_ms=event["idleMs"],
    )


def _action(event: Mapping[str, Any]) -> Action:
    said = event.get(LIFECYCLE)
    action = said.get("action") if isinstance(said, Mapping) else None
    if action not in tuple(Action):
        raise RequestError(f"{LIFECYCLE}.action: expected one of {', '.join(Action)}")
    return Action(action)


def _foreign(event: Mapping[str, Any]) -> list[str]:
    """A mistake in the caller must not open one tenant's role with another's secret."""
    tenant, name = event["tenant"], "t_" + event["tenant"].replace("-", "_")
    wrong = [f"{k}: expected {name}" for k in ("role", "schema") if event[k] != name]
    for field, kind in (("tenantSecret", "database"), ("webhookSecret", "webhook")):
        if event[field] is not None and f"/tenants/{tenant}/{kind}-" not in event[field]:
            wrong.append(f"{field}: not a {kind} secret of tenant {tenant}")
    return wrong
