"""The Python language host for a CLI that was built here (the official archive has its own).

The engine starts it, reads its port from stdout, asks it to run the program or a plugin, and
interrupts it when done; it must then end at once and silently, or the engine waits five seconds.
Protocol: pulumi/language.proto. Programs run as under the official host: in the main thread, with their
folder on the path only while their top level runs, each error reported once and as the program's own.
"""

import asyncio
import json
import logging
import os
import queue
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import distributions
from pathlib import Path
from typing import IO, Any

import grpc
import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import run_in_stack, set_all_config
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2
from pulumi.runtime.settings import reset_options

Job = tuple[Callable[[], Any], "Future[Any]"]
Chunk = tuple[str, bytes] | None  # "stdout" or "stderr" and what was written; None at a stream's end


class PythonHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs programs in the Python that it was started with, which has the project's requirements."""

    def __init__(self, jobs: "queue.SimpleQueue[Job]") -> None:
        self._jobs = jobs

    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="1.0.0")

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        """The providers whose SDKs are installed: a missing plugin is missed before the program starts."""
        return language_pb2.GetRequiredPackagesResponse(packages=_required_packages())

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        """`make` has installed them, with hashes; there is nothing to say."""
        yield from ()

    def About(self, request: Any, context: Any) -> Any:
        version = ".".join(map(str, sys.version_info[:3]))
        return language_pb2.AboutResponse(executable=sys.executable, version=version)

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        found = sorted({(d.metadata["Name"], d.version) for d in distributions()})
        made = [language_pb2.DependencyInfo(name=name, version=version) for name, version in found]
        return language_pb2.GetProgramDependenciesResponse(dependencies=made)

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:
        outcome: Future[Any] = Future()
        self._jobs.put((lambda: _run(request), outcome))
        return outcome.result()

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """A provider or a policy pack written in Python: its output is streamed, its end is its status."""
        folder = request.info.program_directory or request.pwd
        policy = request.kind == "analyzer"
        args = ["-m", "pulumi.policy", *request.args, folder] if policy else [folder, *request.args]
        process = subprocess.Popen(
            [sys.executable, "-u", *args],
            cwd=folder if policy else request.pwd or folder,
            env=os.environ | dict(e.split("=", 1) for e in request.env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        context.add_callback(process.terminate)  # the engine ends a plugin by ending the call
        for stream, chunk in _output(process):
            yield _written(stream, chunk)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())


def _written(stream: str, chunk: bytes) -> Any:
    if stream == "stdout":
        return language_pb2.RunPluginResponse(stdout=chunk)
    return language_pb2.RunPluginResponse(stderr=chunk)


def _run(request: Any) -> Any:
    """Run the program; what is wrong with it is logged, so that the engine need not say it again (bail)."""
    program = str(Path(request.info.program_directory or request.pwd, request.info.entry_point or "."))
    reset_options(
        project=request.project,
        stack=request.stack,
        root_directory=request.info.root_directory,
        parallel=request.parallel,
        engine_address=request.args[0] if request.args else None,
        monitor_address=request.monitor_address,
        preview=request.dryRun,
        organization=request.organization or "organization",
    )
    set_all_config(dict(request.config), list(request.configSecretKeys))
    os.environ["PULUMI_CONFIG"] = json.dumps(dict(request.config))
    os.environ["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
    os.chdir(request.pwd)
    sys.argv = [program]
    # Futures of a graph that ends early are never looked at; asyncio would complain of each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    error = _error_of_program(program, max(request.parallel, 1) * 4)
    if error:
        pulumi.log.error(error)
    sys.stdout.flush()
    sys.stderr.flush()
    return language_pb2.RunResponse(bail=bool(error))


def _error_of_program(program: str, workers: int) -> str | None:
    """Run to the end: None, or what to tell the user."""
    with asyncio.Runner() as runner, ThreadPoolExecutor(workers) as executor:
        runner.get_loop().set_default_executor(executor)
        try:
            runner.run(run_in_stack(lambda: _execute(program)))
        except pulumi.RunError as refusal:
            return str(refusal)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int | None) else f"1 ({end.code})"
            return f"program exited with non-zero exit code: {status}" if status else None
        except Exception as wrong:
            return "Program failed with an unhandled exception:\n" + _traceback(wrong, program)
    return None


def _execute(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _traceback(wrong: BaseException, program: str) -> str:
    """The traceback from the program's first frame on: what is above it is not the user's."""
    frames = traceback.TracebackException.from_exception(wrong)
    mine = os.path.abspath(program)  # noqa: PTH100 - as the frames have it: links are not followed
    files = [f.filename if f.filename[:1] == "<" else os.path.abspath(f.filename) for f in frames.stack]  # noqa: PTH100
    del frames.stack[: next((i for i, file in enumerate(files) if file.startswith(mine)), 0)]
    return "".join(frames.format()).rstrip()


def _required_packages() -> list[Any]:
    """Providers by the `pulumi-plugin.json` of each installed SDK."""
    site = Path(pulumi.__file__).parents[1]
    described = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(site.glob("*/pulumi-plugin.json"))]
    return [
        plugin_pb2.PackageDependency(name=d["name"], kind="resource", version=f"v{d['version']}")
        for d in described
        if d.get("resource") and "name" in d and "version" in d
    ]


def _output(process: "subprocess.Popen[bytes]") -> Iterator[tuple[str, bytes]]:
    """What a process writes, as it writes it, until both of its streams end."""
    chunks: queue.SimpleQueue[Chunk] = queue.SimpleQueue()

    def read(name: str, stream: "IO[bytes] | None") -> None:
        while stream and (chunk := os.read(stream.fileno(), 65536)):
            chunks.put((name, chunk))
        chunks.put(None)

    for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
        threading.Thread(target=read, args=(name, stream), daemon=True).start()
    for _ in range(2):
        while (chunk := chunks.get()) is not None:
            yield chunk


def _exit_with_engine(engine: int) -> None:
    """An engine that was killed interrupts nobody: end when its children are given to another."""
    while os.getppid() == engine:
        time.sleep(1)
    os._exit(1)


def exit_on_signals() -> None:
    """End at once on SIGINT and SIGTERM, in whatever state the main thread is.

    Python runs a handler in the main thread and between two instructions: one that comes just before the
    main thread falls asleep in a lock is kept until it wakes, which may be never. The number of the signal
    is written to a socket as the signal comes, and a thread reads it
    (https://docs.python.org/3.11/library/signal.html#signal.set_wakeup_fd).
    """
    came, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.set_wakeup_fd(wakes.detach())

    def exit_when_one_comes() -> None:
        came.recv(1)
        os._exit(0)

    threading.Thread(target=exit_when_one_comes, daemon=True).start()
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda _signal, _frame: os._exit(0))


def main() -> None:
    exit_on_signals()
    threading.Thread(target=_exit_with_engine, args=(os.getppid(),), daemon=True).start()
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=unlimited)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(PythonHost(jobs), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    while True:  # a program runs in the main thread, as everywhere; a signal ends the process
        job, outcome = jobs.get()
        try:
            outcome.set_result(job())
        except BaseException as wrong:
            outcome.set_exception(wrong)


if __name__ == "__main__":
    main()
