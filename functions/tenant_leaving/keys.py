"""The tenant's keys: in use, or being deleted. Whatever was encrypted under a key is lost with it.

Earlier keys end together with the one in use, because what could not be re-encrypted is under them.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from functions.tenant_leaving.closing_notes import dates, write_down
from functions.tenant_leaving.request import Request, RequestFields
from functions.tenant_leaving.rights import EVIDENCE, on_keys
from functions.tenant_leaving.stage import Stage
from functions.tenant_leaving.tools import Key, OffboardingError, Tools

ENABLED: Final = "Enabled"
DISABLED: Final = "Disabled"
PENDING: Final = "PendingDeletion"

Found = Mapping[str, Key | None]
"""ARN → the key as KMS describes it, None where there is none any more; the one in use comes first."""


def keep(request: Request, tools: Tools) -> Mapping[str, Any]:
    """Usable, whatever was scheduled; all that can be taken back is, before one that cannot is refused."""
    cancelled = [_taken_back(arn, tools) for arn in request.keys]
    found = described(request, tools)
    if lost := [arn for arn, key in found.items() if key is None]:
        raise OffboardingError(
            f"tenant {request.tenant}: its {_named(lost)} gone, and all that was encrypted under it"
        )
    _require(request, found, (ENABLED,), "enabled")
    facts = [{"key": arn, "state": key.state} for arn, key in found.items() if key]
    return {**_outputs(facts), "cancelled": any(cancelled)}


def close(request: Request, tools: Tools) -> Mapping[str, Any]:
    """Scheduled for deletion, and unusable from now on; the dates stay what they were first.

    Names are written down first: what went and is named nowhere could not be certified.
    """
    found = described(request, tools)
    _require(request, found, (ENABLED, DISABLED, PENDING), "deleted")
    write_down(request, tools, _dates(found))
    for arn, key in found.items():
        if key is not None and key.state != PENDING:
            tools.step(f"deletion of {arn} scheduled")
            tools.keys.schedule(arn, request.key_days)
    found = described(request, tools)
    _require(request, found, (PENDING,), "deleted")
    write_down(request, tools, _dates(found))
    return _outputs([{"key": arn, **facts} for arn, facts in ends(request, tools, found).items()])


def described(request: Request, tools: Tools) -> Found:
    return {arn: tools.keys.describe(arn) for arn in request.keys}


def gone(key: Key | None, now: datetime) -> bool:
    return key is None or (key.state == PENDING and key.deletion is not None and key.deletion <= now)


def ends(request: Request, tools: Tools, found: Found) -> Mapping[str, Mapping[str, Any]]:
    """Of each key its state and the date of its deletion: as KMS says it, or as it was written down when it
    did.
    """
    known = dates(request, tools)
    return {
        arn: {
            "state": key.state if key else "Deleted",
            "deletionDate": _date(key) if key else known.get(arn),
        }
        for arn, key in found.items()
    }


def text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _taken_back(arn: str, tools: Tools) -> bool:
    """Whether its deletion was called off; it is enabled afterwards if that can be."""
    key = tools.keys.describe(arn)
    cancelled = key is not None and key.state == PENDING
    if cancelled:
        tools.step(f"deletion of {arn} cancelled")
        tools.keys.cancel(arn)
        key = tools.keys.describe(arn)
    if key is not None and key.state == DISABLED:
        tools.step(f"{arn} enabled")
        tools.keys.enable(arn)
    return cancelled


def _require(request: Request, found: Found, states: Iterable[str], wanted: str) -> None:
    """Keys in a state that is none of these are left to a person."""
    wrong = [f"its key {arn} is {key.state}" for arn, key in found.items() if key and key.state not in states]
    if wrong:
        raise OffboardingError(f"tenant {request.tenant}: {', '.join(wrong)} and cannot be {wanted}")


def _outputs(facts: list[dict[str, Any]]) -> Mapping[str, Any]:
    """What is reported of the key in use, and of earlier ones where there are any."""
    in_use, *earlier = facts
    return {**in_use, **({"earlierKeys": earlier} if earlier else {})}


def _named(arns: list[str]) -> str:
    return f"key {arns[0]} is" if len(arns) == 1 else f"keys {', '.join(arns)} are"


def _date(key: Key) -> str | None:
    return text(key.deletion) if key.deletion else None


def _dates(found: Found) -> Mapping[str, str | None]:
    return {arn: _date(key) for arn, key in found.items() if key}


# Only of a tenant that had another key before: everybody else's event, and what was sent before there was
# the field, is complete without it.
EARLIER: Final = ("earlierKeys",)
KEEP: Final = Stage(
    request="keep",
    run=keep,
    fields=RequestFields(needs=("keyArn",), may=EARLIER),
    rights=on_keys("kms:DescribeKey", "kms:CancelKeyDeletion", "kms:EnableKey"),
)
CLOSE: Final = Stage(
    request="close",
    run=close,
    fields=RequestFields(needs=("keyArn", "keyDays", "secrets", "evidence"), may=EARLIER),
    rights=(*on_keys("kms:DescribeKey", "kms:ScheduleKeyDeletion"), *EVIDENCE),
)
