"""Instances as real servers, without an engine: how one reaches them, what follows what, what is left."""

import json
import os
import signal
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from functions.tenant_bootstrap.connection import refused_by
from sandbox.aws.cloud import Cloud
from sandbox.cloud.store import FILE, Row, Store
from sandbox.plane.cluster import serves
from sandbox.plane.instances import INSTANCE, PARAMETERS, Instance
from sandbox.plane.service import SWITCH, Service
from sandbox.providers.aws import Aws
from sandbox.providers.plugin import Refused

ACCOUNT, REGION = "111122223333", "eu-west-1"
PASSWORD = "of-the-test"
GIVEN: dict[str, Any] = {
    "engine": "postgres",
    "username": "platform",
    "dbName": "tenants",
    "password": PASSWORD,
}
GIVEN |= {"backupRetentionPeriod": 7}  # without it nothing can read from it
LOGICAL = [{"name": "rds.force_ssl", "value": "1"}, {"name": "rds.logical_replication", "value": "1"}]


class Place:
    """A sandbox with nothing but databases in it."""

    def __init__(self, home: Path) -> None:
        self.home, self.service = home, Service(home)
        self.store = Store(home / FILE, ACCOUNT, REGION)
        self.cloud = Cloud(self.store, {})
        inputs = {"name": "pg", "family": "postgres17", "parameters": LOGICAL}
        self.cloud.create(PARAMETERS, "urn:pulumi:dev::p::t::pg", inputs)

    def instance(self, name: str, **inputs: Any) -> Instance:
        """One that runs."""
        row = self.row(name, **inputs)
        self.service.raised(row, self.store)
        return Instance.of(row, ACCOUNT, REGION)

    def row(self, name: str, **inputs: Any) -> Row:
        urn = f"urn:pulumi:dev::p::{INSTANCE}::{name}"
        given = {"identifier": name, "parameterGroupName": "pg", "instanceClass": "db.t4g.medium", **inputs}
        made, outputs = self.cloud.create(INSTANCE, urn, given)
        return Row(INSTANCE, made, urn, given, outputs)

    def login(self, instance: Instance, **more: Any) -> Connection:
        """As anybody would: by the address, with TLS."""
        trusted = ssl.create_default_context(cafile=str(self.service.authority.root))
        trusted.check_hostname = False
        given = {"password": PASSWORD, "database": "tenants", **more}
        front = self.service.front
        return Connection(
            "platform", host="127.0.0.1", port=front.port, ssl_context=_named(trusted, instance.host), **given
        )


