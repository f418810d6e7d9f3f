"""`make clean`: removes everything that `make` created, and nothing else."""

import os
import shutil
import signal
import time
from typing import Final

from devtools.locks import is_running_engine, locks
from devtools.paths import MARK, ROOT, ToolchainError, sandbox_dir, tools
from sandbox.data_plane.service import Service

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
    """Stop what works for this sandbox, then remove the sandbox, the tools and the caches."""
    folders = [sandbox_dir(), tools()]
    for folder in folders:
        if folder.exists() and not (folder / MARK).exists():
            raise ToolchainError(f"{folder} was not made by make (it has no {MARK}): remove it yourself")
    for _, pid, alive in locks(sandbox_dir()):
        if alive:
            stop(pid)
    Service(sandbox_dir()).remove_servers()
    for folder in [*folders, *(ROOT / name for name in CACHES)]:
        shutil.rmtree(folder, ignore_errors=True)
    for cache in ROOT.rglob("__pycache__"):
        if ".venv" not in cache.parts:
            shutil.rmtree(cache, ignore_errors=True)


def stop(pid: int) -> None:
    """Interrupt an engine, and wait until it has saved what was done."""
    try:
        os.kill(pid, signal.SIGINT)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + PATIENCE
    while is_running_engine(pid):
        if time.monotonic() > deadline:
            raise ToolchainError(f"the engine with process id {pid} does not end; stop it, then try again")
        time.sleep(0.1)
