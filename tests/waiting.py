"""Waiting for what must come. The limit is for what never does, and is far away: a busy machine is slow."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

LIMIT: Final = 600  # seconds


def wait_for(condition: Callable[[], object], what: str = "what was awaited") -> None:
    """Until `condition()` holds; fails saying `what` did not come."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"{what} did not come within {LIMIT} s"
        time.sleep(0.02)


def children(pid: int) -> set[int]:
    """The processes that a process has started."""
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for found in listed for child in found.read_text(encoding="utf-8").split()}


def is_running(pid: int) -> bool:
    """False also for a process that has ended and that nobody has asked about yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in "ZX"