def _named(context: ssl.SSLContext, host: str) -> Any:
    """What resolves the name for a client: it asks for the address that AWS gave, and verifies that."""

    class Named:
        def wrap_socket(self, sock: Any, **_: Any) -> Any:
            context.check_hostname = True
            return context.wrap_socket(sock, server_hostname=host)

    return Named()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    try:
        yield made
    finally:
        made.service.remove_servers()
        made.service.close()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_master_logs_in_by_address_over_tls_and_is_no_superuser(place: Place) -> None:
    one = place.instance("one", **GIVEN)
    with closing(place.login(one)) as session:
        found = session.run(
            "SELECT current_user, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        assert found == [["platform", False, True]]
        assert session.run("SHOW wal_level") == [["logical"]]
        big = "x" * 3_000_000  # more than any buffer on the way
        assert session.run("SELECT length(:big)", big=big) == [[len(big)]]
        assert session.run(f"SELECT repeat('y', {len(big)})") == [["y" * len(big)]]
    with pytest.raises((DatabaseError, InterfaceError), match=r"network error|authentication") as caught:
        place.service.instances.cluster(one).connect("platform", "wrong", "tenants")
    assert "password authentication failed" in str(refused_by(caught.value))


def test_who_comes_without_tls_is_refused_in_postgresqls_words(place: Place) -> None:
    place.instance("one", **GIVEN)
    with socket.create_connection(("127.0.0.1", place.service.front.port)) as plain:
        body = struct.pack("!i", 196608) + b"user\0platform\0database\0tenants\0\0"
        plain.sendall(struct.pack("!i", len(body) + 4) + body)
        said = plain.recv(4096)
    assert b'no pg_hba.conf entry for host "127.0.0.1", user "platform"' in said
    assert b"no encryption" in said


def test_a_name_that_no_instance_has_is_not_answered_for(place: Place) -> None:
    one = place.instance("one", **GIVEN)
    other = Instance(ACCOUNT, REGION, one.urn, {}, {**one.outputs, "address": "nobody.rds.amazonaws.com"})
    with pytest.raises(ssl.SSLError, match=r"EOF occurred|UNRECOGNIZED_NAME"):
        place.login(other)


def test_a_password_that_rds_keeps_is_in_the_vault_and_nowhere_else(place: Place) -> None:
    given = {k: v for k, v in GIVEN.items() if k != "password"}
    _, key = place.cloud.create("aws:kms/key:Key", "urn:pulumi:dev::p::aws:kms/key:Key::k", {})
    one = place.instance("one", **given, manageMasterUserPassword=True, masterUserSecretKmsKeyId=key["arn"])
    assert one.managed_secret
    secret = place.service.vault.current(one.managed_secret)
    assert secret is not None
    with closing(place.login(one, password=secret["password"])) as session:
        assert session.run("SELECT 1") == [[1]]
    assert secret["password"] not in json.dumps(one.outputs)


def test_a_new_password_is_the_one_that_counts(place: Place) -> None:
    one = place.row("one", **GIVEN)
    place.service.raised(one, place.store)
    inputs = {**one.inputs, "password": "another"}
    outputs = place.cloud.update(INSTANCE, one.id, one.urn, inputs)
    place.service.changed(Row(INSTANCE, one.id, one.urn, inputs, outputs), place.store)
    instance = Instance.of(one, ACCOUNT, REGION)
    with closing(place.login(instance, password="another")) as session:
        assert session.run("SELECT 1") == [[1]]


def test_a_replica_follows_and_takes_no_writes(place: Place) -> None:
    one = place.instance("one", **GIVEN)
    reader = place.instance("reader", replicateSourceDb="one")
    with closing(place.login(one)) as writer, closing(place.login(reader)) as reading:
        writer.run("CREATE TABLE rows (id int)")
        writer.run("INSERT INTO rows SELECT generate_series(1, 1000)")
        wait_for(lambda: reading.run("SELECT to_regclass('rows') IS NOT NULL") == [[True]])
        wait_for(lambda: reading.run("SELECT count(*) FROM rows") == [[1000]])
        with pytest.raises(DatabaseError, match="cannot execute INSERT in a read-only transaction"):
            reading.run("INSERT INTO rows VALUES (0)")


def test_rows_move_from_one_instance_to_another_by_logical_replication(place: Place) -> None:
    """As a tenant's would from its shard to its silo: two servers, and nothing shared."""
    shard, silo = place.instance("shard", **GIVEN), place.instance("silo", **GIVEN)
    source = place.service.instances.cluster(shard)
    with closing(place.login(shard)) as here, closing(place.login(silo)) as there:
        for session in (here, there):
            session.run("CREATE SCHEMA t_acme")
            session.run("CREATE TABLE t_acme.ledger (id int PRIMARY KEY)")
        here.run("INSERT INTO t_acme.ledger SELECT generate_series(1, 500)")
        place.service.instances.cluster(shard).run(
            "CREATE PUBLICATION move FOR TABLES IN SCHEMA t_acme", database="tenants"
        )
        there.run("GRANT CREATE ON DATABASE tenants TO platform")
        there.run(
            "CREATE SUBSCRIPTION move CONNECTION"
            f" 'host={source.folder} user=platform password={PASSWORD} dbname=tenants' PUBLICATION move"
        )
        wait_for(lambda: there.run("SELECT count(*) FROM t_acme.ledger") == [[500]])
        here.run("INSERT INTO t_acme.ledger VALUES (501)")
        wait_for(lambda: there.run("SELECT max(id) FROM t_acme.ledger") == [[501]])
        there.run("DROP SUBSCRIPTION move")


@pytest.fixture
def provider(place: Place, monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("SANDBOX_DIR", str(place.home))
    monkeypatch.setenv(SWITCH, "1")
    made = Aws()
    made.configure({"region": REGION, "allowedAccountIds": json.dumps([ACCOUNT])})
    return made


URN = f"urn:pulumi:dev::p::{INSTANCE}::one"
ONE = {"identifier": "one", "parameterGroupName": "pg", "instanceClass": "db.t4g.medium", **GIVEN}


def test_an_instance_that_cannot_start_does_not_exist(place: Place, provider: Aws) -> None:
    group = place.store.get(PARAMETERS, "pg")
    assert group is not None
    wrong = [{"name": "no_such_setting", "value": "1"}]
    place.store.amend(PARAMETERS, "pg", {**group.outputs, "parameters": wrong})
    with pytest.raises(Refused, match='unrecognized configuration parameter "no_such_setting"'):
        provider.create(INSTANCE, URN, ONE, preview=False)
    assert place.store.all(INSTANCE) == []
    assert [c.pid for c in place.service.instances.clusters() if c.pid] == []
    place.store.amend(PARAMETERS, "pg", {**group.outputs, "parameters": LOGICAL})
    assert provider.create(INSTANCE, URN, ONE, preview=False)[0]


def test_a_deleted_instance_stops_at_once_and_is_swept_later(place: Place, provider: Aws) -> None:
    """What a killed run deleted comes back with the record of it, so its files stay until one ends well."""
    made, _ = provider.create(INSTANCE, URN, {**ONE, "skipFinalSnapshot": True}, preview=False)
    (cluster,) = place.service.instances.clusters()
    pid = cluster.pid
    assert pid is not None
    provider.delete(INSTANCE, made)
    assert not serves(pid, cluster.data)
    assert [c.folder.name for c in place.service.unknown()] == [made]
    place.service.sweep()
    assert not cluster.folder.exists()
    assert not cluster.folder.parent.exists(), "with the last one goes what all of them shared"


def test_a_preview_starts_nothing(place: Place, provider: Aws) -> None:
    provider.create(INSTANCE, URN, ONE, preview=True)
    made = Instance.of(place.row("two", **GIVEN), ACCOUNT, REGION)
    assert place.service.instances.cluster(made).pid is None
    assert not (place.service.plane.folder / "servers").is_symlink(), "nor does a look"


def test_a_server_that_was_killed_is_started_again_with_its_rows(place: Place) -> None:
    one = place.instance("one", **GIVEN)
    cluster = place.service.instances.cluster(one)
    with closing(place.login(one)) as session:
        session.run("CREATE TABLE rows (id int)")
    pid = cluster.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: cluster.pid is None)
    assert place.service.start(None, make=False) == ["one"]
    with closing(place.login(one)) as session:
        assert session.run("SELECT count(*) FROM rows") == [[0]]
