"""The lifecycle of a tenant as one table: its phases, and the transitions between them.

All that follows from a phase is read off its row: the registry's words and checks, what the plan tags and
unprotects, what the functions are sent, what the commands offer and refuse, and `docs/tenant-lifecycle.md`.
Functions ship alone and cannot read it; a test compares their words with it. A transition is one reviewed
change of the registry and one run of `pulumi up`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """A tenant's phase, in the registry's words: its `state`, or the `stage` of its `move`."""

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

    @property
    def row(self) -> "PhaseRow":
        """What the table says of it."""
        return PHASES[self]


class Process(StrEnum):
    """What a tenant is in the middle of; the value is the stack output that reports it."""

    SERVICE = ""  # nothing: it is served, or refused for a while
    MOVE = "moves"
    OFFBOARDING = "leaving"


class Released(StrEnum):
    """Which of a tenant's databases has lost its protection from deletion."""

    NOTHING = "nothing"
    ORIGIN = "origin"  # of its move
    TARGET = "target"
    ALL = "all"


class MoveMethod(StrEnum):
    """How a tenant's rows get to the new database. The values are those of YAML and of the functions."""

    REPLICATION = "following"  # while the tenant writes, by logical replication
    OFFLINE_COPY = "copy"  # at the cutover, while it cannot write: for what cannot be replicated


ENDING: Final = "ending"
"""Tag of what a leaving tenant has, from the phase before its key is to be deleted: a key that waits for its
deletion takes no other tag, and its deletion can be called off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRow:
    """What a phase means for a tenant's resources and for a person who reviews it."""

    process: Process
    means: str
    creates: str
    keeps: str
    removes: str
    undo: str  # the way back, or why there is none
    proof: str  # what shows afterwards that it was done
    request: str | None = None  # the function's word for it, which is an input of deployed resources
    tag: str | None = None  # on the tenant's resources
    released: Released = Released.NOTHING
    at_target: bool = False  # of a move: whether the services use the new database
    placed: bool = True  # whether the tenant takes a place in the cell
    exists: bool = True  # whether the tenant's resources stand after the run
    offline_copy: str = ""  # what is otherwise in a move by offline copy
    restore: str = ""  # what is otherwise in a restore


