"""The request to the function, validated completely before anything is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from config.fields import FieldType
from functions.common.events import BUCKET, RESUME, TENANT, RequestError, is_deleted, read_event, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One tenant's bucket, and the key that all of it is to be encrypted with."""

    tenant: str
    bucket: str
    key: str  # ARN
    deleted: bool  # the resource ends, and nothing is to be done
    resume: Mapping[str, Any] = field(default_factory=dict[str, Any])  # what the round before said


FIELDS: Final[Mapping[str, FieldType]] = {
    "tenant": TENANT,
    "bucket": BUCKET,
    "keyArn": text(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+", "ARN of a key"),
}


def parse(event: Mapping[str, Any]) -> Request:
    """Make a `Request` of an event, or raise `RequestError` naming every field that is wrong."""
    given, wrong = read_event(event, FIELDS)
    # A mistake in the caller must not encrypt one tenant's artefacts with another's key.
    if not wrong and f"-t-{given['tenant']}-" not in given["bucket"]:
        wrong.append(f"bucket: not of tenant {given['tenant']}")
    if wrong:
        raise RequestError("; ".join(wrong))
    return Request(
        tenant=given["tenant"],
        bucket=given["bucket"],
        key=given["keyArn"],
        deleted=is_deleted(event),
        resume=event.get(RESUME) or {},
    )
