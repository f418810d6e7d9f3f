"""The request to the function, validated completely before anything is opened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from config.fields import Choice, FieldType, Nullable, Whole
from functions.common.connection import TenantDatabase
from functions.common.events import (
    ADDRESS,
    BUCKET,
    KEY,
    PROTECTED,
    SECRET,
    SQL_NAME,
    TENANT,
    DatabaseAddress,
    RequestError,
    address_of,
    each,
    is_deleted,
    lifecycle_of,
    other_tenants_names,
    read_event,
    text,
)
from functions.common.protected_columns import NONE, ProtectedColumns, read_protected

CUT: Final = 63  # characters of a name that was cut, and ends in a hash
HASH: Final = 9  # of them, with its dash


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One stage of one tenant's offboarding. What a stage does not need is empty."""

    tenant: str
    stage: str  # the word of one of `stages.STAGES`
    role: str = ""
    schema: str = ""
    address: DatabaseAddress | None = (
        None  # None: its database was an instance of its own, and is gone with it
    )
    tenant_secret: str = ""  # ARN
    bucket: str = ""  # of its artefacts
    handover: str = ""  # the bucket that it is given
    key: str = ""  # ARN of the one in use
    earlier: tuple[str, ...] = ()  # ARNs of the keys before it
    key_days: int = 0
    instances: tuple[str, ...] = ()  # databases that are or were the tenant's own
    copies: tuple[str, ...] = ()  # Region/instance: of those whose backups are copied there
    secrets: tuple[str, ...] = ()  # ARNs
    protected: ProtectedColumns = NONE
    evidence: str = ""  # the bucket of reports and certificates
    deleted: bool = False  # the resource of the stage ends, and nothing is to be done

    @property
    def keys(self) -> tuple[str, ...]:
        """All that anything of the tenant's was ever encrypted under."""
        return (self.key, *self.earlier)

    def database_at(self, address: DatabaseAddress) -> TenantDatabase:
        return TenantDatabase(self.tenant, address.host, address.port, address.database)


