"""The tenant's key: usable, or on its way out. With it goes all that was ever encrypted under it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from .documents import load, save
from .request import Request
from .tools import Key, LeavingError, Tools

ENABLED: Final = "Enabled"
DISABLED: Final = "Disabled"
PENDING: Final = "PendingDeletion"


def closing(tenant: str) -> str:
    """Where it is written down when the key goes: afterwards KMS knows nothing of it."""
    return f"tenants/{tenant}/closing.json"


def keep(request: Request, tools: Tools) -> Mapping[str, Any]:
    """Usable, whatever was scheduled."""
    key = _there(request, tools)
    cancelled = key.state == PENDING
    if cancelled:
        tools.step("deletion cancelled")
        tools.keys.cancel(request.key)
        key = _there(request, tools)
    if key.state == DISABLED:
        tools.step("key enabled")
        tools.keys.enable(request.key)
        key = _there(request, tools)
    if key.state != ENABLED:
        raise LeavingError(f"tenant {request.tenant}: its key is {key.state} and cannot be enabled")
    return {"key": request.key, "state": key.state, "cancelled": cancelled}


def close(request: Request, tools: Tools) -> Mapping[str, Any]:
    """Scheduled for deletion, and unusable from now on; the date stays what it was first."""
    key = tools.keys.describe(request.key)
    if key is not None and key.state in (ENABLED, DISABLED):
        tools.step("deletion scheduled")
        tools.keys.schedule(request.key, request.key_days)
        key = tools.keys.describe(request.key)
    if key is not None and key.state != PENDING:
        raise LeavingError(f"tenant {request.tenant}: its key is {key.state} and cannot be deleted")
    if key is not None and key.deletion is not None:
        _remember(request, tools, key.deletion)
    return {
        "key": request.key,
        "state": key.state if key else "Deleted",
        "deletionDate": deletion_date(request, tools, key),
    }


def gone(key: Key | None, now: datetime) -> bool:
    return key is None or (key.state == PENDING and key.deletion is not None and key.deletion <= now)


def deletion_date(request: Request, tools: Tools, key: Key | None) -> str | None:
    """As KMS says it, or as it was written down when it did."""
    if key is not None:
        return text(key.deletion) if key.deletion else None
    found = load(tools.objects, request.evidence, closing(request.tenant)) or {}
    return found.get("deletionDate") if found.get("key") == request.key else None


def text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _there(request: Request, tools: Tools) -> Key:
    key = tools.keys.describe(request.key)
    if key is None:
        raise LeavingError(f"tenant {request.tenant}: its key is gone, and all that it encrypted")
    return key


def _remember(request: Request, tools: Tools, deletion: datetime) -> None:
    name = closing(request.tenant)
    known = load(tools.objects, request.evidence, name) or {}
    said = {"tenant": request.tenant, "key": request.key, "deletionDate": text(deletion)}
    if {k: known.get(k) for k in said} != said:
        tools.step("date written down")
        save(tools.objects, request.evidence, name, {**said, "scheduled": text(tools.now())})
