"""What the function is asked to do: checked whole before anything is opened."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ..tenant_bootstrap.connection import Where
from ..tenant_bootstrap.request import LIFECYCLE, RequestError
from ..tenant_data.request import END, End
from ..tenant_data.request import FIELDS as OF_A_MOVE

CUT: Final = 63  # characters of a name that was cut, and ends in a hash
HASH: Final = 9  # of them, with its dash


class Stage(StrEnum):
    """How far a tenant has left."""

    EXPORT = "export"
    KEEP = "keep"
    CLOSE = "close"
    ERASE = "erase"
    CERTIFY = "certify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One stage of one tenant's leaving. What a stage does not need is empty."""

    tenant: str
    stage: Stage
    role: str = ""
    schema: str = ""
    end: End | None = None  # None: its database was an instance of its own, and is gone with it
    tenant_secret: str = ""  # ARN
    bucket: str = ""  # of its artefacts
    handover: str = ""  # the bucket that it is given
    key: str = ""  # ARN of the one in use
    earlier: tuple[str, ...] = ()  # ARNs of the keys before it
    key_days: int = 0
    instances: tuple[str, ...] = ()  # databases that are or were the tenant's own
    secrets: tuple[str, ...] = ()  # ARNs
    evidence: str = ""  # the bucket of reports and certificates
    deleted: bool = False  # the resource of the stage ends, and nothing is to be done

    @property
    def keys(self) -> tuple[str, ...]:
        """All that anything of the tenant's was ever encrypted under."""
        return (self.key, *self.earlier)

    def where(self, end: End) -> Where:
        return Where(self.tenant, end.host, end.port, end.database)


def _text(pattern: str) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, str) and re.fullmatch(pattern, v) is not None


def _each(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, list) and len(v) == len({str(x) for x in v}) and all(check(x) for x in v)


_BUCKET: Final = OF_A_MOVE["bucket"]
_KEY: Final = _text(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]{3,64}")
_SECRET: Final = OF_A_MOVE["tenantSecret"]

FIELDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "tenant": OF_A_MOVE["tenant"],
    "stage": lambda v: v in tuple(Stage),
    "role": OF_A_MOVE["role"],
    "schema": OF_A_MOVE["schema"],
    **END,
    "tenantSecret": _SECRET,
    "bucket": _BUCKET,
    "handover": _BUCKET,
    "keyArn": _KEY,
    "earlierKeys": _each(_KEY),
    "keyDays": lambda v: type(v) is int and 7 <= v <= 30,  # as KMS allows
    "instances": _each(_text(r"[a-z][a-z0-9-]{0,62}")),
    "secrets": _each(_SECRET),
    "evidence": _BUCKET,
}
COMMON: Final = ("tenant", "stage")
_PLACE: Final = ("role", "schema", *END)
NEEDS: Final[Mapping[Stage, tuple[str, ...]]] = {
    Stage.EXPORT: (*COMMON, *_PLACE, "tenantSecret", "bucket", "handover"),
    Stage.KEEP: (*COMMON, "keyArn"),
    Stage.CLOSE: (*COMMON, "keyArn", "keyDays", "secrets", "evidence"),
    Stage.ERASE: (
        *COMMON, *_PLACE, "bucket", "handover", "keyArn", "instances", "secrets", "evidence",
    ),
    Stage.CERTIFY: (*COMMON, "evidence"),
}  # fmt: skip
# Only of a tenant that had another key before: everybody else's event, and what was sent before there was
# the field, is complete without it.
MAY: Final[Mapping[Stage, tuple[str, ...]]] = {
    Stage.KEEP: ("earlierKeys",),
    Stage.CLOSE: ("earlierKeys",),
    Stage.ERASE: ("earlierKeys",),
}
# Null at `erase`, all or none: under a key that is gone nobody logs in to a database of the tenant's own.
NULL: Final = {Stage.ERASE: frozenset(END)}
# What the call before said and this one cannot, since what bore the name is gone from the program.
REMEMBERED: Final = {Stage.ERASE: ("keyArn", "secrets", "earlierKeys")}
NOTES: Final = frozenset({"revision", LIFECYCLE})


