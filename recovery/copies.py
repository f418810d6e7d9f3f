"""Copies of a stack's state, one before each run that changes anything; any can be brought back.

A copy is the output of `pulumi stack export`: complete, with secrets encrypted as they are in the state.
"""

import json
import os
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from recovery.engine import Deployment, RecoveryError, Stack, pending_operations, resources

VARIABLE: Final = "TENANTRY_COPIES_DIR"
FOLDER: Final = ".copies"
KEPT: Final = 30  # of each stack


def folder_of(stack: Stack) -> Path:
    return Path(stack.env.get(VARIABLE) or stack.folder / FOLDER) / stack.name


def save_copy(stack: Stack, why: str) -> Path | None:
    """Copy the state, and forget the oldest beyond `KEPT`; None where there is nothing to copy."""
    deployment = _state(stack)
    if not resources(deployment) and not pending_operations(deployment):
        return None
    folder = folder_of(stack)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    path = folder / f"{now}-{why}.json"
    handle, new = tempfile.mkstemp(dir=folder)  # readable by its owner alone, and never seen half
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump({"version": 3, "deployment": deployment}, out)
    Path(new).replace(path)
    for old in copies(stack)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def copies(stack: Stack) -> list[Path]:
    """The oldest first."""
    return sorted(folder_of(stack).glob("*.json"))


def describe_copy(path: Path) -> str:
    """One line of a listing."""
    deployment = read_copy(path)
    pending = len(pending_operations(deployment))
    more = f", {pending} operations pending" if pending else ""
    return f"{path.name}  {len(resources(deployment))} resources{more}"


def find_copy(stack: Stack, name: str) -> Path:
    """The copy of that name; raises `RecoveryError` naming those there are."""
    for path in copies(stack):
        if name in (path.name, path.stem):
            return path
    known = ", ".join(p.name for p in copies(stack)[-3:]) or "there is none"
    raise RecoveryError(f"stack {stack.name}: there is no copy {name}; the newest are: {known}")


def read_copy(path: Path) -> Deployment:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["deployment"]
    except (OSError, ValueError, KeyError):
        raise RecoveryError(f"{path}: this is no copy of a state") from None


def require_copy_of_stack(stack: Stack, deployment: Deployment) -> None:
    """Raise `RecoveryError` where a state is of another stack or project."""
    mine = f"urn:pulumi:{stack.name}::{stack.project}::"
    for found in resources(deployment):
        if not str(found["urn"]).startswith(mine):
            raise RecoveryError(
                f"stack {stack.name}: expected a copy of {mine}…, found {found['urn']}; nothing was changed"
            )


def _state(stack: Stack) -> Deployment:
    """The state; straight from a file backend, which is quicker than asking the engine for it."""
    if path := stack.state_file:
        with suppress(ValueError, KeyError):  # the engine says better what is wrong with it
            return json.loads(path.read_text(encoding="utf-8"))["checkpoint"].get("latest") or {}
    return stack.export()
