"""The instances of `aws:rds/instance`, each a PostgreSQL server of its own.

A server's name, administrator and parameter group are read from the cloud's rows. A server without a row was
left by a killed run or a deletion, and is removed.
"""

import datetime
import fcntl
import json
import secrets
import sqlite3
import string
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pg8000.native import identifier, literal

from sandbox.aws.refusals.restores import moment
from sandbox.cloud.store import Row, Store
from sandbox.data_plane.paths import DataPlaneError, DataPlaneFolders
from sandbox.data_plane.postgres_cluster import PostgresCluster
from sandbox.data_plane.restores import restore
from sandbox.data_plane.secret_store import SecretStore
from sandbox.json_values import items, members

INSTANCE: Final = "aws:rds/instance:Instance"
PARAMETERS: Final = "aws:rds/parameterGroup:ParameterGroup"
PASSWORD: Final = 28  # characters of what RDS makes
# What RDS gives its master user, who is no superuser (RDS user guide, "Master user account privileges"); the
# admin option of these is assumed (`what-the-administrator-of-rds-may`).
MASTER: Final = (
    "CREATE ROLE {name} LOGIN CREATEDB CREATEROLE REPLICATION PASSWORD {password}",
    "GRANT pg_monitor, pg_signal_backend, pg_checkpoint, pg_create_subscription TO {name} WITH ADMIN OPTION",
    "ALTER DATABASE postgres OWNER TO {name}",
    "ALTER DATABASE template1 OWNER TO {name}",
)
ROWS: Final = "SELECT account, region, urn, inputs, outputs FROM resources WHERE type = ?"


@dataclass(frozen=True)
class Instance:
    """One instance as the cloud has it."""

    account: str
    region: str
    urn: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]

    @classmethod
    def of(cls, row: Row, account: str, region: str) -> "Instance":
        return cls(account, region, row.urn, dict(row.inputs), dict(row.outputs))

    @property
    def id(self) -> str:
        return str(self.outputs["resourceId"])

    @property
    def name(self) -> str:
        return str(self.outputs["identifier"])

    @property
    def host(self) -> str:
        return str(self.outputs["address"])

    @property
    def stack(self) -> str:
        return self.urn.split("::", maxsplit=1)[0].removeprefix("urn:pulumi:")

    @property
    def source(self) -> str | None:
        """The identifier of what it is a read replica of."""
        return self.inputs.get("replicateSourceDb")

    @property
    def user(self) -> str:
        """The master user's name, which what was restored has from its source."""
        return str(self.outputs.get("username") or "")

    @property
    def origin(self) -> str | None:
        """The identifier or id of what it was restored from."""
        given = members(self.inputs.get("restoreToPointInTime"))
        return given.get("sourceDbInstanceIdentifier") or given.get("sourceDbiResourceId")

    @property
    def moment(self) -> datetime.datetime | None:
        """The moment that it was restored to; None for the latest one."""
        return moment(members(self.inputs.get("restoreToPointInTime")).get("restoreTime"))

    @property
    def managed_secret(self) -> str | None:
        """ARN of the secret that RDS keeps for the master user."""
        kept = self.outputs.get("masterUserSecrets") if self.inputs.get("manageMasterUserPassword") else None
        return kept[0]["secretArn"] if kept else None


