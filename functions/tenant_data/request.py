"""What the function is asked to do: checked whole before anything is opened."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any, Final

from ..tenant_bootstrap.connection import Where
from ..tenant_bootstrap.request import LIFECYCLE, RequestError

BUDGET: Final = 60.0  # seconds that writes may wait at a cutover


class By(StrEnum):
    """How rows come to the target; the words of the registry."""

    FOLLOWING = "following"  # while the tenant writes, by logical replication
    COPY = "copy"  # while it cannot


class Stage(StrEnum):
    """How far a move is to come; the words of the registry."""

    PREPARE = "prepare"
    REPLICATE = "replicate"
    CUTOVER = "cutover"
    SOAK = "soak"
    DONE = "done"
    ROLLBACK = "rollback"
    ABORT = "abort"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One database of a move, and the secret of its administrator."""

    host: str
    port: int
    database: str
    master_secret: str  # ARN


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One stage of one tenant's move. Passwords are in the secrets and nowhere else."""

    tenant: str
    role: str
    schema: str
    stage: Stage
    origin: End
    target: End
    target_gib: int  # storage of the target's instance
    tenant_secret: str  # ARN
    bucket: str  # of the tenant; the last dump goes there
    budget: float  # seconds
    deleted: bool  # the move is over, and nothing is to be done
    restored_to: str | None = None  # the data is to be what it was then; None: nothing was restored
    # The origin's instance as it was then, others' rows with it; None: the target itself began so.
    restored: End | None = None
    by: By = By.FOLLOWING

    def where(self, end: End) -> Where:
        return Where(self.tenant, end.host, end.port, end.database)


def _text(pattern: str) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, str) and re.fullmatch(pattern, v) is not None


def _number(low: int, high: int) -> Callable[[Any], bool]:
    return lambda v: type(v) is int and low <= v <= high


_SECRET: Final = _text(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+")
# As the bootstrap function makes them; with `m_` for the role that replicates it stays below 63 bytes.
_NAME: Final = _text(r"t_[a-z][a-z0-9_]{0,58}")

END: Final[Mapping[str, Callable[[Any], bool]]] = {
    "host": _text(r"[A-Za-z0-9.-]{1,253}"),
    "port": _number(1, 65535),
    "database": _text(r"[a-z][a-z0-9_]{0,62}"),
    "masterSecret": _SECRET,
}
FIELDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "tenant": _text(r"[a-z][a-z0-9-]{0,58}"),
    "role": _NAME,
    "schema": _NAME,
    "stage": lambda v: v in tuple(Stage),
    "origin": lambda v: isinstance(v, Mapping),
    "target": lambda v: isinstance(v, Mapping),
    "targetGib": _number(1, 65_536),
    "tenantSecret": _SECRET,
    "bucket": _text(r"[a-z0-9][a-z0-9.-]{2,62}"),
    "budgetSeconds": _number(1, 600),
}
OPTIONAL: Final[Mapping[str, Callable[[Any], bool]]] = {
    "restoredTo": _text(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"),
    "restored": lambda v: isinstance(v, Mapping),
    "by": lambda v: v in tuple(By),
}
ENDS: Final = ("origin", "target", "restored")
NOTES: Final = frozenset({"revision", LIFECYCLE})


def parse(event: Mapping[str, Any]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong."""
    given = {k: check for k, check in OPTIONAL.items() if k in event}
    wrong = _wrong(event, {**FIELDS, **given}, "", NOTES)
    for side in ENDS:
        if isinstance(event.get(side), Mapping):
            wrong += _wrong(event[side], END, f"{side}.", frozenset())
    wrong += [] if wrong else _foreign(event)
    if wrong:
        raise RequestError("; ".join(wrong))
    said = event.get(LIFECYCLE) or {}
    return Request(
        tenant=event["tenant"],
        role=event["role"],
        schema=event["schema"],
        stage=Stage(event["stage"]),
        origin=_end(event["origin"]),
        target=_end(event["target"]),
        target_gib=event["targetGib"],
        tenant_secret=event["tenantSecret"],
        bucket=event["bucket"],
        budget=float(event["budgetSeconds"]),
        deleted=said.get("action") == "delete",
        restored_to=event.get("restoredTo"),
        restored=_end(event["restored"]) if "restored" in event else None,
        by=By(event.get("by", By.FOLLOWING)),
    )


def _wrong(
    event: Mapping[str, Any], fields: Mapping[str, Callable[[Any], bool]], at: str, more: frozenset[str]
) -> list[str]:
    wrong = [f"{at}{k}: missing" for k in fields if k not in event]
    wrong += [f"{at}{k}: not a field" for k in sorted(set(event) - set(fields) - more)]
    return wrong + [
        f"{at}{k}: not allowed" for k, check in fields.items() if k in event and not check(event[k])
    ]


def _end(said: Mapping[str, Any]) -> End:
    return End(
        host=said["host"], port=said["port"], database=said["database"], master_secret=said["masterSecret"]
    )


def _foreign(event: Mapping[str, Any]) -> list[str]:
    """A mistake in the caller must not move one tenant's rows into another's place, or onto themselves."""
    tenant, name = event["tenant"], "t_" + event["tenant"].replace("-", "_")
    wrong = [f"{k}: expected {name}" for k in ("role", "schema") if event[k] != name]
    if f"/tenants/{tenant}/database-" not in event["tenantSecret"]:
        wrong.append(f"tenantSecret: not a database secret of tenant {tenant}")
    given = [(name, event[name]) for name in ENDS if name in event]
    wrong += [f"{b}: the same as {a}" for (a, x), (b, y) in combinations(given, 2) if x == y]
    if "restored" in event and "restoredTo" not in event:
        wrong.append("restoredTo: missing")
    return wrong
