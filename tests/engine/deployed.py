"""Stacks that tests of the engine begin with: each is deployed once in a run of the tests, and then copied.

A deployment takes the engine some ten seconds of CPU, a copy less than one. A copy has the state, the cloud,
the registry and its ledger, what the data plane keeps, and the files of its databases: all of it its own, so
that whatever a test does to it no other test sees. Where a stack lies shows in three places: in the engine's
environment, which a `Workspace` makes from its own folder; in the settings of the databases; and in the
loopback address at which they reach one another. The last two are made anew for a copy.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from sandbox.data_plane.paths import DataPlaneFolders
from sandbox.data_plane.service import SWITCH, Service
from tests.engine.invariants import assert_invariants
from tests.engine.live import OTHER, POOLED, SILOED
from tests.engine.workspace import Workspace

TENANTS: Final = (POOLED, OTHER, SILOED)  # of a small cell
SERVERS: Final = "servers"  # the files of the databases, which run elsewhere; see `DataPlaneFolders.servers`
RAN_FROM: Final = "ran-from"  # beside them: the folder that their settings name
DONE: Final = "done"


def small(space: Workspace) -> None:
    """Leave the small cell's tenants alone in the registry, as if nobody else had ever been there."""
    entries = re.split(r"(?m)^(?=[a-z])", space.registry.read_text(encoding="utf-8"))
    kept = [entry for entry in entries if entry.split(":")[0] in TENANTS]
    assert len(kept) == len(TENANTS)
    space.registry.write_text("".join(kept), encoding="utf-8")
    space.ledger.unlink()
    command = [sys.executable, "-m", "tenants", "ledger", "init", space.stack]
    subprocess.run(command, cwd=space.project, env=space.env, check=True, capture_output=True)


def whole(_: Workspace) -> None:
    """All tenants of the stack's registry."""


def organization(_: Workspace) -> None:
    """The one stack without tenants."""


@dataclass(frozen=True)
class Deployed:
    """Which stack, what of it, and whether its databases run."""

    name: str
    stack: str
    edit: Callable[[Workspace], None]
    live: bool = False

    def folder(self, base: Path) -> Path:
        """Deploy it if nobody has yet; its folder below `base`, which all processes of the run share."""
        folder = base / self.name
        base.mkdir(exist_ok=True)
        with (base / f"{self.name}.lock").open("w") as lock:  # one deploys, whoever else comes waits
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / DONE).exists():
                shutil.rmtree(folder, ignore_errors=True)
                self._deploy(folder)
        return folder

    def _deploy(self, folder: Path) -> None:
        space = Workspace(folder, self.stack)
        space.env[SWITCH] = "1" if self.live else "0"
        self.edit(space)
        try:
            run = space.up()
            assert run.status == 0, run.output
            assert run.counts.keys() == {"create"}
            assert_invariants(space)
            if self.live:
                _put_away(space.sandbox, folder)
        finally:
            Service(space.sandbox).remove_servers()
        (folder / DONE).touch()
        Workspace.made.remove(space)  # it is no test's, and was looked at here


Copies = Callable[[Deployed, Path], Path]  # the fixture `copied`: which stack, and to which folder

SMALL: Final = Deployed("small", "dev", small)
LIVE: Final = Deployed("live", "dev", small, live=True)
WHOLE: Final = Deployed("whole", "dev", whole)
PROD: Final = Deployed("prod", "prod", whole)
ORG: Final = Deployed("organization", "org", organization)


def shared(factory: pytest.TempPathFactory) -> Path:
    """The folder of all deployed stacks, whichever process of the run asks."""
    base = factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "deployed"


def copy(deployed: Path, home: Path) -> None:
    """Copy a deployed stack to a folder that has nothing yet."""
    home.mkdir(parents=True, exist_ok=True)
    _copy_files(deployed / "project", home / "project")
    _copy_files(deployed / "sandbox", home / "sandbox")
    if (deployed / SERVERS).exists():
        _bring_back(deployed, DataPlaneFolders((home / "sandbox").resolve()))


def _put_away(sandbox: Path, folder: Path) -> None:
    """Stop the databases, and keep their files beside the sandbox."""
    service = Service(sandbox)
    service.stop(None)
    service.close()
    _copy_files(service.plane.servers, folder / SERVERS)
    (folder / RAN_FROM).write_text(str(service.plane.servers), encoding="utf-8")
    (service.plane.folder / "address").unlink()  # a copy chooses its own


def _bring_back(deployed: Path, plane: DataPlaneFolders) -> None:
    """Give a copy its own files of the databases; they do not run yet."""
    before = (deployed / RAN_FROM).read_text(encoding="utf-8")
    _copy_files(deployed / SERVERS, plane.servers)
    for settings in plane.servers.glob("*/data/postgresql*.conf"):
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace(before, str(plane.servers)), encoding="utf-8")


def _copy_files(source: Path, target: Path) -> None:
    """With their owners and hard links, sharing blocks where the file system can."""
    target.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", "--reflink=auto", f"{source}/.", str(target)], check=True)
