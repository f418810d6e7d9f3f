"""`make clean`: all that `make` made, and nothing else."""

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sandbox.toolchain.places import MARK, ROOT, ToolchainError, sandbox_dir, tools

CACHES: Final = (
    ".build",
    ".benchmarks",
    ".hypothesis",
    ".import_linter_cache",
    ".pytest_cache",
    ".ruff_cache",
)
PATIENCE: Final = 30  # seconds for an engine to save what it did


def clean() -> None:
    """Stop the engine where it works on this sandbox, then remove the sandbox, the tools and the caches."""
    folders = [sandbox_dir(), tools()]
    for folder in folders:
        if folder.exists() and not (folder / MARK).exists():
            raise ToolchainError(f"{folder} was not made by make (it has no {MARK}): remove it yourself")
    for pid in running(sandbox_dir()):
        stop(pid)
    for folder in [*folders, *(ROOT / name for name in CACHES)]:
        shutil.rmtree(folder, ignore_errors=True)
    for cache in ROOT.rglob("__pycache__"):
        if ".venv" not in cache.parts:
            shutil.rmtree(cache, ignore_errors=True)


def running(sandbox: Path) -> Iterator[int]:
    """The engines that hold a lock of this sandbox's state, as they wrote it themselves, and still live."""
    for lock in sorted(sandbox.glob("state/.pulumi/locks/**/*.json")):
        try:
            owner = json.loads(lock.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # it went meanwhile
        if owner.get("hostname") == socket.gethostname() and is_engine(owner.get("pid", 0)):
            yield owner["pid"]


def is_engine(pid: int) -> bool:
    """Whether a process lives and is a pulumi: the number may have gone to another since."""
    try:
        return b"pulumi" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def stop(pid: int) -> None:
    """Interrupt an engine, and wait until it has saved what was done."""
    try:
        os.kill(pid, signal.SIGINT)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + PATIENCE
    while is_engine(pid):
        if time.monotonic() > deadline:
            raise ToolchainError(f"the engine with process id {pid} does not end; stop it, then try again")
        time.sleep(0.1)
