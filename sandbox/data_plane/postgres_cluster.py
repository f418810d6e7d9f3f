"""One PostgreSQL server: created from a template, started, queried, stopped by its process id, removed."""

import fcntl
import os
import secrets
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pg8000.exceptions import InterfaceError
from pg8000.native import Connection

from sandbox.data_plane.paths import DataPlaneError, DataPlaneFolders, as_user, server_user
from sandbox.data_plane.postgres_programs import VERSION, client_programs, server_programs
from sandbox.data_plane.replication_network import SETTINGS as REACHING
from sandbox.data_plane.replication_network import environment, roots

SUPERUSER: Final = "rdsadmin"  # as on RDS; the master user is none
SOCKET: Final = ".s.PGSQL.5432"
PATIENCE: Final = 120  # seconds; a machine that is busy is no fault
# A throw-away server: a lost power supply may lose it, and a small one, since there may be many.
SMALL: Final = {
    "listen_addresses": "''",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "100",
    "max_wal_size": "64MB",
    "log_directory": "'log'",
}


@dataclass(frozen=True)
class PostgresCluster:
    """A server in a directory of its own, reached through a socket in it: any number may run at once."""

    folder: Path
    plane: DataPlaneFolders

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def archive(self) -> Path:
        """The log, segment by segment, from the first start on; a read replica's is that of its source."""
        return self.folder / "archive"

    @property
    def socket(self) -> Path:
        return self.folder / SOCKET

    @property
    def made(self) -> bool:
        """Whether it was made to the end; what was killed half way is made again."""
        return (self.folder / "ready").exists()

    @property
    def pid(self) -> int | None:
        """The process that serves it now. Its file outlives a killed one, and numbers are used again."""
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return pid if serves(pid, self.data) else None

    def create(self, settings: Mapping[str, str]) -> None:
        """Make its files from the template, with these settings. It does not run yet."""
        self._begin()
        self._make_folder(self.archive)
        copied = as_user(["cp", "-a", str(_template(self.plane)), str(self.data)], self.folder, server_user())
        if copied.returncode:
            why = copied.stderr.strip() or f"cp ended with status {copied.returncode}"
            raise DataPlaneError(f"the files of {self.folder.name} cannot be made: {why}")
        own = {**self._archiving(), "ssl_ca_file": f"'{roots(self.plane)}'"}
        self._configure({**SMALL, **REACHING, **settings, **own})

    def follow(self, source: "PostgresCluster") -> None:
        """Make its files from a running server, which it then follows: a read replica.

        The log since the copy began comes out of the source's archive, where nothing is ever removed, and
        only what is not there yet by streaming. A copy that streams its log too makes its replication slot
        after the backup has begun: a checkpoint in between, as another replica's copy begins with one,
        removes a segment that it needs (pg_basebackup --wal-method=stream up to PostgreSQL 18; patch
        "Create the WAL streaming slot before starting the backup", pgsql-hackers, 2026-11-23). RDS too
        recovers a replica in the same Region out of the archive (RDS user guide, "How streaming replication
        works for different RDS for PostgreSQL versions", 2026-11).
        """
        self._begin()
        self.archive.symlink_to(source.archive)
        wrong = _program(
            "pg_basebackup", "-D", str(self.data), "-h", str(source.folder), "-U", SUPERUSER, "--no-password",
            "--write-recovery-conf", "--checkpoint=fast", "--wal-method=none", "--no-sync",
            cwd=self.folder, plane=self.plane, PGPASSWORD=superuser_password(self.plane),
        )  # fmt: skip
        if wrong:
            raise DataPlaneError(f"{self.folder.name} cannot follow {source.folder.name}: {wrong}")
        archived = f'"{self.archive}/%f"'
        self._configure({"restore_command": f"'test -f {archived} && cp {archived} \"%p\"'"})

    def _archiving(self) -> dict[str, str]:
        """Each segment gets a second name, which costs nothing; so none may be written over later."""
        link = f'ln -f "%p" "{self.archive}/%f"'
        return {"archive_mode": "on", "archive_command": f"'{link}'", "wal_recycle": "off"}

    def finish(self) -> None:
        """It is as it should be."""
        (self.folder / "ready").touch()

    def _begin(self) -> None:
        self.remove()
        self._make_folder(self.folder)

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o750)
        if user := server_user():
            shutil.chown(folder, user)

    def _configure(self, settings: Mapping[str, str]) -> None:
        lines = {**settings, "unix_socket_directories": f"'{self.folder}'"}
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.writelines(f"{key} = {value}\n" for key, value in lines.items())

    def start(self) -> None:
        """Start it where it does not run; raises `DataPlaneError` with what its log says."""
        if self.pid:
            return
        self._require_version()
        self._clear_lock()
        done = _program(
            "pg_ctl", "start", "-w", "-t", str(PATIENCE), "-D", str(self.data), "-l", str(self.log),
            cwd=self.folder, plane=self.plane, **self._environment(),
        )  # fmt: skip
        if done:
            raise DataPlaneError(
                f"PostgreSQL of {self.folder.name} does not start: {self.last_words or done}"
            )

    def _require_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        if made_by != VERSION.partition(".")[0]:
            raise DataPlaneError(
                f"the data of {self.folder.name} are of PostgreSQL {made_by}, and the sandbox runs {VERSION}:"
                " delete this sandbox with `make clean`, then run `make up`"
            )

    @property
    def last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8").strip().splitlines() if self.log.exists() else []
        return " ".join(lines[-2:])

    @property
    def open(self) -> bool:
        """Whether it takes sessions that write, by what it says of itself (`pidfile.h`, line 8)."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _environment(self) -> dict[str, str]:
        """A replica follows its source through a socket, and can subscribe to nothing."""
        return {} if (self.data / "standby.signal").exists() else environment(self.plane)

    def _clear_lock(self) -> None:
        """What a killed server leaves names a process that is gone, or by now another one.

        PostgreSQL would refuse to start because of it. Its own children leave a moment after it.
        """
        lock, deadline = self.data / "postmaster.pid", time.monotonic() + PATIENCE
        if not lock.exists():
            return
        while _works_in(self.data):
            if time.monotonic() > deadline:
                raise DataPlaneError(f"processes of the killed server of {self.folder.name} do not end")
            time.sleep(0.05)
        for left in (lock, self.folder / SOCKET, self.folder / f"{SOCKET}.lock"):
            left.unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop it, its sessions too, and wait until it is gone."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)  # PostgreSQL's fast shutdown
        deadline = time.monotonic() + PATIENCE
        while serves(pid, self.data):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGQUIT)  # its immediate one
                deadline += PATIENCE
            time.sleep(0.02)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, user: str, password: str, database: str = "postgres", **more: Any) -> Connection:
        """A session through the socket."""
        login = {"unix_sock": str(self.socket), "password": password, "database": database}
        return Connection(user, timeout=PATIENCE, ssl_context=False, **login, **more)

    def run(self, *statements: str, database: str = "postgres") -> Any:
        """Run statements as the superuser; the rows of the last one."""
        try:
            with closing(self.connect(SUPERUSER, superuser_password(self.plane), database)) as session:
                return [session.run(s) for s in statements][-1]
        except (InterfaceError, OSError) as wrong:
            raise DataPlaneError(f"PostgreSQL of {self.folder.name} does not answer: {wrong}") from wrong


def serves(pid: int, data: Path) -> bool:
    """Whether a process lives and is the server of this directory."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(data).encode() in command


