"""The request to the function, validated completely before anything is asked of AWS."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from config.fields import FieldType
from functions.common.call_record import CallRecord, record_of
from functions.common.events import TENANT, RequestError, is_deleted, lifecycle_of, read_event

CUT: Final = 40  # characters of a tenant in an execution's name, which may have 80
FIELDS: Final[Mapping[str, FieldType]] = {"tenant": TENANT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a worker: whose, which, and what was asked; `event` is what the worker is sent."""

    tenant: str
    name: str  # among the tenant's calls: "move"
    record: CallRecord
    event: Mapping[str, Any]
    deleted: bool  # the resource ends, and nothing is to be done
    # The state had this already when the resource was changed, as after an update that failed.
    asked_before: bool

    def execution(self, number: int, asked: str | None = None) -> str:
        """`asked` is what another call was asked."""
        return f"{self.family(asked)}{number}"

    def family(self, asked: str | None = None) -> str:
        """How the names of all that are asked the same begin. What was asked has the tenant in it, so a name
        that was cut is still one tenant's alone.
        """
        return f"{self.name}-{self.tenant[:CUT]}-{(asked or self.record.asked)[:16]}-"


def parse(event: Mapping[str, Any]) -> Call | None:
    """Make a `Call` of an event, or raise `RequestError` naming every field that is wrong. None for the
    end of a resource that was made before there were records.

    What else the event says is for the worker, which judges it.
    """
    given, wrong = read_event({k: event[k] for k in FIELDS if k in event}, FIELDS)
    if wrong:
        raise RequestError("; ".join(wrong))
    record, deleted = record_of(event), is_deleted(event)
    if record is None:
        if deleted:
            return None
        raise RequestError("record: missing")
    return Call(
        tenant=given["tenant"],
        name=record.parameter.rpartition("/")[2],
        record=record,
        event=event,
        deleted=deleted,
        asked_before=_asked_before(event) == record.asked,
    )


def _asked_before(event: Mapping[str, Any]) -> str | None:
    before = lifecycle_of(event).get("prev_input")
    record = record_of(cast("Mapping[str, Any]", before)) if isinstance(before, Mapping) else None
    return record.asked if record else None
