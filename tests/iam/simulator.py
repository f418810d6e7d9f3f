"""The independent judge: `@cloud-copilot/iam-simulate`, in a process of its own, for tests alone.

Its licence is the AGPL 3.0 or later: it is neither shipped nor linked, and only its name and hash are here.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from devtools.paths import tools

HERE: Final = Path(__file__).parent / "simulator"
LISTS: Final = ("package.json", "package-lock.json")
OLDEST_NODE: Final = 20  # with which it was tried, 2026-11


class SimulatorError(RuntimeError):
    """The simulator cannot be had, or does not take a case."""


def installed() -> Path:
    """The folder with the simulator, which `npm ci` fills where it is not there yet."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        raise SimulatorError(
            "there is no npm on PATH, and the comparison of IAM's judge with an independent one needs it:"
            f" install Node.js {OLDEST_NODE} or newer, or leave the slow tests out: make test"
        )
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in LISTS)).hexdigest()
    target = tools() / "npm" / f"iam-simulate-{digest[:16]}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _install(npm, target)
    return target


def _install(npm: str, target: Path) -> None:
    folder = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        for name in LISTS:
            shutil.copy(HERE / name, folder)
        run = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise SimulatorError(f"npm ci of tests/iam/simulator failed:\n{run.stdout}{run.stderr}")
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Simulator:
    """A running simulator; close it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", str(HERE / "simulate.mjs"), str(installed())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def decide(self, simulation: Mapping[str, Any]) -> str:
        """`Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied`; raises `SimulatorError` if it is no case."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(simulation) + "\n")
        stdin.flush()
        answer = json.loads(stdout.readline())
        if "error" in answer:
            raise SimulatorError(f"the simulator takes no such case: {answer['error']}")
        return str(answer["result"])

    def close(self) -> None:
        self._process.communicate()
