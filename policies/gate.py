"""The gate: refuses to replace or delete what holds data, before the first step, unless it was approved.

It reads the engine's own plan, so that a replacement that only the provider asks for is seen too. An
approval names one thing by its URN, says who answers for it, and expires.
"""

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from config.fields import Choice, Text, spec
from config.text_fields import DATE, EMAIL, ONE_LINE
from policies.exceptions import HERE, read_entries, today
from policies.preview import Preview, Step, dependents, read_preview
from policies.stateful import STATEFUL, Stateful

FILE: Final = HERE / "approvals.yaml"
DELETES: Final = frozenset({"delete", "discard"})
REPLACES: Final = frozenset({"replace", "create-replacement", "delete-replaced", "import-replacement"})
NAMED: Final = 5  # dependents that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One thing that may go."""

    urn: str = field(metadata=spec(Text(ONE_LINE.pattern, "the URN that the gate named", 500), "What may go"))
    operation: str = field(metadata=spec(Choice(("replace", "delete")), "What may be done with it"))
    reason: str = field(metadata=spec(Text(ONE_LINE.pattern, "why it may go", 500, 20), "Why"))
    owner: str = field(metadata=spec(EMAIL, "Who answers for it"))
    expires: date = field(metadata=spec(DATE, "Last day that it holds"))


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that holds data, and that the plan would replace or delete."""

    urn: str
    operation: str  # replace or delete
    causes: tuple[str, ...]
    stateful: Stateful
    needed_by: tuple[str, ...]

    @property
    def label(self) -> str:
        """Type and name."""
        return label_of(self.urn)

    @property
    def needed(self) -> str:
        """Who depends on it, to be said after something else."""
        return f"; {_first_names(self.needed_by)} depend on it" if self.needed_by else ""

    def __str__(self) -> str:
        because = f" because of {', '.join(self.causes)}" if self.causes else ""
        return (
            f"{self.label} holds {self.stateful.holds} and would be {self.operation}d{because}{self.needed}; "
            f"nothing was changed; {self.stateful.instead}; or approve urn {self.urn}"
        )


def label_of(urn: str) -> str:
    """Type and name."""
    return f"{urn.split('::')[2].rpartition('$')[2]}::{urn.rsplit('::', 1)[-1]}"


def _first_names(urns: Sequence[str]) -> str:
    names = [u.rsplit("::", 1)[-1] for u in urns]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def losses(preview: Preview, state: Preview | None = None) -> tuple[Loss, ...]:
    """All that holds data and would go, each once, by URN; `state` knows what depends on what."""
    found: dict[str, Loss] = {}
    for step in preview.steps:
        operation = "replace" if step.op in REPLACES else "delete" if step.op in DELETES else ""
        stateful = STATEFUL.get(step.type)
        if not operation or stateful is None or not _holds(stateful, step, preview):
            continue
        before = found.get(step.urn)
        causes = step.causes or (before.causes if before else ())
        if before is None or before.operation == "delete" or not before.causes:
            replaced = operation == "replace" or (before is not None and before.operation == "replace")
            needed = tuple(sorted(set(dependents(step.urn, state or preview)) - {step.urn}))
            found[step.urn] = Loss(step.urn, "replace" if replaced else "delete", causes, stateful, needed)
    return tuple(found[urn] for urn in sorted(found))


def _holds(stateful: Stateful, step: Step, preview: Preview) -> bool:
    """Whether it holds anything that goes with it: some things do only when others hang on them, and what is
    retained when it is deleted stays as it is, for somebody else to look after.
    """
    if step.op == "delete" and step.before.get("retainOnDelete"):
        return False
    if stateful.subscribers is None:
        return True
    kind, path = stateful.subscribers
    known = _identities(step.before)
    return any(s.type == kind and _at(s.before, path) in known for s in preview.steps if s.before)


def _identities(state: Mapping[str, Any]) -> set[Any]:
    outputs: Mapping[str, Any] = state.get("outputs") or {}
    return {state.get("id"), outputs.get("arn"), outputs.get("id")} - {None}


def _at(state: Mapping[str, Any], path: str) -> Any:
    inputs: Mapping[str, Any] = state.get("inputs") or {}
    return inputs.get(path)


def read_approvals(path: Path) -> tuple[Approval, ...]:
    """The approvals of a file, none where there is no file; raises `ExceptionsError`."""
    return tuple(read_entries(path, Approval)) if path.exists() else ()


def unapproved(found: Sequence[Loss], approvals: Sequence[Approval], on: date) -> tuple[Loss, ...]:
    """The losses that nobody has approved for that day."""
    allowed = {(a.urn, a.operation) for a in approvals if a.expires >= on}
    return tuple(loss for loss in found if (loss.urn, loss.operation) not in allowed)


def stale(
    preview: Preview, found: Sequence[Loss], approvals: Sequence[Approval], on: date
) -> tuple[str, ...]:
    """The approvals that allow nothing: of another day, or of this stack and not asked for by its plan."""
    asked = {(loss.urn, loss.operation) for loss in found}
    here = {_stack(step.urn) for step in preview.steps}
    notes: list[str] = []
    for a in approvals:
        what = f"the approval to {a.operation} {label_of(a.urn)}"
        if a.expires < on:
            notes.append(f"{what} has expired, on {a.expires}; take it out")
        elif (a.urn, a.operation) not in asked and _stack(a.urn) in here:
            notes.append(f"{what} is not needed by this plan; take it out once it is done")
    return tuple(notes)


def _stack(urn: str) -> tuple[str, ...]:
    return tuple(urn.split("::")[:2])


def gate(file: Path, approvals: Path, state: Path | None, *, as_json: bool) -> int:
    """Print what may not go, a line each, and how to allow it; 1 where there is any."""
    granted = read_approvals(approvals)
    preview = read_preview(file)
    found = losses(preview, read_preview(state) if state else None)
    refused = unapproved(found, granted, today())
    idle = stale(preview, found, granted, today())
    if as_json:
        rows = [
            {"urn": x.urn, "operation": x.operation, "causes": x.causes, "neededBy": x.needed_by}
            for x in refused
        ]
        answer = {"refused": rows, "approved": len(found) - len(refused), "stale": idle}
        print(json.dumps(answer, indent=2))
        return 1 if refused else 0
    for loss in refused:
        expired = any(a.urn == loss.urn and a.expires < today() for a in granted)
        print(f"{loss}{' (its approval has expired)' if expired else ''}")
    if refused:
        print(f"if all of this is to go: {how_to_approve(file, approvals)}")
    else:
        print(f"losses of data: {len(found)}, all approved" if found else "no loss of data")
    for line in idle:  # where no refusal is looked for
        print(f"note: {approvals.name}: {line}", file=sys.stderr)
    return 1 if refused else 0


def how_to_approve(file: Path, approvals: Path) -> str:
    """The command that approves what a plan would lose, as it can be typed."""
    other = [] if approvals == FILE else ["--approvals", str(approvals)]
    words = shlex.join(["tenantry", "policy", "approve", _near(file), *other])
    return f"{words} --reason 'why it may go' --owner you@your-company.example"


def _near(file: Path) -> str:
    """A path as short as it can be typed from here."""
    whole = file.absolute()
    return str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole)
