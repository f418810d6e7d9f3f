"""The engine's own locks of stacks in a sandbox's state: who holds them, and whether that process lives."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

from sandbox.toolchain.places import Sandbox, say


def locks(home: Path, stack: str = "*") -> Iterator[tuple[Path, int, bool]]:
    """Each lock that this host took: its file, the process, and whether that is alive."""
    for path in sorted(Sandbox(home).state.glob(f".pulumi/locks/organization/*/{stack}/*.json")):
        try:
            owner = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # it went meanwhile, or is being written
        if owner.get("hostname") == socket.gethostname():
            yield path, owner["pid"], is_engine(owner["pid"])


def is_engine(pid: int) -> bool:
    """Whether a process lives and is a pulumi: its number may have gone to another since."""
    try:
        return b"pulumi" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def release(home: Path, stack: str) -> None:
    """Remove the locks of processes that are no more, and say whose."""
    for path, pid, alive in locks(home, stack):
        if not alive:
            path.unlink(missing_ok=True)
            say(f"released the lock of {stack} that the process {pid} left behind")
