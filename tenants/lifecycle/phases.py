"""The life of a tenant as one state machine: phases, what each means, and the arrows between them.

Each arrow is a change of the registry and a run of its own. `docs/tenant-lifecycle.md` is drawn from here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from tenants.models import Home, Tenant
from tenants.states import Stage


class Phase(StrEnum):
    """Where a tenant stands: its state, or the stage of its move."""

    ACTIVE = "active"
    PREPARE = "prepare"
    REPLICATE = "replicate"
    CUTOVER = "cutover"
    SOAK = "soak"
    DONE = "done"
    ROLLBACK = "rollback"
    ABORT = "abort"
    SUSPENDED = "suspended"
    EXPORTED = "exported"
    RETAINED = "retained"
    CLOSING = "closing"
    ERASING = "erasing"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class About:
    """What a phase means for a tenant's resources and for a person who reviews it."""

    means: str
    creates: str
    keeps: str
    removes: str
    undo: str  # the way back, or why there is none


ABOUT: Final[Mapping[Phase, About]] = {
    Phase.ACTIVE: About(
        "requests are served",
        "everything of the tenant's",
        "everything",
        "what a finished or aborted move left behind, after it was released",
        "suspend",
    ),
    Phase.PREPARE: About(
        "the new place is made and the old one examined; the services notice nothing",
        "the new database or place in the pool, under the tenant's key, and the way to it",
        "the old place, which serves",
        "nothing",
        "move --abort",
    ),
    Phase.REPLICATE: About(
        "the new place follows the old one; no tables may be changed until the move is over",
        "publication, slot and subscription; an alarm on their lag",
        "the old place, which serves",
        "nothing",
        "move --abort",
    ),
    Phase.CUTOVER: About(
        "writes stop, the last changes arrive, everything is compared, the services are led to the new place",
        "replication back to the old place; new credentials",
        "the old place, which follows",
        "the old credentials",
        "by itself if it takes longer than its budget; after it, move --rollback",
    ),
    Phase.SOAK: About(
        "the new place serves, the old one is kept up to date",
        "nothing",
        "the old place, as the way back",
        "nothing",
        "move --rollback loses nothing",
    ),
    Phase.DONE: About(
        "the old place is dumped under the tenant's key and closed",
        "the last dump",
        "the new place, which serves",
        "replication, the old schema and its role; an old instance loses its protection",
        "none: a further move leads back",
    ),
    Phase.ROLLBACK: About(
        "writes stop, the old place gets the last changes and serves again",
        "new credentials at the old place",
        "both places",
        "nothing",
        "none needed: abort, and move again",
    ),
    Phase.ABORT: About(
        "replication is taken down; the old place serves as before",
        "nothing",
        "the old place, which serves",
        "replication and the copy; a new instance loses its protection",
        "move again",
    ),
    Phase.SUSPENDED: About(
        "requests and logins are refused, all data stays", "nothing", "everything", "logins", "resume"
    ),
    Phase.EXPORTED: About(
        "the data is handed over, and the copy proven by restoring it",
        "a hand-over bucket with dump, artefacts and a manifest",
        "everything",
        "nothing",
        "resume",
    ),
    Phase.RETAINED: About(
        "the data is kept as long as the law asks", "nothing", "everything", "nothing", "resume"
    ),
    Phase.CLOSING: About(
        "the key is disabled and scheduled for deletion; protection is lifted",
        "the schedule",
        "everything, unreadable",
        "nothing",
        "offboard --cancel, until the key is deleted",
    ),
    Phase.ERASING: About(
        "the key is gone; the schema, every object and every store of the tenant's go",
        "a report of what was found and removed",
        "its place in the ledger",
        "everything",
        "none",
    ),
    Phase.ERASED: About(
        "everything was looked for and is gone; the id stays taken",
        "the certificate of destruction",
        "the tombstone in the ledger, report and certificate",
        "nothing: there is nothing left",
        "none",
    ),
}

