"""Paths of the data plane: below the sandbox's folder, except for what another user must reach."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from sandbox.cloud.store import FILE

# PostgreSQL refuses to run as root; a machine whose only user is root, as a container's, lends it this one.
UNPRIVILEGED: Final = "nobody"


def server_user() -> str | None:
    """Whom the databases run as; None for the one who calls."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


class DataPlaneError(RuntimeError):
    """Something of the data plane does not work; the text is a sentence that says what and why."""


@dataclass(frozen=True)
class DataPlaneFolders:
    """The folders of one sandbox's data plane. `home` is the sandbox (`SANDBOX_DIR`)."""

    home: Path

    @property
    def folder(self) -> Path:
        return self.home / "plane"

    @property
    def cloud(self) -> Path:
        return self.home / FILE

    @property
    def vault(self) -> Path:
        """Values of secrets, objects, messages: what no state and no plan may hold."""
        return self.folder / "vault.sqlite"

    @property
    def code(self) -> Path:
        """Archives of functions, as they were uploaded."""
        return self.folder / "code"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def authority(self) -> Path:
        """The root of the certificates that the sandbox's own servers show."""
        return self.folder / "authority"

    @cached_property
    def servers(self) -> Path:
        """Data and sockets of the databases.

        A folder of its own in the temporary directory, since the path of a socket may have 107 bytes and
        another user must be able to reach it. Its name is recorded here, and nothing is found by pattern.
        """
        record = self.folder / "servers"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "servers.lock").open("w") as lock:  # one makes it, whoever else comes waits
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (record.is_symlink() and record.is_dir()):
                record.unlink(missing_ok=True)
                made = Path(tempfile.mkdtemp(prefix="tenantry-"))
                made.chmod(0o711)
                if user := server_user():
                    shutil.chown(made, user)
                record.symlink_to(made)
        return record.readlink()

    def remove_servers(self) -> None:
        """Delete the folder of the databases; the next one gets a new one."""
        record = self.folder / "servers"
        if record.is_symlink():
            shutil.rmtree(record.readlink(), ignore_errors=True)
            record.unlink()
        self.__dict__.pop("servers", None)
        for lock in self.folder.glob("*.lock"):
            lock.unlink()

    @property
    def exists(self) -> bool:
        return self.folder.exists()


def as_user(
    command: list[str], cwd: Path, user: str | None, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run a program of PostgreSQL's to its end, in a plain environment."""
    return subprocess.run(
        command,
        user=user,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **variables},
    )
