"""Whether a stack is as its last run left it, so that the engine need not run a second time.

A plan without changes is not enough: the engine also records what it shows as no change (protection,
dependencies, time-outs). So the update after a plan is skipped only if program, settings and state are, byte
by byte, those of the last run of the whole stack, and that run succeeded.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from devtools.paths import ROOT
from recovery.engine import Stack, mapping
from recovery.locks import read_locks
from sandbox.files import write

# Of the project, what nothing reads that the engine starts.
NOT_READ: Final = frozenset({"docs", "tests", "__pycache__"})


def discard_record(home: Path, stack: str) -> None:
    """Before a run that may change the stack: what was known after the one before it holds no longer."""
    _record(home, stack).unlink(missing_ok=True)


def record_update(home: Path, stack: Stack, program: str) -> None:
    """After a run of the whole stack that ended well; `program` is the digest of what it ran."""
    record = _record(home, stack.name)
    record.parent.mkdir(exist_ok=True)
    write(record, _content(stack, program))


def is_unchanged(home: Path, stack: Stack, program: str, events: Path) -> bool:
    """Whether an update after the plan in `events` would find nothing to do and nothing to record."""
    record = _record(home, stack.name)
    if stack.files and any(lock.alive for lock in read_locks(stack.files, stack.name)):
        return False  # another run is on its way
    same = record.exists() and record.read_text(encoding="utf-8") == _content(stack, program)
    return same and _plans_no_change(events)


def program_digest(project: Path = ROOT) -> str:
    """Of every file that the program, its policies or the plugins may read."""
    found = hashlib.sha256()
    for path in _files(project):
        found.update(f"{path.relative_to(project)}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _files(project: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(project):
        folders[:] = sorted(f for f in folders if f not in NOT_READ and not f.startswith("."))
        yield from (Path(folder, name) for name in sorted(names))


def _plans_no_change(events: Path) -> bool:
    """Whether there are steps, and none that changes a resource or what it or the stack gives out."""
    steps = 0
    with events.open(encoding="utf-8") as lines:
        for event in map(json.loads, lines):
            before, after = event.get("resourcePreEvent"), event.get("resOutputsEvent")
            steps += before is not None
            if any(made["metadata"]["op"] != "same" for made in (before, after) if made):
                return False
            if after and _outputs(after, "old") != _outputs(after, "new"):
                return False
    return steps > 0


def _outputs(event: Mapping[str, Any], side: str) -> object:
    return mapping(event["metadata"].get(side)).get("outputs")


def _record(home: Path, stack: str) -> Path:
    return home / "plans" / f"{stack}.unchanged"


def _content(stack: Stack, program: str) -> str:
    state = stack.state_file
    return f"{program} {hashlib.sha256(state.read_bytes()).hexdigest() if state else 'no state'}\n"
