"""Builds the Pulumi CLI from Go modules pinned in `devtools/pulumi`, if it cannot be downloaded.

It is built without `pulumi api`, which calls Pulumi Cloud: the library that this alone needs, a quarter of
the build, is replaced by an empty one (`devtools/pulumi/libopenapi`).
"""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from devtools.cli_download import VERSION
from devtools.go_toolchain import BUILD, STRIPPED, GoError, find_go, last_words, wait_for_build
from devtools.paths import ROOT, ToolchainError, say, tools

MODULES: Final = ROOT / "devtools" / "pulumi"
PACKAGE: Final = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
FLAGS: Final = f"{STRIPPED} -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}"
# MB that a build writes, measured with empty caches (linux-x64, Go 1.26), and a little more: sources,
# compiled packages, what is thrown away at the end. A build that has its sources was here before.
NEEDED_MB: Final = {"GOMODCACHE": 1400, "GOCACHE": 1700, "GOTMPDIR": 1400}
RESUMED_MB: Final = {"GOTMPDIR": 1000}


class CliError(ToolchainError):
    """There is no CLI and none can be made."""


def build(folder: Path) -> Path:
    """Build `folder`/pulumi. Go's caches stay until it is done, so an interrupted build goes on there."""
    folder.mkdir(parents=True, exist_ok=True)
    own = tools() / "go"  # what is needed for this build only
    try:
        go, env = find_go(own)
    except GoError as wrong:
        raise CliError(f"there is no pulumi, and {wrong}; or install a pulumi {VERSION}") from wrong
    _require_room(go, env)
    target, new, log = folder / "pulumi", folder / ".pulumi.new", folder / "build.log"
    say(f"building the Pulumi CLI {VERSION} from Go modules: once, some 2 to 5 minutes on two cores")
    command = [str(go), *BUILD, "-ldflags", FLAGS, "-o", str(new), PACKAGE]
    with log.open("w", encoding="utf-8") as out:
        status = wait_for_build(subprocess.Popen(command, cwd=MODULES, env=env, stdout=out, stderr=out))
    if status:
        raise CliError(
            f"the Pulumi CLI could not be built ({last_words(log)}); the whole output is in"
            f" {log}; run the same command again to go on where it stopped, or put a pulumi {VERSION} on PATH"
        )
    new.replace(target)
    shutil.rmtree(own, ignore_errors=True)
    say(f"built {target}")
    return target


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
