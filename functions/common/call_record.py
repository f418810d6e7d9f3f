"""The record of a call in Parameter Store, by which the next run knows that it needs not be made again.

The resource of a call cannot know: components/tenants/lifecycle_calls.py says why. While the work takes
several rounds, the record says how far it has come; such a record counts as none.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Protocol, cast

from config.fields import FieldType
from functions.common.aws_client import aws_client
from functions.common.events import RECORD, RequestError, is_deleted, read_event, text
from functions.common.going_on import GOES_ON, PROGRESS, GoesOn

TRIES: Final = 10  # PutParameter has 3 a second for the whole account (AWS general reference, 2026-11)
LONGEST: Final = 4096  # characters of a parameter of the standard tier (as above)
FIELDS: Final[Mapping[str, FieldType]] = {
    "parameter": text(r"/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+", "name of a parameter"),
    "asked": text(r"[0-9a-f]{64}", "SHA-256"),
    "attempt": text(r"[A-Za-z0-9-]{1,64}", "name of an attempt"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """Where a call is recorded, the SHA-256 of what was asked, and the name of the attempt."""

    parameter: str
    asked: str
    attempt: str


class Parameters(Protocol):
    """Parameter Store, as much of it as is needed."""

    def get(self, name: str) -> str | None:
        """None where there is none."""
        ...

    def put(self, name: str, value: str) -> None: ...

    def delete(self, name: str) -> None:
        """One that is not there is no mistake."""
        ...


class ParameterStore:
    """The real one."""

    def __init__(self, client: Any = None) -> None:
        retries = {"mode": "adaptive", "max_attempts": TRIES}
        self._client = client or aws_client("ssm", retries=retries)

    def get(self, name: str) -> str | None:
        try:
            return str(self._client.get_parameter(Name=name)["Parameter"]["Value"])
        except self._client.exceptions.ParameterNotFound:
            return None

    def put(self, name: str, value: str) -> None:
        self._client.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def delete(self, name: str) -> None:
        try:
            self._client.delete_parameter(Name=name)
        except self._client.exceptions.ParameterNotFound:
            return


@cache
def parameter_store() -> Parameters:
    return ParameterStore()


def recorded(
    event: Mapping[str, Any],
    work: Callable[[], Mapping[str, Any]],
    parameters: Callable[[], Parameters] = parameter_store,
) -> Mapping[str, Any]:
    """Do the work; only then record that it is done, or forget it where the resource ends. Work that goes on
    in another round is recorded as such.

    An event without a record is of a resource that was made before there were records.
    """
    record = record_of(event)
    try:
        result = work()
    except GoesOn as round_:
        if record:
            parameters().put(record.parameter, _going_on(record, str(round_)))
        return round_.answer(str(event.get("tenant")))
    if record and is_deleted(event):
        parameters().delete(record.parameter)
    elif record:
        parameters().put(record.parameter, done(record, result))
    return result


def done(record: CallRecord, result: Mapping[str, Any]) -> str:
    """With the result, if a parameter can hold it: the caller may have lost the reply."""
    words: dict[str, Any] = {"asked": record.asked, "attempt": record.attempt}
    whole = json.dumps({**words, "result": result}, default=str)
    return whole if len(whole) <= LONGEST else json.dumps(words)


def _going_on(record: CallRecord, progress: str) -> str:
    """Not at the top, where an earlier version of the program would take it for a record of what is done."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    words = {"asked": record.asked, "attempt": record.attempt, PROGRESS: progress[:1024], "at": now}
    return json.dumps({GOES_ON: words})


def record_of(event: Mapping[str, Any]) -> CallRecord | None:
    """Raises `RequestError` for a record that is none, or another tenant's."""
    if RECORD not in event:
        return None
    asked: object = event[RECORD]
    if not isinstance(asked, Mapping):
        raise RequestError(f"{RECORD}: expected a mapping")
    record, wrong = read_event(cast("Mapping[str, Any]", asked), FIELDS)
    # A mistake in the caller must not let one tenant's call pass for another's.
    if not wrong and f"/{event.get('tenant')}/" not in record["parameter"]:
        wrong.append(f"parameter: not of tenant {event.get('tenant')}")
    if wrong:
        raise RequestError("; ".join(f"{RECORD}.{line}" for line in wrong))
    return CallRecord(**record)
