"""Language hosts for tests of the engine that have the SDK already: see `tests/guard/preloaded_host.py`."""

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from tests.guard.preloaded_host import VARIABLE
from tests.team_files import GUARD


@cache
def preloaded_hosts() -> dict[str, str]:
    """The variable that leads there. Each process of a run has a server, and all processes use every one."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir(), f"hosts-{run[:12]}")
    folder.mkdir(mode=0o700, exist_ok=True)
    own = folder / f"{os.getpid()}.socket"
    command = [sys.executable, "-P", f"{GUARD}/preloaded_host.py", str(own)]
    SERVERS[own] = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    return {VARIABLE: str(folder)}


# Of this process, by its socket; a server ends with the process that started it.
SERVERS: Final[dict[Path, "subprocess.Popen[bytes]"]] = {}