FIELDS: Final[Mapping[str, FieldType]] = {
    "tenant": TENANT,
    "role": SQL_NAME,
    "schema": SQL_NAME,
    **ADDRESS,
    "tenantSecret": SECRET,
    "bucket": BUCKET,
    "handover": BUCKET,
    "keyArn": KEY,
    "earlierKeys": each(KEY),
    "keyDays": Whole(7, 30),  # as KMS allows
    "instances": each(text(r"[a-z][a-z0-9-]{0,62}", "name of a database instance")),
    "copies": each(text(r"[a-z]{2}(-[a-z]+)+-[0-9]/[a-z][a-z0-9-]{0,62}", "Region/database instance")),
    "secrets": each(SECRET),
    "evidence": BUCKET,
    "protected": PROTECTED,
}
PLACE: Final = ("role", "schema", *ADDRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFields:
    """What the event of a stage has, beside tenant and stage."""

    needs: tuple[str, ...]
    may: tuple[str, ...] = ()
    null: frozenset[str] = frozenset()  # of `needs`: null all together, or none of them
    # What the call before said and this one cannot, since what bore the name is gone from the program. After
    # a call that failed nobody may know that one any more: `closing_notes` has it too.
    remembered: tuple[str, ...] = ()


def parse(event: Mapping[str, Any], stages: Mapping[str, RequestFields]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong.

    `stages`: the words of all stages, and what each is asked with.
    """
    common = {"tenant": TENANT, "stage": Choice(tuple(stages))}
    asked = stages.get(str(event.get("stage")))
    # At its end a resource sends what it was made with, which may be from before a field existed.
    if is_deleted(event) or asked is None:
        given, wrong = read_event({k: event[k] for k in common if k in event}, common)
    else:
        given, wrong = _read(asked, event, common)
        wrong = wrong or _contradictions(given)
    if wrong:
        raise RequestError("; ".join(wrong))
    return _request(given, deleted=is_deleted(event))


def _types(names: Iterable[str], null: frozenset[str] = frozenset()) -> Mapping[str, FieldType]:
    return {name: Nullable(FIELDS[name]) if name in null else FIELDS[name] for name in names}


def _read(
    asked: RequestFields, event: Mapping[str, Any], common: Mapping[str, FieldType]
) -> tuple[Mapping[str, Any], list[str]]:
    """The fields that the stage needs, and all that is wrong with them."""
    if lost := unknown(asked, event):
        raise RequestError(
            f"tenant {event.get('tenant')}: {', '.join(lost)} unknown, since the run before did not close its"
            " key; take registry and ledger back to closing, and run that again"
        )
    event = {**_remembered(asked, event), **event}
    required = {**common, **_types(asked.needs, asked.null)}
    given, wrong = read_event(event, required, _types(asked.may), f"not a field of {event['stage']}")
    if len({event[k] is None for k in asked.null if k in event}) > 1:
        wrong.append(f"{', '.join(sorted(asked.null))}: null all together or not at all")
    return given, wrong


def unknown(asked: RequestFields, event: Mapping[str, Any]) -> list[str]:
    """What the stage must know, and neither the event nor the call before says."""
    said = {**_remembered(asked, event), **event}
    return [k for k in asked.remembered if k not in said and k not in asked.may]


def _remembered(asked: RequestFields, event: Mapping[str, Any]) -> Mapping[str, Any]:
    before = lifecycle_of(event).get("prev_input")
    found: Mapping[str, Any] = cast("Mapping[str, Any]", before) if isinstance(before, Mapping) else {}
    return {k: found[k] for k in asked.remembered if k in found}


def _request(given: Mapping[str, Any], *, deleted: bool) -> Request:
    return Request(
        tenant=given["tenant"],
        stage=given["stage"],
        role=given.get("role", ""),
        schema=given.get("schema", ""),
        address=address_of(given) if given.get("host") else None,
        tenant_secret=given.get("tenantSecret", ""),
        bucket=given.get("bucket", ""),
        handover=given.get("handover", ""),
        key=given.get("keyArn", ""),
        earlier=given.get("earlierKeys", ()),
        key_days=given.get("keyDays", 0),
        instances=given.get("instances", ()),
        copies=given.get("copies", ()),
        secrets=given.get("secrets", ()),
        protected=read_protected(given),
        evidence=given.get("evidence", ""),
        deleted=deleted,
    )


def _contradictions(given: Mapping[str, Any]) -> list[str]:
    """A mistake in the caller must not hand one tenant's data to another, or erase it."""
    tenant, wrong = given["tenant"], other_tenants_names(given)
    if any(f"/tenants/{tenant}/" not in arn for arn in given.get("secrets", ())):
        wrong.append(f"secrets: not all of tenant {tenant}")
    names = [k for k in ("bucket", "handover") if k in given]
    wrong += [f"{k}: not of tenant {tenant}" for k in names if not _of(tenant, given[k])]
    if not all(_of(tenant, i) for i in given.get("instances", ())):
        wrong.append(f"instances: not all of tenant {tenant}")
    if not all(_of(tenant, copy.partition("/")[2]) for copy in given.get("copies", ())):
        wrong.append(f"copies: not all of tenant {tenant}")
    if "keyArn" in given and given["keyArn"] in given.get("earlierKeys", ()):
        wrong.append("earlierKeys: the key in use is not one of them")
    buckets = [given[k] for k in ("bucket", "handover", "evidence") if k in given]
    if len(buckets) != len(set(buckets)):
        wrong.append("bucket, handover, evidence: expected different ones")
    return wrong


def _of(tenant: str, name: str) -> bool:
    """Whether a name is made of the tenant's, as far as that is to be seen in one that was cut."""
    if f"-{tenant}-" in f"-{name}-":
        return True
    head = name[:-HASH]
    return len(name) == CUT and any(head.endswith(f"-{tenant[:n]}") for n in range(8, len(tenant) + 1))
