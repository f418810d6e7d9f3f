"""Language hosts that tests of the engine start without waiting for the SDK, which is half of a run's time.

A server has imported the SDK and what the program uses of pulumi_aws; each host is a fork of it, which runs
`devtools/language_host.py` as ever. What the engine starts is a front: it hands the fork its arguments, its
environment and its streams, and ends with it, as it ends with the front. The program itself is imported anew
in each run, from its own folder. Sets are ordered otherwise in each server, and a front takes any of them.

The standard library alone, until the server imports what it is for: each process that a test starts asks
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
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn

VARIABLE: Final = "TENANTRY_TEST_HOSTS"  # the folder of the servers' sockets
ROOT: Final = Path(__file__).resolve().parents[2]
HOST: Final = ROOT / "devtools" / "language_host.py"
OTHERS: Final = ("pulumi_random", "pulumi_tls", "yaml", "zipfile")
STREAMS: Final = (0, 1, 2)


def front() -> None:
    """Be the front of a host, where this process was started as one and a server is there; else return."""
    folder = os.environ.get(VARIABLE)
    if not folder or str(HOST) not in sys.orig_argv:
        return
    servers = list(Path(folder).glob("*.socket"))
    random.shuffle(servers)
    for server in servers:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as host:
            host.connect(str(server))
            _stand_before(host)


def _stand_before(host: socket.socket) -> NoReturn:
    engine = os.getppid()
    came, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno())
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda _signal, _frame: None)
    arguments = sys.orig_argv[sys.orig_argv.index(str(HOST)) :]
    given = {"arguments": arguments, "environment": dict(os.environ), "folder": str(Path.cwd())}
    socket.send_fds(host, [b"."], STREAMS)
    host.sendall(json.dumps(given).encode() + b"\n")
    while os.getppid() == engine:
        ended, _, _ = select.select([host, came], [], [], 1)
        if ended:
            os._exit(0 if came in ended else 1)
    os._exit(1)


def _serve(address: str) -> None:
    owner = os.getppid()
    main = _host().main
    _preload()
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"{address}.new")
    server.listen(64)
    server.settimeout(1)
    Path(f"{address}.new").rename(address)
    while os.getppid() == owner:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        with suppress(TimeoutError):
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _become(connection)
                main()  # which ends the process
            connection.close()
    Path(address).unlink(missing_ok=True)
    with suppress(OSError):  # others are in use
        Path(address).parent.rmdir()


def _become(front: socket.socket) -> None:
    """The process that the front stands for, and one that ends with it."""
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
    sys.argv = asked["arguments"]

    def end_with_front() -> None:
        front.recv(1)
        os._exit(0)

    threading.Thread(target=end_with_front, daemon=True).start()


def _host() -> ModuleType:
    spec = importlib.util.spec_from_file_location("language_host", HOST)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _preload() -> None:
    for name in (*OTHERS, *_services()):
        # The SDK imports a service's module when it is first asked for anything.
        getattr(importlib.import_module(name), "__all__", None)
    gc.collect()
    gc.freeze()  # of what is shared with the forks nothing is written


def _services() -> Iterator[str]:
    """What of pulumi_aws the program imports."""
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "components").rglob("*.py"))
    for line in sorted(set(re.findall(r"^from pulumi_aws import (.*)$", text, re.MULTILINE))):
        yield from (f"pulumi_aws.{name.split(' as ')[0].strip()}" for name in line.split(","))


if __name__ == "__main__":
    _serve(sys.argv[1])