def parse(event: Mapping[str, Any]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong."""
    said = event.get(LIFECYCLE)
    deleted = isinstance(said, Mapping) and said.get("action") == "delete"
    stage = event.get("stage")
    known = stage in tuple(Stage)
    # At its end a resource sends what it was made with, which may be from before a field existed.
    needs = COMMON if deleted or not known else NEEDS[Stage(stage)]
    may = () if deleted or not known else MAY.get(Stage(stage), ())
    event = {**_remembered(Stage(stage), said), **event} if known and not deleted else event
    remembered = REMEMBERED.get(Stage(stage), ()) if known and not deleted else ()
    if lost := [k for k in remembered if k not in event and k not in may]:
        raise RequestError(
            f"tenant {event.get('tenant')}: {', '.join(lost)} unknown, since the run before did not close its"
            " key; take registry and ledger back to closing, and run that again"
        )
    given = (*needs, *(k for k in may if k in event))
    wrong = _wrong(event, given, NULL.get(Stage(stage), frozenset()) if known else frozenset())
    if known and not deleted:
        wrong += [f"{k}: not a field of {stage}" for k in sorted(set(event) - set(given) - NOTES)]
        wrong += [] if wrong else _foreign(event)
    if wrong:
        raise RequestError("; ".join(wrong))
    return _request({k: event[k] for k in given}, deleted=deleted)


def _remembered(stage: Stage, said: Any) -> Mapping[str, Any]:
    before = said.get("prev_input") if isinstance(said, Mapping) else None
    found = before if isinstance(before, Mapping) else {}
    return {k: found[k] for k in REMEMBERED.get(stage, ()) if k in found}


def _wrong(event: Mapping[str, Any], needs: tuple[str, ...], null: frozenset[str]) -> list[str]:
    given = {k: event[k] for k in needs if k in event}
    empty = {k for k in null if k in given and given[k] is None}
    wrong = [f"{k}: missing" for k in needs if k not in given]
    wrong += [f"{k}: not allowed" for k, v in given.items() if k not in empty and not FIELDS[k](v)]
    if empty and empty != null:
        wrong.append(f"{', '.join(sorted(null))}: null all together or not at all")
    return wrong


def _request(said: Mapping[str, Any], *, deleted: bool) -> Request:
    return Request(
        tenant=said["tenant"],
        stage=Stage(said["stage"]),
        role=said.get("role", ""),
        schema=said.get("schema", ""),
        end=_end(said) if said.get("host") else None,
        tenant_secret=said.get("tenantSecret", ""),
        bucket=said.get("bucket", ""),
        handover=said.get("handover", ""),
        key=said.get("keyArn", ""),
        earlier=tuple(said.get("earlierKeys", ())),
        key_days=said.get("keyDays", 0),
        instances=tuple(said.get("instances", ())),
        secrets=tuple(said.get("secrets", ())),
        evidence=said.get("evidence", ""),
        deleted=deleted,
    )


def _end(said: Mapping[str, Any]) -> End:
    return End(
        host=said["host"], port=said["port"], database=said["database"], master_secret=said["masterSecret"]
    )


def _foreign(event: Mapping[str, Any]) -> list[str]:
    """A mistake in the caller must not hand one tenant's data to another, or erase it."""
    tenant, name = event["tenant"], "t_" + event["tenant"].replace("-", "_")
    wrong = [f"{k}: expected {name}" for k in ("role", "schema") if event.get(k, name) != name]
    if f"/tenants/{tenant}/database-" not in event.get("tenantSecret", f"/tenants/{tenant}/database-"):
        wrong.append(f"tenantSecret: not a database secret of tenant {tenant}")
    if any(f"/tenants/{tenant}/" not in arn for arn in event.get("secrets", ())):
        wrong.append(f"secrets: not all of tenant {tenant}")
    names = [k for k in ("bucket", "handover") if k in event]
    wrong += [f"{k}: not of tenant {tenant}" for k in names if not _of(tenant, event[k])]
    if not all(_of(tenant, i) for i in event.get("instances", ())):
        wrong.append(f"instances: not all of tenant {tenant}")
    if "keyArn" in event and event["keyArn"] in event.get("earlierKeys", ()):
        wrong.append("earlierKeys: the key in use is not one of them")
    buckets = [event[k] for k in ("bucket", "handover", "evidence") if k in event]
    if len(buckets) != len(set(buckets)):
        wrong.append("bucket, handover, evidence: expected different ones")
    return wrong


def _of(tenant: str, name: str) -> bool:
    """Whether a name is made of the tenant's, as far as that is to be seen in one that was cut."""
    if f"-{tenant}-" in f"-{name}-":
        return True
    head = name[:-HASH]
    return len(name) == CUT and any(head.endswith(f"-{tenant[:n]}") for n in range(8, len(tenant) + 1))
