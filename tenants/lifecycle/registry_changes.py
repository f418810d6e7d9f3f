"""What a transition changes in the registry: dotted path → value, None to remove it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from tenants.models import Tenant
from tenants.phases import MOVING, TRANSITIONS, MoveMethod, Phase, Transition, transition_by
from tenants.states import READ_ONLY_SECONDS, SOAK_DAYS, NetworkMode, PlacementKind

Changes = dict[str, Any]


class TransitionError(ValueError):
    """The step cannot be taken from where the tenant stands; `str()` says what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionOptions:
    """What a person asks for along with a step."""

    to: PlacementKind | None = None
    at: str | None = None  # of a restore
    by: MoveMethod | None = None
    soak_days: int | None = None
    read_only_seconds: int | None = None
    retain_until: date | None = None
    key_days: int | None = None


def take(tenant: Tenant, event: str, options: TransitionOptions) -> Changes:
    """The changes of the registry that an event makes; raises `TransitionError`."""
    before = tenant.phase
    step = transition_by(event, before)
    if step is None:
        events = sorted({a.event for a in TRANSITIONS if a.before is before})
        known = f"from there: {', '.join(events)}" if events else "nothing follows"
        raise TransitionError(f"{tenant.id} is in {before}, from which there is no {event}; {known}")
    return changes_of(tenant, step, options)


def changes_of(tenant: Tenant, step: Transition, options: TransitionOptions) -> Changes:
    """The changes that an arrow makes."""
    if step.event == "move":
        return _begin(tenant, options)
    if tenant.move and step.after is Phase.ACTIVE:
        return _finish(tenant)
    if tenant.move and step.after in MOVING:
        changes: Changes = {"move.stage": str(step.after), **_agreed(options)}
        if step.after is Phase.DONE:
            changes |= _lives(tenant.move.to)
        return changes
    return _state(step, options)


def _begin(tenant: Tenant, options: TransitionOptions) -> Changes:
    agreed = {path: value for path, value in _agreed(options).items() if value is not None}
    if options.at is not None:
        return {**_restore(tenant, options.at), **agreed}
    if options.to is None:
        raise TransitionError(
            f"{tenant.id} is not moving; say where to: --to {' or --to '.join(_others(tenant))}"
        )
    if options.to is tenant.placement_kind:
        raise TransitionError(f"{tenant.id} lives there already: {tenant.placement_kind}")
    how = {"move.by": str(options.by)} if options.by not in (None, MoveMethod.REPLICATION) else {}
    ends = {"move.origin": str(tenant.placement_kind), "move.to": str(options.to)}
    return {**ends, "move.stage": "prepare", **how, **agreed}


def _agreed(options: TransitionOptions) -> Changes:
    """What was said of how the move goes; a default is not written."""
    answers = {
        "move.soak_days": (options.soak_days, SOAK_DAYS),
        "move.read_only_seconds": (options.read_only_seconds, READ_ONLY_SECONDS),
    }
    return {
        path: None if value == usual else value
        for path, (value, usual) in answers.items()
        if value is not None
    }


def _restore(tenant: Tenant, at: str) -> Changes:
    """A move to an instance that begins as the tenant's own one was at that moment.

    A tenant of the pool gets one of its own: its shard cannot go back without everybody else on it.
    """
    to = tenant.placement_kind if tenant.placement_kind.has_own_instance else PlacementKind.SILO
    return {
        "move.origin": str(tenant.placement_kind),
        "move.to": str(to),
        "move.stage": "prepare",
        "move.at": at,
    }


def _others(tenant: Tenant) -> list[str]:
    return [str(kind) for kind in PlacementKind if kind is not tenant.placement_kind]


def _lives(kind: PlacementKind) -> Changes:
    shared = kind.network is NetworkMode.SHARED
    return {"isolation": str(kind.isolation), "network": None if shared else str(kind.network)}


def _finish(tenant: Tenant) -> Changes:
    """The move is over; what only an instance of its own can have goes with the instance."""
    return {"move": None} | ({} if tenant.placement_kind.has_own_instance else {"overrides": None})


def _state(step: Transition, options: TransitionOptions) -> Changes:
    changes: Changes = {"state": None if step.after is Phase.ACTIVE else str(step.after)}
    if step.after is Phase.EXPORTED:
        changes["leaving.handed_over"] = True
    if step.after is Phase.SUSPENDED and step.event == "resume":
        # What was handed over stays; what was agreed about the end does not.
        changes["leaving.retain_until"] = changes["leaving.key_days"] = None
    if options.retain_until is not None:
        changes["leaving.retain_until"] = options.retain_until
    if options.key_days is not None:
        changes["leaving.key_days"] = options.key_days
    return changes


def status(tenant: Tenant) -> Mapping[str, Any]:
    """Where a tenant stands and what may follow, for people and for machines."""
    here = tenant.phase
    return {
        "tenant": tenant.id,
        "phase": str(here),
        "move": str(tenant.move) if tenant.move else None,
        "next": [
            {
                "event": a.event,
                "to": str(a.after),
                "if": a.only_if or None,
                "removes": a.after.row.removes,
                "undo": a.after.row.undo,
            }
            for a in TRANSITIONS
            if a.before is here
        ],
    }