def _works_in(data: Path) -> bool:
    """Whether any process of a server of this directory is left."""
    for cwd in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if cwd.readlink() == data:
                return True
    return False


def superuser_password(plane: DataPlaneFolders) -> str:
    """One for all servers of a sandbox, readable by its owner alone."""
    path = plane.folder / SUPERUSER
    if not path.exists():
        plane.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = plane.folder / f".{SUPERUSER}.{os.getpid()}.{secrets.token_hex(4)}"
        new.touch(mode=0o600)
        new.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        try:
            path.hardlink_to(new)
        except FileExistsError:  # another process was quicker
            pass
        finally:
            new.unlink()
    return path.read_text(encoding="utf-8")


def _template(plane: DataPlaneFolders) -> Path:
    """A fresh data directory, made once for a sandbox: a copy takes a tenth of the time that initdb takes."""
    template = plane.servers / "template"
    with (plane.folder / "template.lock").open("w") as lock:  # one makes it, whoever else comes waits
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.exists():
            _make_template(plane, template)
    return template


def _make_template(plane: DataPlaneFolders, template: Path) -> None:
    new = plane.servers / f"template-{os.getpid()}-{secrets.token_hex(4)}"
    secret = plane.servers / f"{new.name}.password"
    secret.touch(mode=0o600)
    secret.write_text(superuser_password(plane), encoding="utf-8")
    if user := server_user():
        shutil.chown(secret, user)
    try:
        wrong = _program(
            "initdb", "-D", str(new), "-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={secret}",
            "--encoding=UTF8", "--locale=C", "--no-sync", "--wal-segsize=1", cwd=plane.servers, plane=plane,
        )  # fmt: skip
    finally:
        secret.unlink()
    if wrong:
        raise DataPlaneError(f"PostgreSQL's files cannot be made: {wrong}")
    new.rename(template)


def _program(name: str, *arguments: str, cwd: Path, plane: DataPlaneFolders, **variables: str) -> str:
    """Run one of PostgreSQL's programs as the servers' user; what it says where it fails."""
    folder = client_programs(plane) if name == "pg_basebackup" else server_programs(plane)
    done = as_user([str(folder / name), *arguments], cwd, server_user(), **variables)
    return (done.stderr or done.stdout).strip() or "it says nothing" if done.returncode else ""
