"""What the engine starts in these tests is a fork that has its imports already, and ends as it ended ever."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from devtools.paths import plugin_versions, tools
from tests.forks import SERVERS, preloaded
from tests.guard.preloaded import FAULTS, HOST, KINDS, VARIABLE, kind_of
from tests.waiting import children, wait_for

PLUGIN = tools() / "plugins" / f"resource-aws-v{plugin_versions()['aws']}" / "pulumi-resource-aws"
COMMANDS = {"host": (sys.executable, "-P", HOST), "plugin": (str(PLUGIN),)}


Process = subprocess.Popen[str]
Server = tuple[Sequence[str], Mapping[str, str], int]  # a command, the way to its server alone, its number


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Server:
    preloaded()
    own, running = next((path, s) for path, s in SERVERS.items() if path.suffix == f".{request.param}")
    wait_for(own.exists, "a server")
    (tmp_path / own.name).symlink_to(own)
    return COMMANDS[request.param], {VARIABLE: str(tmp_path), "SANDBOX_DIR": str(tmp_path)}, running.pid


@contextmanager
def launched(command: Sequence[str], variables: Mapping[str, str]) -> Iterator[tuple[Process, int]]:
    """The process as the engine starts it, and its port."""
    environment = {**os.environ, **variables}
    process = subprocess.Popen([*command, "127.0.0.1:1"], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def has_imported(process: Process) -> bool:
    return "grpc" in Path(f"/proc/{process.pid}/maps").read_text("utf-8")


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_fork_ends_with_what_the_engine_started(server: Server, sent: signal.Signals, status: int) -> None:
    command, variables, _ = server
    with launched(command, variables) as (process, port):
        assert not has_imported(process)
        assert listens(port)
        process.send_signal(sent)
        assert process.wait() == status
        wait_for(lambda: not listens(port), "the end of the fork")


def test_what_the_engine_started_ends_with_its_fork(
    server: Server,
) -> None:
    command, variables, number = server
    before = children(number)
    with launched(command, variables) as (process, port):
        (fork,) = children(number) - before
        os.kill(fork, signal.SIGKILL)
        assert process.wait() == 1
        assert not listens(port)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_without_a_server_it_starts_by_itself(command: Sequence[str], tmp_path: Path) -> None:
    with launched(command, {VARIABLE: str(tmp_path)}) as (process, port):
        assert has_imported(process)
        assert listens(port)


def test_a_plugin_that_injects_faults_starts_by_itself() -> None:
    """They are counted for each engine, by the number of the plugin's parent."""
    (line,) = (line for line in PLUGIN.read_text("utf-8").splitlines() if line.startswith("exec "))
    command = shlex.split(line)[1:]
    assert kind_of(command, {}) == "plugin"
    assert kind_of(command, {FAULTS: "{faults: [{do: fail}]}"}) is None
