"""The plugins start programs while they answer: gRPC must not meddle with the children."""

import os
import subprocess
import sys

import pytest

from tests.cells import ROOT
from tests.team_files import guarded
from tests.waiting import LIMIT

SCRIPT = """
import os, subprocess
from concurrent.futures import ThreadPoolExecutor
import sandbox.providers.plugin, grpc
server = grpc.server(ThreadPoolExecutor(1))
server.add_insecure_port("127.0.0.1:0")
server.start()
subprocess.run(["true"], user=os.geteuid(), check=True)
server.stop(0)
"""


@pytest.mark.parametrize(("given", "meddles"), [({}, False), ({"GRPC_ENABLE_FORK_SUPPORT": "1"}, True)])
def test_grpc_leaves_a_fork_of_a_plugin_alone(given: dict[str, str], meddles: bool) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GRPC_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=guarded(
            kept | {"GRPC_VERBOSITY": "debug", "GRPC_TRACE": "event_engine", "PYTHONPATH": str(ROOT)} | given
        ),
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT,
    )
    assert ("PrepareFork" in done.stderr) == meddles, done.stderr
