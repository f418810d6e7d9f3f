"""Repairs state files that a kill or a full disk left unreadable (file backends only).

The engine replaces the state atomically, but writes the small file of attributes beside it in place. If it
is killed in between, that file is empty, and the engine then fails with "EOF" although the state itself is
complete (seen with pulumi 3.259).
"""

import json
import shutil
from pathlib import Path
from typing import Final

from recovery.engine import RecoveryError, Stack

ATTRIBUTES: Final = ".attrs"
BACKUP: Final = ".bak"


def repair_state(stack: Stack) -> list[str]:
    """Make the state readable, and say how; raises `RecoveryError` where nothing whole is left."""
    folder = stack.files
    path = folder and folder / "stacks" / stack.project / f"{stack.name}.json"
    if path is None or not path.parent.exists():
        return []
    repairs: list[str] = []
    if path.exists() and not _is_readable_state(path):
        backup = path.with_name(path.name + BACKUP)
        if not _is_readable_state(backup):
            raise RecoveryError(
                f"stack {stack.name}: its state ({path}) is cut off, and so is the engine's backup of it;"
                f" bring a copy back: tenantry recover restore {stack.name}"
            )
        shutil.copy2(backup, path)
        repairs.append(
            f"the state was cut off: took the engine's backup, which is a step older ({backup.name})"
        )
    for one in (path, path.with_name(path.name + BACKUP)):
        attributes = one.with_name(one.name + ATTRIBUTES)
        if attributes.exists() and not _is_readable_state(attributes):
            attributes.unlink()
            repairs.append(f"removed {attributes.name}, which was cut off; {one.name} itself is whole")
    return repairs


def _is_readable_state(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
