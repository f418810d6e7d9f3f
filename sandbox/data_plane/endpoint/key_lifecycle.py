"""KMS key states: enabled, disabled, pending deletion (KMS API reference, "Key states", 2026-11).

The program's keys are deleted by the provider, which only schedules it; here is what an administrator does.
"""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.key_lifecycle import (
    WINDOW,
    cancel_deletion,
    deletion_date,
    record_enabled,
    schedule_deletion,
)
from sandbox.cloud.store import Row
from sandbox.data_plane.endpoint.access import Call
from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.endpoint.keys import KEY, Keys, arn_of, pending, state_of

DAYS: Final = (7, 30)
BOUND: Final = (
    "1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint:"
    " Member must have value {which} than or equal to {bound}"
)


class KeyLifecycle(Keys):
    def EnableKey(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        return self._turned(call, self._changing(call, p, "kms:EnableKey"), enabled=True)

    def DisableKey(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        return self._turned(call, self._changing(call, p, "kms:DisableKey"), enabled=False)

    def ScheduleKeyDeletion(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        days = int(p.get("PendingWindowInDays") or WINDOW)
        known = {"kms:ScheduleKeyDeletionPendingWindowInDays": str(days)}
        row = self._changing(call, p, "kms:ScheduleKeyDeletion", known)
        if not DAYS[0] <= days <= DAYS[1]:
            which, bound = ("greater", DAYS[0]) if days < DAYS[0] else ("less", DAYS[1])
            raise AwsError("ValidationException", BOUND.format(days=days, which=which, bound=bound))
        with call.store.change():
            waits = schedule_deletion(call.store, row, days)
            call.store.remove(KEY, row.id)
        return {
            "KeyId": arn_of(row),
            "DeletionDate": deletion_date(waits),
            "KeyState": state_of(waits),
            "PendingWindowInDays": days,
        }

    def CancelKeyDeletion(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        row = self._named(call, p, "kms:CancelKeyDeletion")
        if state_of(row) != "PendingDeletion":
            raise AwsError("KMSInvalidStateException", f"{arn_of(row)} is not pending deletion.")
        with call.store.change():
            cancel_deletion(call.store, row)
        return {"KeyId": arn_of(row)}

    # -- parts

    def _turned(self, call: Call, row: Row, *, enabled: bool) -> dict[str, Any]:
        with call.store.change():
            record_enabled(call.store, row, enabled=enabled)
        return {}

    def _changing(
        self, call: Call, p: Mapping[str, Any], action: str, known: Mapping[str, str] | None = None
    ) -> Row:
        """A key that does not wait for its deletion: one that does refuses every change but its rescue."""
        row = self._named(call, p, action, known)
        if state_of(row) == "PendingDeletion":
            raise pending(row)
        return row

    def _named(
        self, call: Call, p: Mapping[str, Any], action: str, known: Mapping[str, str] | None = None
    ) -> Row:
        """By id or ARN: these operations take no alias."""
        if "alias/" in p["KeyId"]:
            raise AwsError("NotFoundException", f"Invalid keyId {p['KeyId']}")
        row = self._find(call, p["KeyId"])
        self._require(call, row, action, {}, None, known)
        return row
