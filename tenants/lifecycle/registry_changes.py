"""What a step of a tenant's life changes in the registry: dotted path → value, None to take it out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from tenants.lifecycle.phases import ABOUT, ARROWS, MOVING, Arrow, Phase, follow, phase_of
from tenants.models import Tenant
from tenants.states import READ_ONLY_SECONDS, SOAK_DAYS, By, HomeKind, NetworkMode

Changes = dict[str, Any]


class StepError(ValueError):
    """The step cannot be taken from where the tenant stands; `str()` says what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for along with a step."""

    to: HomeKind | None = None
    at: str | None = None  # of a restore
    by: By | None = None
    soak_days: int | None = None
    read_only_seconds: int | None = None
    retain_until: date | None = None
    key_days: int | None = None


def take(tenant: Tenant, event: str, wish: Wish) -> Changes:
    """The changes of the registry that an event makes; raises `StepError`."""
    before = phase_of(tenant)
    step = follow(before, event)
    if step is None:
        events = sorted({a.event for a in ARROWS if a.before is before})
        known = f"from there: {', '.join(events)}" if events else "nothing follows"
        raise StepError(f"{tenant.id} is in {before}, from which there is no {event}; {known}")
    return changes_of(tenant, step, wish)


def changes_of(tenant: Tenant, step: Arrow, wish: Wish) -> Changes:
    """The changes that an arrow makes."""
    if step.event == "move":
        return _begin(tenant, wish)
    if tenant.move and step.after is Phase.ACTIVE:
        return _finish(tenant)
    if tenant.move and step.after in MOVING:
        changes: Changes = {"move.stage": str(step.after), **_agreed(wish)}
        if step.after is Phase.DONE:
            changes |= _lives(tenant.move.to)
        return changes
    return _state(step, wish)


def _begin(tenant: Tenant, wish: Wish) -> Changes:
    agreed = {path: value for path, value in _agreed(wish).items() if value is not None}
    if wish.at is not None:
        return {**_restore(tenant, wish.at), **agreed}
    if wish.to is None:
        raise StepError(f"{tenant.id} is not moving; say where to: --to {' or --to '.join(_others(tenant))}")
    if wish.to is tenant.home:
        raise StepError(f"{tenant.id} lives there already: {tenant.home}")
    how = {"move.by": str(wish.by)} if wish.by not in (None, By.FOLLOWING) else {}
    ends = {"move.origin": str(tenant.home), "move.to": str(wish.to)}
    return {**ends, "move.stage": "prepare", **how, **agreed}


def _agreed(wish: Wish) -> Changes:
    """What was said of how the move goes; a default is not written."""
    said = {
        "move.soak_days": (wish.soak_days, SOAK_DAYS),
        "move.read_only_seconds": (wish.read_only_seconds, READ_ONLY_SECONDS),
    }
    return {
        path: None if value == usual else value for path, (value, usual) in said.items() if value is not None
    }


def _restore(tenant: Tenant, at: str) -> Changes:
    """A move to an instance that begins as the tenant's own one was at that moment.

    A tenant of the pool gets one of its own: its shard cannot go back without everybody else on it.
    """
    to = tenant.home if tenant.home.alone else HomeKind.SILO
    return {"move.origin": str(tenant.home), "move.to": str(to), "move.stage": "prepare", "move.at": at}


def _others(tenant: Tenant) -> list[str]:
    return [str(kind) for kind in HomeKind if kind is not tenant.home]


def _lives(kind: HomeKind) -> Changes:
    shared = kind.network is NetworkMode.SHARED
    return {"isolation": str(kind.isolation), "network": None if shared else str(kind.network)}


def _finish(tenant: Tenant) -> Changes:
    """The move is over; what only an instance of its own can have goes with the instance."""
    return {"move": None} | ({} if tenant.home.alone else {"overrides": None})


def _state(step: Arrow, wish: Wish) -> Changes:
    changes: Changes = {"state": None if step.after is Phase.ACTIVE else str(step.after)}
    if step.after is Phase.EXPORTED:
        changes["leaving.handed_over"] = True
    if step.after is Phase.SUSPENDED and step.event == "resume":
        # What was handed over stays; what was agreed about the end does not.
        changes["leaving.retain_until"] = changes["leaving.key_days"] = None
    if wish.retain_until is not None:
        changes["leaving.retain_until"] = wish.retain_until
    if wish.key_days is not None:
        changes["leaving.key_days"] = wish.key_days
    return changes


def status(tenant: Tenant) -> Mapping[str, Any]:
    """Where a tenant stands and what may follow, for people and for machines."""
    here = phase_of(tenant)
    return {
        "tenant": tenant.id,
        "phase": str(here),
        "move": str(tenant.move) if tenant.move else None,
        "next": [
            {
                "event": a.event,
                "to": str(a.after),
                "if": a.only_if or None,
                "removes": ABOUT[a.after].removes,
                "undo": ABOUT[a.after].undo,
            }
            for a in ARROWS
            if a.before is here
        ],
    }
