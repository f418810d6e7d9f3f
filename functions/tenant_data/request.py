"""The request to the function, validated completely before anything is opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import Any, Final

from config.fields import Choice, FieldType, Object, Whole
from functions.common.connection import TenantDatabase
from functions.common.events import (
    ADDRESS,
    ADDRESS_OBJECT,
    BUCKET,
    PROTECTED,
    RESUME,
    SECRET,
    SQL_NAME,
    TENANT,
    DatabaseAddress,
    RequestError,
    address_of,
    each,
    is_deleted,
    other_tenants_names,
    read_event,
    text,
)
from functions.common.protected_columns import NONE, ProtectedColumns, read_protected

BUDGET: Final = 60.0  # seconds that writes may wait at a cutover


class MoveMethod(StrEnum):
    """How rows come to the target; the values are the registry's words."""

    REPLICATION = "following"  # logical replication, while the tenant writes
    OFFLINE_COPY = "copy"  # a copy, while the tenant cannot write


class MoveStage(StrEnum):
    """How far a move is to come; the words of the registry."""

    PREPARE = "prepare"
    REPLICATE = "replicate"
    CUTOVER = "cutover"
    SOAK = "soak"
    DONE = "done"
    ROLLBACK = "rollback"
    ABORT = "abort"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One stage of one tenant's move. Passwords are in the secrets and nowhere else."""

    tenant: str
    role: str
    schema: str
    stage: MoveStage
    origin: DatabaseAddress
    target: DatabaseAddress
    target_gib: int  # storage of the target's instance
    tenant_secret: str  # ARN
    bucket: str  # of the tenant; the last dump goes there
    budget: float  # seconds
    deleted: bool  # the move is over, and nothing is to be done
    restored_to: str | None = None  # the data is to be what it was then; None: nothing was restored
    # The origin's instance as it was then, others' rows with it; None: the target itself began so.
    restored: DatabaseAddress | None = None
    method: MoveMethod = MoveMethod.REPLICATION
    catalog: str = ""  # the parameter that the services find the tenant by; "" of an event from before
    protected: ProtectedColumns = NONE
    readers: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])  # hosts, by end
    resume: Mapping[str, Any] = field(default_factory=dict[str, Any])  # where the round before says it ended

    def database_at(self, address: DatabaseAddress) -> TenantDatabase:
        return TenantDatabase(self.tenant, address.host, address.port, address.database)


FIELDS: Final[Mapping[str, FieldType]] = {
    "tenant": TENANT,
    "role": SQL_NAME,
    "schema": SQL_NAME,
    "stage": Choice(MoveStage),
    "origin": ADDRESS_OBJECT,
    "target": ADDRESS_OBJECT,
    "targetGib": Whole(1, 65_536),
    "tenantSecret": SECRET,
    "bucket": BUCKET,
    "budgetSeconds": Whole(1, 600),
}
OPTIONAL: Final[Mapping[str, FieldType]] = {
    "restoredTo": text(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", "a moment in UTC"),
    "restored": ADDRESS_OBJECT,
    "by": Choice(MoveMethod),
    "catalog": text(r"/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+", "name of a parameter"),
    "protected": PROTECTED,
    "readers": Object({end: each(ADDRESS["host"]) for end in ("origin", "target")}),
}
ENDS: Final = ("origin", "target", "restored")


def parse(event: Mapping[str, Any]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong."""
    given, wrong = read_event(event, FIELDS, OPTIONAL)
    wrong = wrong or _contradictions(given)
    if wrong:
        raise RequestError("; ".join(wrong))
    return Request(
        tenant=given["tenant"],
        role=given["role"],
        schema=given["schema"],
        stage=given["stage"],
        origin=address_of(given["origin"]),
        target=address_of(given["target"]),
        target_gib=given["targetGib"],
        tenant_secret=given["tenantSecret"],
        bucket=given["bucket"],
        budget=float(given["budgetSeconds"]),
        deleted=is_deleted(event),
        restored_to=given.get("restoredTo"),
        restored=address_of(given["restored"]) if "restored" in given else None,
        method=given.get("by", MoveMethod.REPLICATION),
        catalog=given.get("catalog", ""),
        protected=read_protected(given),
        readers=given.get("readers", {}),
        resume=event.get(RESUME) or {},
    )


def _contradictions(given: Mapping[str, Any]) -> list[str]:
    """A mistake in the caller must not move one tenant's rows into another's schema, or onto themselves."""
    wrong = other_tenants_names(given)
    ends = [(name, given[name]) for name in ENDS if name in given]
    wrong += [f"{b}: the same as {a}" for (a, x), (b, y) in combinations(ends, 2) if x == y]
    if "restored" in given and "restoredTo" not in given:
        wrong.append("restoredTo: missing")
    if "catalog" in given and not given["catalog"].endswith(f"/tenants/{given['tenant']}"):
        wrong.append(f"catalog: not the entry of tenant {given['tenant']}")
    return wrong
