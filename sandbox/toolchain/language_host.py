"""The Python language host of a CLI that was built here (the official archive carries its own).

The engine starts it, reads its port from stdout, asks it to run the program or a plugin, and
interrupts it when done; it must then leave at once and quietly, or the engine waits five seconds.
Protocol: pulumi/language.proto. Running the program is the SDK's own in-process server.
"""

import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2


class PythonHost(LanguageServer):
    """Runs programs in the Python that it was started with, which has the project's requirements."""

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="1.0.0")

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        """`make` has installed them, with hashes; there is nothing to say."""
        yield from ()

    def Run(self, request: Any, context: Any) -> Any:
        folder = request.info.program_directory or request.pwd
        entry = os.path.join(folder, request.info.entry_point or ".")  # noqa: PTH118 - as the engine has it
        os.chdir(request.pwd or folder)
        sys.path.insert(0, folder)
        self.program = lambda: _run(entry)
        result = super().Run(request, context)
        if result.error:  # it has been logged; saying it once is enough
            result.error, result.bail = "", True
        return result

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """A provider or a policy pack written in Python: its output is streamed, its end is its status."""
        folder = request.info.program_directory or request.pwd
        process = subprocess.Popen(
            _plugin_command(request, folder),
            cwd=request.pwd or folder,
            env=os.environ | dict(e.split("=", 1) for e in request.env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        context.add_callback(process.terminate)
        errors: list[bytes] = []
        reader = threading.Thread(target=lambda: errors.extend(_chunks(process.stderr)), daemon=True)
        reader.start()
        for chunk in _chunks(process.stdout):
            yield language_pb2.RunPluginResponse(stdout=chunk)
        reader.join()
        for chunk in errors:
            yield language_pb2.RunPluginResponse(stderr=chunk)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())


def _run(entry: str) -> None:
    """The program, as `python FOLDER` would run it; `sys.exit()` is an end, not an error, where it is 0."""
    try:
        runpy.run_path(entry, run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            raise RuntimeError(f"the program ended with status {end.code}") from end


def _plugin_command(request: Any, folder: str) -> list[str]:
    args = list(request.args)
    if request.kind == "analyzer" or os.path.exists(os.path.join(folder, "PulumiPolicy.yaml")):  # noqa: PTH110, PTH118
        return [sys.executable, "-u", "-m", "pulumi.policy", *args, folder]
    return [sys.executable, "-u", folder, *args]


def _chunks(stream: "IO[bytes] | None") -> Iterator[bytes]:
    while stream and (chunk := os.read(stream.fileno(), 65536)):
        yield chunk


def _leave(*_: object) -> None:
    os._exit(0)


def main() -> None:
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _leave)
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=unlimited)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(PythonHost(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
