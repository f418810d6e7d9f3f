"""Finds, downloads or builds the Pulumi CLI, in this order, and remembers it in `.tools/cli/path`.

1. one on PATH that is new enough; 2. the project's own from an earlier run; 3. the official archive, if it
can be reached (`cli_download.py`); 4. built from Go modules (`cli_build.py`).
"""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from devtools import cli_build, cli_download
from devtools.paths import make_folder, say, tools
from sandbox.files import write

MINIMUM: Final = (3, 259, 0)  # the oldest that this project was tried with
HOST: Final = "pulumi-language-python"


def ensure() -> tuple[Path, bool]:
    """The CLI and whether it was built here (and so has no language host of its own).

    Raises `CliError` where there is none and none can be made.
    """
    folder = make_folder(tools()) / "cli"
    folder.mkdir(exist_ok=True)
    with _build_lock(folder):
        found, built = _on_path(), False
        if found is None:
            found, built = _cached(folder)
        if found is None:
            found = cli_download.fetch(folder)
            if found is not None and version_of(found) is None:
                say(f"{found} does not run on this machine")
                found = None
        if found is None:
            found, built = cli_build.build(folder), True
        if not (folder / "path").exists() or (folder / "path").read_text(encoding="utf-8") != f"{found}\n":
            write(folder / "path", f"{found}\n")
    return found, built


@contextmanager
def _build_lock(folder: Path) -> Generator[None]:
    """One at a time: a second `make` waits for the first one's CLI and then finds it."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another run is getting the Pulumi CLI; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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
    """The one of the person's own PATH; what `make env` put there, of any checkout, is not theirs."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    theirs = os.pathsep.join(f for f in folders if f and not _is_ours(Path(f)))
    found = shutil.which("pulumi", path=theirs)
    if found is None:
        return None
    version, wanted = version_of(found), ".".join(map(str, MINIMUM))
    if version is None or version < MINIMUM:
        have = ".".join(map(str, version)) if version else "of unknown version"
        say(f"the pulumi on PATH ({found}) is {have}; this needs {wanted}, so it is passed over")
        return None
    if shutil.which(HOST, path=str(Path(found).parent)) is None:
        say(f"the pulumi on PATH ({found}) has no Python language host beside it, so it is passed over")
        return None
    return Path(found).resolve()


def _is_ours(folder: Path) -> bool:
    wrapper = folder / "pulumi"
    return wrapper.is_file() and wrapper.stat().st_size < 4096 and b"devtools" in wrapper.read_bytes()


def _cached(folder: Path) -> tuple[Path | None, bool]:
    """The project's own, where it is the version that the project pins."""
    for binary, built in ((folder / "official" / "pulumi", False), (folder / "pulumi", True)):
        if binary.exists() and (version_of(binary) or ()) >= MINIMUM:
            return binary, built
    return None, False
