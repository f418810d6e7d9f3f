"""The entry point: a batch of events from the queue, each sent to its tenant's server."""

import contextlib
import json
import logging
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from functions.common.keep_active import answers_keep_active

from .aws import Aws
from .posting import DeliveryError, post
from .signing import headers

Post: TypeAlias = Callable[[str, bytes, Mapping[str, str]], int]

FIRST_PAUSE: Final = 30  # seconds until the second try; each later pause is four times as long
LONGEST_PAUSE: Final = 3600
_TENANT: Final = re.compile("[a-z][a-z0-9-]{2,39}")  # an id of the registry, and then some
log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """What a service puts on the queue: `{"id", "tenant", "type", "created", "data"}`."""

    id: str
    tenant: str
    body: bytes

    @classmethod
    def parse(cls, text: str) -> "Event":
        try:
            given = json.loads(text)
            event, tenant = str(given["id"]), str(given["tenant"])
        except (ValueError, TypeError, KeyError):
            raise DeliveryError("the message is not an event with an id and a tenant") from None
        if not _TENANT.fullmatch(tenant):  # it becomes part of a parameter's name
            raise DeliveryError("the message names no possible tenant")
        return cls(event, tenant, json.dumps(given, separators=(",", ":"), sort_keys=True).encode())


@answers_keep_active
def handle(event: Mapping[str, Any], _context: object) -> Mapping[str, Any]:
    """What Lambda calls."""
    return deliver_all(event["Records"], Aws(os.environ["CATALOG_PATH"], os.environ["QUEUE_URL"]), post)


def deliver_all(records: Sequence[Mapping[str, Any]], aws: Aws, send: Post) -> Mapping[str, Any]:
    """Deliver each; one that fails fails alone, and comes back after a pause that grows."""
    failed: list[Mapping[str, str]] = []
    for record in records:
        attempt = int(record["attributes"]["ApproximateReceiveCount"])
        try:
            deliver(record["body"], aws, send)
        except Exception as why:  # whatever is wrong with one tenant must not hold up another
            log.warning("delivery %s failed at try %d: %s", record["messageId"], attempt, _reason(why))
            failed.append({"itemIdentifier": record["messageId"]})
            with contextlib.suppress(Exception):  # then it comes back at the queue's usual time
                aws.show_again(record["receiptHandle"], pause(attempt))
    return {"batchItemFailures": failed}


def _reason(why: Exception) -> str:
    """Our own words, or the kind of somebody else's: theirs might quote what must not be in a log."""
    return str(why) if isinstance(why, DeliveryError) else type(why).__name__


def pause(attempt: int) -> int:
    """Seconds until the next try: 30, 120, 480, 1,920, and then an hour."""
    return int(min(FIRST_PAUSE * 4 ** min(attempt - 1, 10), LONGEST_PAUSE))


def deliver(text: str, aws: Aws, send: Post) -> None:
    """Send one event to its tenant's server, if it has one; raises `DeliveryError`."""
    event = Event.parse(text)
    entry = aws.catalog_entry(event.tenant)
    webhook = entry.get("webhook")
    if not webhook:
        log.info("event %s: tenant %s has no webhook", event.id, event.tenant)
        return
    if not entry.get("active"):
        raise DeliveryError(f"tenant {event.tenant} is suspended")
    keys = aws.signing_keys(event.tenant, entry["roleArn"], webhook["secretArn"])
    sent = {
        **headers(event.id, int(time.time()), event.body, keys),
        "Content-Type": "application/json",
        "User-Agent": "tenantry-webhooks/1",
    }
    status = send(webhook["url"], event.body, sent)
    log.info("event %s: tenant %s answered %d", event.id, event.tenant, status)
