"""Locks of a stack's state: who holds them, and whether that process is alive.

The engine's lock of a file backend is a JSON file with pid, user, host and time. A lock is released only if
its owner ran on this host and has ended; whether a process of another host lives cannot be known here.
"""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recovery.engine import RecoveryError, Stack

CANCEL: Final = "once you are sure that it has ended, `pulumi cancel` takes its lock away"


@dataclass(frozen=True)
class Lock:
    path: Path
    pid: int
    user: str
    host: str
    since: str

    @property
    def here(self) -> bool:
        return self.host == socket.gethostname()

    @property
    def alive(self) -> bool:
        """Whether its owner works, as far as this host can know."""
        return not self.here or is_running_engine(self.pid)

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host}, since {self.since}"


def read_locks(folder: Path, stack: str = "*", project: str = "*") -> Iterator[Lock]:
    """The locks below the `.pulumi` folder of a file backend."""
    for path in sorted(folder.glob(f"locks/organization/{project}/{stack}/*.json")):
        try:
            owner = json.loads(path.read_text(encoding="utf-8"))
            yield Lock(
                path,
                int(owner["pid"]),
                str(owner.get("username", "somebody")),
                str(owner.get("hostname", "an unknown host")),
                str(owner.get("timestamp", "an unknown time")),
            )
        except (OSError, ValueError, KeyError):
            continue  # it went meanwhile, or is being written


def is_running_engine(pid: int) -> bool:
    """Whether a process lives and is a pulumi: its number may have gone to another since."""
    try:
        return b"pulumi" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def dead_locks(stack: Stack) -> list[Lock]:
    """The locks whose owners are no more; raises `RecoveryError` where an owner may live."""
    folder = stack.files
    dead = list(read_locks(folder, stack.name, stack.project)) if folder else []
    for lock in dead:
        if lock.alive and lock.here:
            raise RecoveryError(
                f"stack {stack.name}: a run is on its way: {lock}; wait for it, or interrupt it"
                f" (kill -INT {lock.pid}); nothing was changed"
            )
        if lock.alive:
            raise RecoveryError(
                f"stack {stack.name}: it is locked by another host: {lock}; {CANCEL}; nothing was changed"
            )
    return dead


def release_locks(dead: list[Lock]) -> list[str]:
    """Take locks away, and say whose they were."""
    for lock in dead:
        lock.path.unlink(missing_ok=True)
    return [f"released the lock of {lock}: it is no more" for lock in dead]
