"""A real PostgreSQL as RDS sets one up: its administrator owns the databases and is no superuser."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pg8000.exceptions import InterfaceError
from pg8000.native import Connection, literal

from functions.common.connection import refused_by
from sandbox.data_plane.paths import DataPlaneFolders
from sandbox.data_plane.postgres_programs import client_programs, server_programs
from tests.waiting import LIMIT

SUPERUSER = "rdsadmin"
MASTER = "platform"
OTHER = "other"  # a second database of the administrator's
PASSWORD = "of-the-test-server"
SETTINGS = {
    "listen_addresses": "''",
    "wal_level": "logical",
    # Of statements all that the cell's parameter group lets a server log, and more of them.
    "log_statement": "ddl",
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "0",
    "log_connections": "on",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "max_replication_slots": "40",
    "max_wal_senders": "40",
    "max_worker_processes": "40",
    "max_logical_replication_workers": "30",
    "wal_retrieve_retry_interval": "200ms",
}


@dataclass
class Server:
    """One cluster, reached through a socket in its own directory: any number may run at once."""

    directory: Path
    plane: DataPlaneFolders  # where programs are copied to if that user cannot reach the installed ones
    user: str | None  # whom the server runs as, since it refuses to run as root
    wait: float = LIMIT  # seconds for an answer

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text(encoding="utf-8")

    def connect(
        self, user: str, password: str = PASSWORD, database: str = "postgres", **more: Any
    ) -> Connection:
        path = str(self.directory / ".s.PGSQL.5432")
        login = {"unix_sock": path, "password": password, "database": database, "ssl_context": False}
        try:
            return Connection(user, timeout=self.wait, **login, **more)
        except InterfaceError as failure:
            raise (refused_by(failure) or failure) from None

    def superuser(self, *statements: str, database: str = "postgres") -> None:
        connection = self.connect(SUPERUSER, database=database)
        try:
            for statement in statements:
                connection.run(statement)
        finally:
            connection.close()

    def rows(self, database: str, statement: str) -> Any:
        """As the superuser."""
        connection = self.connect(SUPERUSER, database=database)
        try:
            return connection.run(statement)
        finally:
            connection.close()

    def restart(self, away: float = 0.0) -> None:
        """As a failover: every session ends, and nobody is let in for some seconds."""
        control = ("pg_ctl", "-D", str(self.directory / "data"), "-t", str(LIMIT))
        self.program(*control, "stop", "-m", "immediate")
        time.sleep(away)
        self.program(*control, "start", "-w", "-l", str(self.directory / "log"))

    def psql(self, database: str, file: Path, role: str = SUPERUSER) -> None:
        """Run a file as the superuser, or in another's role; fails at the first thing that is refused."""
        where = f"host='{self.directory}' dbname={database} user={SUPERUSER} password={PASSWORD}"
        where += f" options='-c role={role}'"
        self.program("psql", "--no-psqlrc", "-q", "-v", "ON_ERROR_STOP=1", "-d", where, "-f", str(file))

    def pg_dump(self, database: str, *arguments: str) -> str:
        """What pg_dump says of a database, as the superuser."""
        where = f"host='{self.directory}' dbname={database} user={SUPERUSER} password={PASSWORD}"
        return self.program("pg_dump", "-d", where, *arguments)

    def program(self, name: str, *arguments: str) -> str:
        clients = name in ("psql", "pg_dump")
        folder = client_programs(self.plane) if clients else server_programs(self.plane)
        found = subprocess.run(
            [folder / name, *arguments],
            user=self.user,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.directory,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        )
        assert found.returncode == 0, f"{name}: {found.stdout}{found.stderr}"
        return found.stdout


@contextmanager
def running() -> Iterator[Server]:
    """A fresh cluster, gone with its directory at the end."""
    directory = Path(tempfile.mkdtemp(prefix="tenantry-pg-"))
    user = "nobody" if os.geteuid() == 0 else None
    plane = DataPlaneFolders(directory / "plane")
    server = Server(directory, plane, user)
    if user:
        shutil.chown(directory, user)
    try:
        _create(server)
        control = ("pg_ctl", "-D", str(directory / "data"), "-t", str(LIMIT))
        server.program(*control, "start", "-w", "-l", str(directory / "log"))
        try:
            _as_rds_does(server)
            yield server
        finally:
            server.program(*control, "stop", "-m", "immediate")
    finally:
        plane.remove_servers()
        shutil.rmtree(directory, ignore_errors=True)


def _create(server: Server) -> None:
    secret = server.directory / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    secret.chmod(0o644)
    data = server.directory / "data"
    server.program(
        "initdb", "-D", str(data), "-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={secret}",
        "--encoding=UTF8", "--locale=C", "--no-sync",
    )  # fmt: skip
    settings = {**SETTINGS, "unix_socket_directories": f"'{server.directory}'"}
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.writelines(f"{k} = {v}\n" for k, v in settings.items())


def _as_rds_does(server: Server) -> None:
    server.superuser(
        f"CREATE ROLE {MASTER} LOGIN CREATEDB CREATEROLE REPLICATION PASSWORD {literal(PASSWORD)}",
        # What rds_superuser has of this kind.
        f"GRANT pg_signal_backend, pg_monitor, pg_create_subscription TO {MASTER} WITH ADMIN OPTION",
        f"ALTER DATABASE postgres OWNER TO {MASTER}",
        f"ALTER DATABASE template1 OWNER TO {MASTER}",
        f"CREATE DATABASE {OTHER} OWNER {MASTER}",
    )
