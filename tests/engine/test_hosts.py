"""A language host of these tests is a fork that has the SDK already, and ends as the engine ends a host."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.hosts import SERVERS, preloaded_hosts
from tests.guard.preloaded_host import HOST, VARIABLE
from tests.waiting import children, wait_for


@pytest.fixture
def server(tmp_path: Path) -> tuple[Mapping[str, str], int]:
    """The variable that leads to the server of this process alone, and its number."""
    preloaded_hosts()
    ((own, running),) = SERVERS.items()
    wait_for(own.exists, "a server of hosts")
    (tmp_path / own.name).symlink_to(own)
    return {VARIABLE: str(tmp_path)}, running.pid


@contextmanager
def host(variables: Mapping[str, str]) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A host as the engine starts it, and its port."""
    command = [sys.executable, "-P", str(HOST), "127.0.0.1:1"]
    process = subprocess.Popen(command, env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def has_the_sdk(process: "subprocess.Popen[str]") -> bool:
    return "grpc" in Path(f"/proc/{process.pid}/maps").read_text("utf-8")


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_host_is_a_fork_that_ends_with_what_the_engine_started(
    server: tuple[Mapping[str, str], int], sent: signal.Signals, status: int
) -> None:
    with host(server[0]) as (process, port):
        assert not has_the_sdk(process)
        assert listens(port)
        process.send_signal(sent)
        assert process.wait() == status
        wait_for(lambda: not listens(port), "the end of the host")


def test_what_the_engine_started_ends_with_its_host(server: tuple[Mapping[str, str], int]) -> None:
    variables, number = server
    before = children(number)
    with host(variables) as (process, port):
        (fork,) = children(number) - before
        os.kill(fork, signal.SIGKILL)
        assert process.wait() == 1
        assert not listens(port)


def test_without_a_server_a_host_starts_by_itself(tmp_path: Path) -> None:
    with host({VARIABLE: str(tmp_path)}) as (process, port):
        assert has_the_sdk(process)
        assert listens(port)