# What a run can make so: a phase that nothing carries out is refused, lest somebody believe that it was done.
DEPLOYABLE: Final = frozenset(Phase)
LEAVING: Final = frozenset({Phase.EXPORTED, Phase.RETAINED, Phase.CLOSING, Phase.ERASING, Phase.ERASED})

Guard = Callable[[Tenant, Home, date], tuple[str, str] | None]
"""What is wrong with taking an arrow on that day, and what would be right; None if it may be taken."""


def _soaked(_tenant: Tenant, home: Home, on: date) -> tuple[str, str] | None:
    """The old place is kept for as long as was agreed when the move began."""
    if home.move is None or home.since is None:
        return None
    ends = home.since + timedelta(days=home.move.soak_days)
    if on >= ends:
        return None
    return f"soaks until {ends}", "wait until then; until the end move --rollback loses nothing"


def _retained(tenant: Tenant, _home: Home, on: date) -> tuple[str, str] | None:
    until = tenant.leaving.retain_until if tenant.leaving else None
    if until is not None and on > until:
        return None
    if until is None:
        return (
            "has no leaving.retain_until",
            "say how long the data must be kept, with offboard --retain-until",
        )
    return f"must be kept until {until}", "wait until that day is over"


def _key_gone(tenant: Tenant, home: Home, on: date) -> tuple[str, str] | None:
    if home.since is None or tenant.leaving is None:
        return None
    ends = home.since + timedelta(days=tenant.leaving.key_days)
    if on >= ends:
        return None
    return (
        f"has a key that is deleted on {ends}",
        "wait until then; until it is gone offboard --cancel undoes it",
    )


@dataclass(frozen=True, slots=True)
class Arrow:
    """A step that a tenant may take."""

    event: str
    before: Phase
    after: Phase
    guard: Guard | None = None
    only_if: str = ""  # what the guard asks, for a person


_P: Final = Phase
ARROWS: Final = (
    Arrow("move", _P.ACTIVE, _P.PREPARE),
    Arrow("next", _P.PREPARE, _P.REPLICATE),
    Arrow("next", _P.REPLICATE, _P.CUTOVER),
    Arrow("next", _P.CUTOVER, _P.SOAK),
    Arrow("next", _P.SOAK, _P.DONE, _soaked, "the soak days are over"),
    Arrow("next", _P.DONE, _P.ACTIVE),
    Arrow("abort", _P.PREPARE, _P.ABORT),
    Arrow("abort", _P.REPLICATE, _P.ABORT),
    Arrow("rollback", _P.CUTOVER, _P.ROLLBACK),
    Arrow("rollback", _P.SOAK, _P.ROLLBACK),
    Arrow("next", _P.ROLLBACK, _P.ABORT),
    Arrow("next", _P.ABORT, _P.ACTIVE),
    Arrow("suspend", _P.ACTIVE, _P.SUSPENDED),
    Arrow("resume", _P.SUSPENDED, _P.ACTIVE),
    Arrow("offboard", _P.SUSPENDED, _P.EXPORTED),
    Arrow("resume", _P.EXPORTED, _P.SUSPENDED),
    Arrow("offboard", _P.EXPORTED, _P.RETAINED),
    Arrow("resume", _P.RETAINED, _P.SUSPENDED),
    Arrow("offboard", _P.RETAINED, _P.CLOSING, _retained, "the retention is over"),
    Arrow("cancel", _P.CLOSING, _P.RETAINED),
    Arrow("offboard", _P.CLOSING, _P.ERASING, _key_gone, "the key is gone"),
    Arrow("offboard", _P.ERASING, _P.ERASED),
)


def phase_of(who: Tenant | Home) -> Phase:
    """The phase of a tenant as the registry has it, or as the ledger last saw it."""
    return Phase(who.move.stage) if who.move else Phase(who.state)


def arrow(before: Phase, after: Phase) -> Arrow | None:
    return next((a for a in ARROWS if (a.before, a.after) == (before, after)), None)


def follow(before: Phase, event: str) -> Arrow | None:
    """The arrow that an event takes from a phase."""
    return next((a for a in ARROWS if (a.before, a.event) == (before, event)), None)


MOVING: Final = frozenset(Phase(s) for s in Stage)
