"""Builds the oracle from Go modules, once for each state of its sources, and starts it."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools.go_toolchain import BUILD, STRIPPED, find_go, last_words, wait_for_build
from devtools.paths import ToolchainError, make_folder, say, tools

SOURCES = Path(__file__).with_name("provider")


class OracleError(ToolchainError):
    """The oracle cannot be built; the text says where, why and what to do."""


def digest(sources: Path = SOURCES) -> str:
    """Of all that goes into the program: Go files and the pinned modules."""
    text = b"".join(p.name.encode() + p.read_bytes() for p in sorted(sources.glob("*")) if p.is_file())
    return hashlib.sha256(text).hexdigest()[:16]


def built_oracle(sources: Path = SOURCES) -> Path:
    """The oracle's program, built first where there is none of these sources; raises `ToolchainError`."""
    folder = make_folder(tools()) / "oracle"
    folder.mkdir(exist_ok=True)
    target = folder / f"pulumi-resource-oracle-{digest(sources)}"
    with _lock(folder):
        if not target.exists():
            _build(sources, target)
            for old in folder.glob("pulumi-resource-oracle-*"):
                if old != target:
                    old.unlink()
    return target


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One build at a time: two test processes need one program."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(sources: Path, target: Path) -> None:
    own = tools() / "oracle" / "go"  # what is needed for this build only
    go, env = find_go(own)
    new, log = target.with_name(f".{target.name}.new"), target.with_name("build.log")
    say("building the oracle of the provider tests from Go modules: once, some 3 to 8 minutes on two cores")
    command = [str(go), *BUILD, "-ldflags", STRIPPED, "-o", str(new), "."]
    with log.open("w", encoding="utf-8") as out:
        status = wait_for_build(subprocess.Popen(command, cwd=sources, env=env, stdout=out, stderr=out))
    if status:
        raise OracleError(
            f"{sources}: the oracle of the provider tests could not be built ({last_words(log)}); the whole"
            f" output is in {log}; mend what it names, or let this machine reach the Go module proxy, and run"
            " the same command again to go on where it stopped"
        )
    new.replace(target)
    shutil.rmtree(own, ignore_errors=True)


@contextmanager
def running(program: list[str], env: dict[str, str]) -> Iterator[str]:
    """The address of a provider plugin that runs as long as the context; it prints its port first."""
    process = subprocess.Popen(program, env=os.environ | env, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        port = process.stdout.readline().strip()
        if not port.isdigit():
            raise RuntimeError(f"{program[0]} printed {port!r} and not its port")
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    try:
        built_oracle()
    except ToolchainError as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        sys.exit(1)