PHASES: Final[Mapping[Phase, PhaseRow]] = {
    Phase.ACTIVE: PhaseRow(
        process=Process.SERVICE,
        means="requests are served",
        creates="everything that the tenant has",
        keeps="everything",
        removes="what a finished or aborted move left behind, after it was released",
        undo="suspend",
        proof="`active` in its catalog entry is true, and `tenants` of the stack's outputs says where it is",
    ),
    Phase.PREPARE: PhaseRow(
        process=Process.MOVE,
        means="the new database is created, the old one examined, the copy rehearsed; nobody notices",
        creates="the new database, or a schema on a shard, and the network path to it",
        keeps="the old database, which serves",
        removes="nothing",
        undo="move --abort",
        proof="how many tables and bytes were examined, in the output `moves`",
        request="prepare",
        offline_copy="what only replication needs is not checked",
        restore="rows are counted table by table in both databases: `pulumi stack output moves`",
    ),
    Phase.REPLICATE: PhaseRow(
        process=Process.MOVE,
        means="the old database is replicated to the new one; no schema changes until the move is over",
        creates="publication, replication slot and subscription; an alarm on their lag",
        keeps="the old database, which serves",
        removes="nothing",
        undo="move --abort",
        proof="the lag, in the output `moves`",
        request="replicate",
        offline_copy="the schema is created in the new database and removed again, as a trial; no rows go",
        restore="rows are counted again; nothing is replicated: what is written from now on is not in the"
        " new database",
    ),
    Phase.CUTOVER: PhaseRow(
        process=Process.MOVE,
        means="writes stop, the last changes are replicated, every row is compared, the services switch to"
        " the new database",
        creates="replication back to the old database; new credentials",
        keeps="the old database, as a replica",
        removes="the old credentials",
        undo="called off by itself if it takes longer than its budget; afterwards move --rollback",
        proof="the comparison of both databases, in the output `moves`",
        request="cutover",
        at_target=True,
        offline_copy="the tenant cannot write while all rows are copied and compared; if that takes longer"
        " than its budget (`--read-only-seconds`, at most 600) it is called off; writes go on",
        restore="writes stop, the services switch; nothing is compared, since rows are meant to differ",
    ),
    Phase.SOAK: PhaseRow(
        process=Process.MOVE,
        means="the new database serves, and is replicated to the old one",
        creates="nothing",
        keeps="the old database, for a rollback",
        removes="nothing",
        undo="move --rollback loses nothing",
        proof="the lag of the old database, in the output `moves`",
        request="soak",
        at_target=True,
        offline_copy="nothing is replicated: the old database stays as it was",
        restore="nothing is replicated: the old database stays as it was",
    ),
    Phase.DONE: PhaseRow(
        process=Process.MOVE,
        means="the old database is dumped under the tenant's key, and emptied",
        creates="the last dump",
        keeps="the new database, which serves",
        removes="replication, the old schema and its role; an old instance loses its deletion protection",
        undo="none: moving back is a new move",
        proof="the last dump, in the tenant's bucket",
        request="done",
        released=Released.ORIGIN,
        at_target=True,
    ),
    Phase.ROLLBACK: PhaseRow(
        process=Process.MOVE,
        means="writes stop, the old database gets the last changes and serves again",
        creates="new credentials for the old database",
        keeps="both databases",
        removes="nothing",
        undo="none needed: abort, and move again",
        proof="the comparison of both databases, in the output `moves`",
        request="rollback",
        offline_copy="gives up what was written since the cutover, so nothing is compared",
        restore="gives up what was written since the cutover, so rows are counted and not compared",
    ),
    Phase.ABORT: PhaseRow(
        process=Process.MOVE,
        means="replication is removed; the old database serves as before",
        creates="nothing",
        keeps="the old database, which serves",
        removes="replication and the copy; a new instance loses its deletion protection",
        undo="move again",
        proof="which database serves, in the output `moves`",
        request="abort",
        released=Released.TARGET,
    ),
    Phase.SUSPENDED: PhaseRow(
        process=Process.SERVICE,
        means="requests and logins are refused; all data stays",
        creates="nothing",
        keeps="everything",
        removes="logins",
        undo="resume",
        proof="`active` in its catalog entry is false, and its SQL role cannot log in",
    ),
    Phase.EXPORTED: PhaseRow(
        process=Process.OFFBOARDING,
        means="the data is exported, and the export proved by restoring it",
        creates="a hand-over bucket with the dump, the artefacts and a manifest",
        keeps="everything",
        removes="nothing",
        undo="resume",
        proof="`manifest.json` of the hand-over bucket, with the SHA-256 of every file",
        request="export",
        tag="exported",
    ),
    Phase.RETAINED: PhaseRow(
        process=Process.OFFBOARDING,
        means="the data is kept as long as the law asks",
        creates="nothing",
        keeps="everything",
        removes="nothing",
        undo="resume",
        proof="the states of its keys, in the output `leaving`",
        request="keep",
        tag=ENDING,
    ),
    Phase.CLOSING: PhaseRow(
        process=Process.OFFBOARDING,
        means="the keys are scheduled for deletion and cannot be used; deletion protection is lifted",
        creates="the schedule",
        keeps="everything; unreadable but for rows of the pool that are not in protected columns",
        removes="nothing",
        undo="offboard --cancel, until the key is deleted",
        proof="the day on which its keys are deleted, in the output `leaving` and in"
        " `tenants/ID/closing.json` of the evidence bucket",
        request="close",
        tag=ENDING,
        released=Released.ALL,
    ),
    Phase.ERASING: PhaseRow(
        process=Process.OFFBOARDING,
        means="the key is gone; the tenant's schema, objects and stores are deleted",
        creates="a report of what was found and removed",
        keeps="its entry in the ledger",
        removes="everything",
        undo="none",
        proof="the report, `tenants/ID/erased.json` of the evidence bucket",
        request="erase",
        released=Released.ALL,
        exists=False,
    ),
    Phase.ERASED: PhaseRow(
        process=Process.OFFBOARDING,
        means="every store in the report was checked to be gone; the id stays taken",
        creates="the certificate of destruction",
        keeps="the tombstone in the ledger, report and certificate",
        removes="nothing: there is nothing left",
        undo="none",
        proof="the certificate of destruction, `tenants/ID/certificate.json` of the evidence bucket",
        request="certify",
        placed=False,
        exists=False,
    ),
}

