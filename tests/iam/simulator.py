"""The independent judge: `@cloud-copilot/iam-simulate`, in a process of its own, for tests alone.

Its licence is the AGPL 3.0 or later: it is neither shipped nor linked, and only its name and hash are here.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.npm import installed

HERE: Final = Path(__file__).parent / "simulator"


class SimulatorError(RuntimeError):
    """The simulator does not take a case."""


class Simulator:
    """A running simulator; close it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", str(HERE / "simulate.mjs"), str(installed(HERE))],
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
