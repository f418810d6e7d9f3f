"""The request to the function, validated completely before anything is opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from config.fields import FieldType, Object, Whole
from functions.common.connection import TenantDatabase
from functions.common.events import ADDRESS, RequestError, read_event, text
from functions.session_watch.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One shard, for how long somebody looks at it, and what its tenants may take."""

    where: TenantDatabase
    seconds: int
    every: int  # seconds between looks
    limits: Limits


LIMITS: Final[Mapping[str, FieldType]] = {
    "statementSeconds": Whole(1, 86_400),
    "transactionSeconds": Whole(1, 86_400),
    "idleSeconds": Whole(1, 86_400),
    "lockPercent": Whole(1, 100),
    "tempMib": Whole(1, 67_108_864),
    "active": Whole(1, 1000),
    "activeLooks": Whole(1, 1000),
}
FIELDS: Final[Mapping[str, FieldType]] = {
    "shard": text(r"[a-z][a-z0-9-]{0,60}", "name of a shard"),
    **{name: ADDRESS[name] for name in ("host", "port", "database")},
    "seconds": Whole(1, 600),
    "every": Whole(1, 60),
    "limits": Object(LIMITS),
}


def parse(event: Mapping[str, Any]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong."""
    given, wrong = read_event(event, FIELDS)
    if wrong:
        raise RequestError("; ".join(wrong))
    limits = given["limits"]
    return Request(
        where=TenantDatabase(given["shard"], given["host"], given["port"], given["database"]),
        seconds=given["seconds"],
        every=given["every"],
        limits=Limits(
            statement_seconds=limits["statementSeconds"],
            transaction_seconds=limits["transactionSeconds"],
            idle_seconds=limits["idleSeconds"],
            lock_percent=limits["lockPercent"],
            temp_mib=limits["tempMib"],
            active=limits["active"],
            active_looks=limits["activeLooks"],
        ),
    )
