"""Processes that tests of the engine start without waiting for their imports, which are half of a run's time.

A server has imported what a language host or a provider plugin needs; each of these is a fork of it, which
runs what its launcher says, as ever. What the engine starts is a front: it hands the fork its arguments, its
environment and its streams, and ends with it, as it ends with the front. The program itself is imported anew
in each run, from its own folder. Sets are ordered otherwise in each server, and a front takes any of them.

The standard library alone, until a server imports what it is for: each process that a launcher starts asks
`front` (`sitecustomize.py`).
"""

import gc
import importlib
import importlib.util
import json
import os
import random
import re
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn

VARIABLE: Final = "TENANTRY_TEST_FORKS"  # the folder of the servers' sockets
FAULTS: Final = "SANDBOX_FAULTS"  # a plugin with a plan of these tells the engine by its parent's number
ROOT: Final = Path(__file__).resolve().parents[2]
HOST: Final = str(ROOT / "devtools" / "language_host.py")
PLUGINS: Final = tuple(f"sandbox.providers.{name}" for name in ("aws", "random", "tls"))
SDK: Final = ("pulumi_random", "pulumi_tls", "yaml", "zipfile")
STREAMS: Final = (0, 1, 2)


def kind_of(command: list[str], environment: Mapping[str, str]) -> str | None:
    """Which server forks what was started with this command, by `devtools/plugin_launchers.py`."""
    if HOST in command:
        return "host"
    is_plugin = any(repr(str(ROOT)) in word and "'sandbox.providers." in word for word in command)
    return "plugin" if is_plugin and not environment.get(FAULTS) else None


def front() -> None:
    """Be the front of a fork, where this process is of a kind that a server is there for; else return."""
    kind = kind_of(sys.orig_argv, os.environ)
    servers = list(Path(os.environ[VARIABLE]).glob(f"*.{kind}"))
    random.shuffle(servers)
    for server in servers:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as fork:
            fork.connect(str(server))
            _stand_before(fork)


def _stand_before(fork: socket.socket) -> NoReturn:
    engine = os.getppid()
    came, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno())
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda _signal, _frame: None)
    given = {"command": sys.orig_argv, "environment": dict(os.environ), "folder": str(Path.cwd())}
    socket.send_fds(fork, [b"."], STREAMS)
    fork.sendall(json.dumps(given).encode() + b"\n")
    while os.getppid() == engine:
        ended, _, _ = select.select([fork, came], [], [], 1)
        if ended:
            os._exit(0 if came in ended else 1)
    os._exit(1)


def _serve(address: str, run: Callable[[list[str]], object]) -> None:
    owner = os.getppid()
    gc.collect()
    gc.freeze()  # of what is shared with the forks nothing is written
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"{address}.new")
    server.listen(64)
    server.settimeout(1)
    Path(f"{address}.new").rename(address)
    while os.getppid() == owner:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        try:
            connection, _ = server.accept()
        except TimeoutError:
            continue
        with connection:
            if os.fork() == 0:
                server.close()
                _run_and_end(run, connection)
    Path(address).unlink(missing_ok=True)
    with suppress(OSError):  # others are in use
        Path(address).parent.rmdir()


def _run_and_end(run: Callable[[list[str]], object], front: socket.socket) -> NoReturn:
    try:
        run(_become(front))
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(1)


def _become(front: socket.socket) -> list[str]:
    """The process that the front stands for, and one that ends with it; its command."""
    front.setblocking(True)
    _, streams, _, _ = socket.recv_fds(front, 1, len(STREAMS))
    for stream, given in zip(STREAMS, streams, strict=True):
        os.dup2(given, stream)
        os.close(given)
    with front.makefile("rb") as lines:
        asked: dict[str, Any] = json.loads(lines.readline())
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])

    def end_with_front() -> None:
        front.recv(1)
        os._exit(0)

    threading.Thread(target=end_with_front, daemon=True).start()
    return asked["command"]


def _run_host(command: list[str]) -> None:
    sys.argv = command[command.index(HOST) :]
    HOSTS["main"].main()


def _run_plugin(command: list[str]) -> None:
    given = command.index("-c") + 1
    sys.argv = ["-c", *command[given + 1 :]]
    exec(command[given], {"__name__": "__main__"})  # noqa: S102 - what the launcher gave Python


HOSTS: Final[dict[str, ModuleType]] = {}  # of a server of hosts, the module of what it forks


def _preload_host() -> None:
    spec = importlib.util.spec_from_file_location("language_host", HOST)
    assert spec
    assert spec.loader
    module = HOSTS["main"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in (*SDK, *_services()):
        # The SDK imports a service's module when it is first asked for anything.
        getattr(importlib.import_module(name), "__all__", None)


def _services() -> Iterator[str]:
    """What of pulumi_aws the program imports."""
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "components").rglob("*.py"))
    for line in sorted(set(re.findall(r"^from pulumi_aws import (.*)$", text, re.MULTILINE))):
        yield from (f"pulumi_aws.{name.split(' as ')[0].strip()}" for name in line.split(","))


def _preload_plugin() -> None:
    sys.path.insert(0, str(ROOT))
    for name in PLUGINS:
        importlib.import_module(name)
        del sys.modules[name]  # it is run, not imported


# What a server forks: what it imports before, and what a fork runs.
KINDS: Final = {"host": (_preload_host, _run_host), "plugin": (_preload_plugin, _run_plugin)}

if __name__ == "__main__":
    preload, run = KINDS[sys.argv[1]]
    preload()
    _serve(sys.argv[2], run)
