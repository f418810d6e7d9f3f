"""Language hosts and provider plugins for tests of the engine that have their imports already.

See `tests/guard/preloaded.py`.
"""

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from tests.guard.preloaded import KINDS, VARIABLE
from tests.team_files import GUARD


@cache
def preloaded() -> dict[str, str]:
    """The variable that leads there. Each process of a run has servers, and all processes use every one."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir(), f"forks-{run[:12]}")
    folder.mkdir(mode=0o700, exist_ok=True)
    for kind in KINDS:
        own = folder / f"{os.getpid()}.{kind}"
        command = [sys.executable, "-P", f"{GUARD}/preloaded.py", kind, str(own)]
        SERVERS[own] = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    return {VARIABLE: str(folder)}


# Of this process, by its socket; a server ends with the process that started it.
SERVERS: Final[dict[Path, "subprocess.Popen[bytes]"]] = {}
