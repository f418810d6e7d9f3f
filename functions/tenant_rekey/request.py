"""What the function is asked to do: checked whole before anything is opened."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

LIFECYCLE: Final = "lifecycle"  # the key under which the invocation's resource says what happens to it


class RequestError(ValueError):
    """The event is not one that this function serves; the text says what is wrong and never a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One tenant's bucket, and the key that all of it is to be under."""

    tenant: str
    bucket: str
    key: str  # ARN
    deleted: bool  # the resource ends, and nothing is to be done


def _text(pattern: str) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, str) and re.fullmatch(pattern, v) is not None


FIELDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "tenant": _text(r"[a-z][a-z0-9-]{0,58}"),
    "bucket": _text(r"[a-z0-9][a-z0-9.-]{2,62}"),
    "keyArn": _text(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+"),
}
NOTES: Final = frozenset({"revision", LIFECYCLE})


def parse(event: Mapping[str, Any]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong."""
    wrong = [f"{k}: missing" for k in FIELDS if k not in event]
    wrong += [f"{k}: not a field" for k in sorted(set(event) - set(FIELDS) - NOTES)]
    wrong += [f"{k}: not allowed" for k, check in FIELDS.items() if k in event and not check(event[k])]
    # A mistake in the caller must not put one tenant's artefacts under another's key.
    if not wrong and f"-t-{event['tenant']}-" not in event["bucket"]:
        wrong.append(f"bucket: not of tenant {event['tenant']}")
    if wrong:
        raise RequestError("; ".join(wrong))
    said = event.get(LIFECYCLE) or {}
    return Request(
        tenant=event["tenant"],
        bucket=event["bucket"],
        key=event["keyArn"],
        deleted=said.get("action") == "delete",
    )
