"""Packages of Maven that tests compare with: copied once by their list, and kept."""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from devtools.paths import tools

LIST: Final = "pom.xml"
OLDEST_JDK: Final = 17  # with which it was tried, 2026-11
COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"


class MavenError(RuntimeError):
    """The packages cannot be had, and why."""


def why_not() -> str:
    """What a machine lacks; "" where there is all."""
    missing = [program for program in ("java", "javac", "mvn") if not shutil.which(program)]
    needs = f"install a JDK {OLDEST_JDK} or newer, and Maven"
    return f"there is no {' and no '.join(missing)} on PATH: {needs}" if missing else ""


def installed(lists: Path) -> Path:
    """The folder with the packages of `lists`, a folder with a pom.xml, which Maven fills at first."""
    if lacking := why_not():
        raise MavenError(lacking)
    digest = hashlib.sha256((lists / LIST).read_bytes()).hexdigest()
    target = tools() / "maven" / digest[:16]
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _install(lists, target)
    return target


def _install(lists: Path, target: Path) -> None:
    folder = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        run = subprocess.run(
            ["mvn", "-q", "-B", "-f", lists / LIST, COPY, f"-DoutputDirectory={folder}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode or not list(folder.glob("*.jar")):
            raise MavenError(f"Maven could not copy the packages of {lists}:\n{run.stdout}{run.stderr}")
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