class Instances:
    """All instances of a sandbox, in all its accounts."""

    def __init__(self, plane: DataPlaneFolders, vault: SecretStore) -> None:
        self.plane, self.vault = plane, vault

    def known(self) -> list[Instance]:
        """What the cloud has, by name."""
        if not self.plane.cloud.exists():
            return []
        with closing(sqlite3.connect(self.plane.cloud)) as db:
            rows = db.execute(ROWS, (INSTANCE,)).fetchall()
        found = [Instance(a, r, u, json.loads(i), json.loads(o)) for a, r, u, i, o in rows]
        return sorted(found, key=lambda i: (i.account, i.region, i.name))

    def cluster(self, instance: Instance) -> PostgresCluster:
        """The server of an instance, made or not; to ask for it makes nothing."""
        record = self.plane.folder / "servers"
        return PostgresCluster(
            (self.plane.servers if record.is_symlink() else record) / instance.id, self.plane
        )

    def route(self, host: str) -> Path | None:
        """The socket behind an address, where there is one."""
        for instance in self.known():
            if instance.host == host:
                found = self.cluster(instance)
                return found.socket if found.pid else None
        return None

    def create_and_start(self, instance: Instance) -> PostgresCluster:
        """Make and start the server of an instance where it does not run; raises `DataPlaneError`."""
        cluster = PostgresCluster(self.plane.servers / instance.id, self.plane)
        if instance.source and not cluster.made:
            source = self._source(instance)
            with self._server_lock(cluster):
                cluster.follow(source)
                cluster.start()
                cluster.finish()
        origin = self._origin(instance) if not cluster.made else None
        with self._server_lock(cluster):
            if not cluster.made and origin:
                self._restore(instance, cluster, origin)
            if not cluster.made:
                cluster.create(self._settings(instance))
                cluster.start()
                self._create_user_and_database(instance, cluster)
            cluster.start()
        return cluster

    def _source(self, instance: Instance) -> PostgresCluster:
        """The running server that a read replica is to follow."""
        if found := self._named(instance, instance.source):
            return self.create_and_start(found)
        raise DataPlaneError(
            f"instance {instance.name} is a replica of {instance.source}, which is not there"
        )

    def _named(self, beside: Instance, word: str | None) -> Instance | None:
        """An instance of the same account and Region."""
        same = [i for i in self.known() if (i.account, i.region) == (beside.account, beside.region)]
        return next((i for i in same if word in (i.name, i.id, i.outputs["arn"])), None)

    def _origin(self, instance: Instance) -> PostgresCluster | None:
        """The running server that an instance is to be restored from; None where that is a record only, of
        which nothing can be had."""
        found = self._named(instance, instance.origin) if instance.origin else None
        if found is None or not self.cluster(found).made:
            return None
        if found.source:
            raise DataPlaneError(f"{found.name} is a read replica, whose log does not begin with its files")
        return self.create_and_start(found)

    def _restore(self, instance: Instance, cluster: PostgresCluster, origin: PostgresCluster) -> None:
        until = instance.moment
        if until:
            store = Store(self.plane.cloud, instance.account, instance.region)
            until = store.machine_time(until)
            store.close()
        restore(cluster, origin, self._settings(instance), until)
        # All else is as it was at the source, its users' passwords too.
        if password := self._password(instance):
            cluster.run(f"ALTER ROLE {identifier(instance.user)} PASSWORD {literal(password)}")
        cluster.finish()

    @contextmanager
    def _server_lock(self, cluster: PostgresCluster) -> Generator[None]:
        """One at a time over all processes: two that start one server would both write its files."""
        with (self.plane.folder / f"{cluster.folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def set_password(self, instance: Instance) -> None:
        """The master user's, as the instance's inputs say it now."""
        password = instance.inputs.get("password")
        if password and not instance.source:
            name = identifier(instance.user)
            self.cluster(instance).run(f"ALTER ROLE {name} PASSWORD {literal(password)}")

    def stop(self, instance: Instance) -> None:
        self.cluster(instance).stop()

    def clusters(self) -> Iterator[PostgresCluster]:
        """Every server that was made here, known or not."""
        if (self.plane.folder / "servers").is_symlink():
            for folder in sorted(self.plane.servers.glob("db-*")):
                yield PostgresCluster(folder, self.plane)

    def sweep(self) -> list[str]:
        """Remove the servers of instances that are no more; their names."""
        kept = {i.id for i in self.known()}
        gone = [c for c in self.clusters() if c.folder.name not in kept]
        for cluster in gone:
            cluster.remove()
            (self.plane.folder / f"{cluster.folder.name}.lock").unlink(missing_ok=True)
        return [c.folder.name for c in gone]

    def _settings(self, instance: Instance) -> dict[str, str]:
        """The parameter group, without what only RDS knows."""
        group, found = self._parameters(instance), {"wal_level": "replica"}
        if group.get("rds.logical_replication") == "1":
            found["wal_level"] = "logical"
        plain = {k: v for k, v in group.items() if not k.startswith("rds.")}
        return found | {k: "'" + v.replace("'", "''") + "'" for k, v in plain.items()}

    def _parameters(self, instance: Instance) -> dict[str, str]:
        with closing(sqlite3.connect(self.plane.cloud)) as db:
            row = db.execute(
                "SELECT outputs FROM resources WHERE account = ? AND region = ? AND type = ? AND id = ?",
                (instance.account, instance.region, PARAMETERS, instance.inputs.get("parameterGroupName")),
            ).fetchone()
        given = items(json.loads(row[0]).get("parameters") if row else None)
        return {p["name"]: str(p["value"]) for p in given}

    def _create_user_and_database(self, instance: Instance, cluster: PostgresCluster) -> None:
        """The master user, its secret where RDS keeps it, and the one database that was asked for."""
        if not instance.user:
            raise DataPlaneError(f"instance {instance.name} has no master user")
        password, name = self._password(instance) or "", identifier(instance.user)
        cluster.run(*(s.format(name=name, password=literal(password)) for s in MASTER))
        if database := instance.outputs.get("dbName"):
            # Copied as files, which the log tells in a line; page by page it would be 4 MB to archive.
            cluster.run(f"CREATE DATABASE {identifier(database)} OWNER {name} STRATEGY file_copy")
        cluster.finish()

    def _password(self, instance: Instance) -> str | None:
        """The one that is given for the master user, or a new one that RDS keeps in a secret."""
        if not instance.managed_secret:
            return instance.inputs.get("password")
        password = _password()
        key = str(instance.outputs.get("masterUserSecretKmsKeyId") or "alias/aws/secretsmanager")
        content = json.dumps({"username": instance.user, "password": password}).encode()
        self.vault.put_secret(instance.managed_secret, key, content)
        return password


def _password() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(PASSWORD))
