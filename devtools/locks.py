"""The engine's locks of stacks in a sandbox's state: who holds them, and whether that process is alive."""

from collections.abc import Iterator
from pathlib import Path

from devtools.paths import Sandbox, say
from recovery.locks import is_running_engine, read_locks

__all__ = ["is_running_engine", "locks", "release"]


def locks(home: Path, stack: str = "*") -> Iterator[tuple[Path, int, bool]]:
    """Each lock that this host took: its file, the process, and whether that is alive."""
    for lock in read_locks(Sandbox(home).state / ".pulumi", stack):
        if lock.here:
            yield lock.path, lock.pid, lock.alive


def release(home: Path, stack: str) -> None:
    """Remove the locks of processes that are no more, and say whose."""
    for path, pid, alive in locks(home, stack):
        if not alive:
            path.unlink(missing_ok=True)
            say(f"released the lock of {stack} that the process {pid} left behind")