# What a run can make so: a phase that nothing carries out is refused, lest somebody believe that it was done.
DEPLOYABLE: Final = frozenset(PHASES)
MOVING: Final = frozenset(p for p, row in PHASES.items() if row.process is Process.MOVE)
LEAVING: Final = frozenset(p for p, row in PHASES.items() if row.process is Process.OFFBOARDING)
STATES: Final = tuple(p for p in Phase if p not in MOVING)
"""What the registry's field `state` may say."""
MOVE_STAGES: Final = tuple(p for p in Phase if p in MOVING)
"""What the registry's field `move.stage` may say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardFacts:
    """What a guard looks at: when the phase began, and what was agreed; None where nothing was."""

    since: date | None
    soak_days: int | None
    retain_until: date | None
    key_days: int | None


Guard = Callable[[GuardFacts, date], tuple[str, str] | None]
"""What is wrong with a transition on that day, and what would be right; None if it may be taken."""


def _soaked(facts: GuardFacts, on: date) -> tuple[str, str] | None:
    """The old database is kept for as long as was agreed when the move began."""
    if facts.since is None or facts.soak_days is None:
        return None
    ends = facts.since + timedelta(days=facts.soak_days)
    if on >= ends:
        return None
    return f"soaks until {ends}", "wait until then; until then move --rollback loses nothing"


def _retained(facts: GuardFacts, on: date) -> tuple[str, str] | None:
    until = facts.retain_until
    if until is not None and on > until:
        return None
    if until is None:
        return (
            "has no leaving.retain_until",
            "say how long the data must be kept, with offboard --retain-until",
        )
    return f"must be kept until {until}", "wait until that day is over"


def _key_gone(facts: GuardFacts, on: date) -> tuple[str, str] | None:
    if facts.since is None or facts.key_days is None:
        return None
    ends = facts.since + timedelta(days=facts.key_days)
    if on >= ends:
        return None
    return (
        f"has a key that is deleted on {ends}",
        "wait until then; until it is gone offboard --cancel undoes it",
    )


@dataclass(frozen=True, slots=True)
class Event:
    """What a person asks for: the command after `tenantry tenants`."""

    command: str
    leads_on: bool = False  # and so needs what was asked for before; others lead back, for when that failed


EVENTS: Final[Mapping[str, Event]] = {
    "move": Event("move ID --to KIND", leads_on=True),
    "next": Event("move ID", leads_on=True),
    "abort": Event("move ID --abort"),
    "rollback": Event("move ID --rollback"),
    "suspend": Event("suspend ID"),
    "resume": Event("resume ID"),
    "offboard": Event("offboard ID", leads_on=True),
    "cancel": Event("offboard ID --cancel"),
}


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition from one phase to the next."""

    event: str
    before: Phase
    after: Phase
    guard: Guard | None = None
    only_if: str = ""  # what the guard asks, for a person


_P: Final = Phase
TRANSITIONS: Final = (
    Transition("move", _P.ACTIVE, _P.PREPARE),
    Transition("next", _P.PREPARE, _P.REPLICATE),
    Transition("next", _P.REPLICATE, _P.CUTOVER),
    Transition("next", _P.CUTOVER, _P.SOAK),
    Transition("next", _P.SOAK, _P.DONE, _soaked, "the soak days are over"),
    Transition("next", _P.DONE, _P.ACTIVE),
    Transition("abort", _P.PREPARE, _P.ABORT),
    Transition("abort", _P.REPLICATE, _P.ABORT),
    Transition("rollback", _P.CUTOVER, _P.ROLLBACK),
    Transition("rollback", _P.SOAK, _P.ROLLBACK),
    Transition("next", _P.ROLLBACK, _P.ABORT),
    Transition("next", _P.ABORT, _P.ACTIVE),
    Transition("suspend", _P.ACTIVE, _P.SUSPENDED),
    Transition("resume", _P.SUSPENDED, _P.ACTIVE),
    Transition("offboard", _P.SUSPENDED, _P.EXPORTED),
    Transition("resume", _P.EXPORTED, _P.SUSPENDED),
    Transition("offboard", _P.EXPORTED, _P.RETAINED),
    Transition("resume", _P.RETAINED, _P.SUSPENDED),
    Transition("offboard", _P.RETAINED, _P.CLOSING, _retained, "the retention is over"),
    Transition("cancel", _P.CLOSING, _P.RETAINED),
    Transition("offboard", _P.CLOSING, _P.ERASING, _key_gone, "the key is gone"),
    Transition("offboard", _P.ERASING, _P.ERASED),
)


def transition_between(before: Phase, after: Phase) -> Transition | None:
    return next((t for t in TRANSITIONS if (t.before, t.after) == (before, after)), None)


def transition_by(event: str, before: Phase) -> Transition | None:
    """The transition that an event makes from a phase."""
    return next((t for t in TRANSITIONS if (t.before, t.event) == (before, event)), None)
