"""The daily check of one tenant's protected columns: what is found is a line of the log and a metric.

As the administrator this only makes the session in which the tenant's rows are looked at. Nothing in the
lines is a value of a row: table, column, and how many.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from pg8000.exceptions import DatabaseError, InterfaceError

from config.fields import FieldType, Flag
from functions.common.connection import BootstrapError, TenantDatabase, server_words
from functions.common.database_endpoint import (
    Connect,
    DatabaseEndpoint,
    MoveError,
    administrator_at,
    work_alone,
)
from functions.common.events import (
    ADDRESS,
    PROTECTED,
    SQL_NAME,
    TENANT,
    DatabaseAddress,
    RequestError,
    address_of,
    other_tenants_names,
    read_event,
)
from functions.common.going_on import GoesOn
from functions.common.metric_line import metric_line
from functions.common.protected_columns import ProtectedColumns, read_protected
from functions.common.secret_store import Store
from functions.common.tenant_session import as_tenant
from functions.tenant_bootstrap.protected_sample import Look, sample

INSPECT: Final = "inspect"  # the field of an event that asks for this
NAMESPACE: Final = "Tenantry/ProtectedColumns"  # of the metrics
SECONDS: Final = 45.0  # for looking; half of the function's time
Say = Callable[[str], None]
"""Where people and alarms find a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One tenant's protected columns, in the database where it lives. No secret of its own is needed."""

    tenant: str
    role: str
    schema: str
    address: DatabaseAddress
    protected: ProtectedColumns
    tenant_secret: str = ""
    bucket: str = ""

    def database_at(self, address: DatabaseAddress) -> TenantDatabase:
        return TenantDatabase(self.tenant, address.host, address.port, address.database)


FIELDS: Final[Mapping[str, FieldType]] = {
    INSPECT: Flag(),
    "tenant": TENANT,
    "role": SQL_NAME,
    "schema": SQL_NAME,
    **ADDRESS,
    "protected": PROTECTED,
}


def parse(event: Mapping[str, Any]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong."""
    given, wrong = read_event(event, FIELDS)
    wrong = wrong or other_tenants_names(given) or _empty(given["protected"])
    if wrong:
        raise RequestError("; ".join(wrong))
    return Request(
        tenant=given["tenant"],
        role=given["role"],
        schema=given["schema"],
        address=address_of(given),
        protected=read_protected(given),
    )


def _empty(protected: Mapping[str, Any]) -> list[str]:
    return [f"protected.{name}: empty" for name, found in protected.items() if not found]


def inspect(event: Mapping[str, Any], store: Store, opened: Connect, say: Say) -> Mapping[str, Any]:
    """What was found of one tenant, in words and numbers that may be kept and shown.

    Where it cannot look, it says so and comes again tomorrow: an alarm tells of two such days.
    """
    request = parse(event)
    try:
        with administrator_at("database", request.address, request, opened, store) as endpoint:
            skipped = _skipped(endpoint)
            looks = [] if skipped else list(_looks(request, endpoint, opened))
    except (DatabaseError, BootstrapError, MoveError, InterfaceError, OSError) as failure:
        return _told(request, [Look(table="", column="", unread=_words(failure))], "", say)
    return _told(request, looks, skipped, say)


def _skipped(endpoint: DatabaseEndpoint) -> str:
    """Why there is nothing to look at; "" where there is.

    A tenant that cannot log in writes nothing: it is suspended, it moves at this moment, or it has moved on.
    """
    role = endpoint.request.role
    if not endpoint.rows("SELECT 1 FROM pg_roles WHERE rolname = :role AND rolcanlogin", role=role):
        return "the tenant cannot log in here, so no row changes"
    try:
        work_alone(endpoint)
    except GoesOn as busy:
        return str(busy)
    return ""


def _looks(request: Request, endpoint: DatabaseEndpoint, opened: Connect) -> Iterator[Look]:
    ends = time.monotonic() + SECONDS
    with _as_it_was(endpoint), as_tenant(endpoint, opened) as tenant:
        yield from sample(tenant, request.protected, lambda: time.monotonic() > ends)


@contextmanager
def _as_it_was(endpoint: DatabaseEndpoint) -> Generator[None]:
    """Dropping the session's role has the administrator become a member of the tenant's, which it stays only
    if it was: a move may be on.
    """
    before = endpoint.rows(
        "SELECT 1 FROM pg_auth_members WHERE roleid = to_regrole(:role) AND member = CURRENT_USER::regrole"
        " AND grantor = CURRENT_USER::regrole",
        role=endpoint.role,
    )
    try:
        yield
    finally:
        if not before:
            endpoint.revoke_tenant_role()


def _words(failure: Exception) -> str:
    """Without what a row may hold."""
    return server_words(failure) if isinstance(failure, DatabaseError) else str(failure)


def _told(request: Request, looks: Iterable[Look], skipped: str, say: Say) -> Mapping[str, Any]:
    """A line for each column with something to tell, and one for the call."""
    seen = list(looks)
    for look in seen:
        where = {"tenant": request.tenant, "table": look.table, "column": look.column}
        if look.findings:
            about = {"event": "protected column holds other values", **where, "why": look.wrong}
            say(metric_line(NAMESPACE, "Findings", look.findings, about))
        if look.unread:
            about = {"event": "protected column was not read", **where, "why": look.unread}
            say(metric_line(NAMESPACE, "Unread", 1, about))
    result = {
        "tenant": request.tenant,
        "columns": len([look for look in seen if look.column]),
        "values": sum(look.values for look in seen),
        "findings": sum(look.findings for look in seen),
        "unread": len([look for look in seen if look.unread]),
        "whole": bool(seen) and all(look.whole for look in seen),
        **({"skipped": skipped} if skipped else {}),
    }
    say(metric_line(NAMESPACE, "Inspections", 1, {"event": "protected columns inspected", **result}))
    return result
