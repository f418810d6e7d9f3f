"""Packages of npm that tests compare with: installed once by their lock file, and kept."""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from devtools.paths import tools

LISTS: Final = ("package.json", "package-lock.json")
OLDEST_NODE: Final = 20  # with which it was tried, 2026-11


class NpmError(RuntimeError):
    """The packages cannot be had, and why."""


def installed(lists: Path) -> Path:
    """The folder with the packages of `lists`, a folder with both files, which `npm ci` fills at first."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        raise NpmError(
            f"there is no npm on PATH, and the packages of {lists} need it: install Node.js {OLDEST_NODE} or"
            " newer, or leave the slow tests out: make test"
        )
    digest = hashlib.sha256(b"".join((lists / name).read_bytes() for name in LISTS)).hexdigest()
    target = tools() / "npm" / digest[:16]
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _install(npm, lists, target)
    return target


def _install(npm: str, lists: Path, target: Path) -> None:
    folder = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        for name in LISTS:
            shutil.copy(lists / name, folder)
        run = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise NpmError(f"npm ci of {lists} failed:\n{run.stdout}{run.stderr}")
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
