"""The request to the function, validated completely before anything is opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from config.fields import FieldType, Flag, Nullable, Whole
from functions.common.connection import TenantDatabase
from functions.common.events import (
    ADDRESS,
    LIFECYCLE,
    PROTECTED,
    SECRET,
    RequestError,
    lifecycle_of,
    other_tenants_names,
    read_event,
    text,
)
from functions.common.protected_columns import NONE, ProtectedColumns, read_protected


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One tenant's role and schema in one database. Passwords are in the two secrets and nowhere else."""

    action: Action
    tenant: str
    role: str
    schema: str
    host: str
    port: int
    database: str
    master_secret: str  # ARN
    tenant_secret: str  # ARN
    webhook_secret: str | None  # ARN; None: the tenant has no webhook
    login: bool  # False: the tenant is suspended
    hold: bool  # True: it moves; login, password and secret are left to the function that moves it
    connections: int  # at most, at one time
    statement_ms: int
    idle_ms: int  # in a transaction
    transaction_ms: int  # 0: no limit; of PostgreSQL 17
    protected: ProtectedColumns = NONE

    @property
    def replication_role(self) -> str:
        """The role that carries the tenant's rows while it moves."""
        return f"m_{self.schema}"

    @property
    def session_role(self) -> str:
        """The role in whose sessions its rows are read meanwhile (`functions.common.tenant_session`)."""
        return f"s_{self.schema}"

    @property
    def tenant_database(self) -> TenantDatabase:
        return TenantDatabase(self.tenant, self.host, self.port, self.database)


# PostgreSQL cuts a longer identifier to 63 bytes, and two tenants could become one.
_NAME: Final = text(r"t_[a-z][a-z0-9_]{0,60}", "name of a tenant's role and schema")

FIELDS: Final[Mapping[str, FieldType]] = {
    "tenant": text(r"[a-z][a-z0-9-]{0,60}", "id of a tenant"),
    "role": _NAME,
    "schema": _NAME,
    **ADDRESS,
    "tenantSecret": SECRET,
    "webhookSecret": Nullable(SECRET),
    "login": Flag(),
    "hold": Flag(),
    "connections": Whole(1, 5000),
    "statementMs": Whole(1, 86_400_000),
    "idleMs": Whole(1, 86_400_000),
    "transactionMs": Whole(0, 86_400_000),
}
OPTIONAL: Final[Mapping[str, FieldType]] = {"protected": PROTECTED}
# Inputs that were sent before a field existed come again when their resource ends.
DEFAULTS: Final[Mapping[str, Any]] = {"hold": False, "transactionMs": 0}


def parse(event: Mapping[str, Any]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong."""
    given, wrong = read_event({**DEFAULTS, **event}, FIELDS, OPTIONAL)
    # A mistake in the caller must not open one tenant's role with another's secret.
    wrong = wrong or other_tenants_names(given)
    if wrong:
        raise RequestError("; ".join(wrong))
    return Request(
        action=_action(event),
        tenant=given["tenant"],
        role=given["role"],
        schema=given["schema"],
        host=given["host"],
        port=given["port"],
        database=given["database"],
        master_secret=given["masterSecret"],
        tenant_secret=given["tenantSecret"],
        webhook_secret=given["webhookSecret"],
        login=given["login"],
        hold=given["hold"],
        connections=given["connections"],
        statement_ms=given["statementMs"],
        idle_ms=given["idleMs"],
        protected=read_protected(given),
        transaction_ms=given["transactionMs"],
    )


def _action(event: Mapping[str, Any]) -> Action:
    action = lifecycle_of(event).get("action")
    if action not in tuple(Action):
        raise RequestError(f"{LIFECYCLE}.action: expected one of {', '.join(Action)}")
    return Action(action)
