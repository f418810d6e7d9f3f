"""Runs a function's handler in its own process, with the function's archive and nothing of this project.

It is started by path, outside every package: the archive's modules must find only what Lambda's runtime
has. Requests come on descriptor 0, one JSON value a line; answers go to the descriptor that is named last.

The function reaches databases by their AWS names (through the TLS proxies), AWS's APIs (through the
sandbox's endpoint), and nothing else.
"""

import importlib
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

DATABASES = ".rds.amazonaws.com"
LOOPBACK = "127.0.0.1"
_resolve = socket.getaddrinfo


def network(host: bytes | str | None, port: bytes | str | int | None, *args: Any, **kwargs: Any) -> list[Any]:
    """Stands in for `socket.getaddrinfo`."""
    name = host.decode() if isinstance(host, bytes) else host
    if name == LOOPBACK:
        return _resolve(host, port, *args, **kwargs)
    if isinstance(name, str) and name.endswith(DATABASES) and int(port or 0) == 5432:
        address = (LOOPBACK, int(os.environ["SANDBOX_DATABASE_PORT"]))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]
    raise socket.gaierror(socket.EAI_NONAME, f"{name}:{port} is not reached from this function's network")


class Context:
    """As much of Lambda's context object as is known here."""

    def __init__(self, request_id: str, ends: float) -> None:
        self.aws_request_id, self._ends = request_id, ends
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = "$LATEST"
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends - time.time()) * 1000))


def leave_with(parent: int) -> None:
    """End with the process that started this one, however that ended."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def answer(handle: Callable[[Any, Context], Any], line: str) -> str:
    request = json.loads(line)
    try:
        done = {"result": handle(request["event"], Context(request["id"], request["ends"]))}
        return json.dumps(done)
    except Exception as wrong:
        trace = traceback.format_exc().splitlines()
        error = {"errorMessage": str(wrong), "errorType": type(wrong).__name__, "stackTrace": trace}
        return json.dumps({"error": error})


def main() -> None:
    code, runtime, handler, answers = sys.argv[1:5]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts the engine, which then ends all
    threading.Thread(target=leave_with, args=(os.getppid(),), daemon=True).start()
    sys.path[:0] = [code, runtime]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    socket.getaddrinfo = network
    module, name = handler.rsplit(".", 1)
    handle = getattr(importlib.import_module(module), name)
    with os.fdopen(int(answers), "w") as out:
        for line in sys.stdin:
            out.write(answer(handle, line) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
