"""Instances as real servers, without an engine: how one reaches them, what follows what, what is left."""

import json
import os
import signal
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from functions.common.connection import refused_by
from sandbox.cloud.store import Row, Store
from sandbox.data_plane.instances import INSTANCE, PARAMETERS, Instance
from sandbox.data_plane.postgres_cluster import PostgresCluster, serves
from sandbox.data_plane.service import SWITCH
from sandbox.providers.aws import Aws
from sandbox.providers.plugin import Refused
from tests.sandbox.databases import ACCOUNT, GIVEN, LOGICAL, REGION, Place
from tests.waiting import wait_for


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
    with socket.create_connection(("127.0.0.1", place.service.tls_proxy.port)) as plain:
        body = struct.pack("!i", 196608) + b"user\0platform\0database\0tenants\0\0"
        plain.sendall(struct.pack("!i", len(body) + 4) + body)
        result = plain.recv(4096)
    assert b'no pg_hba.conf entry for host "127.0.0.1", user "platform"' in result
    assert b"no encryption" in result


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
    secret = place.service.secret_store.current(one.managed_secret)
    assert secret is not None
    with closing(place.login(one, password=secret["password"])) as session:
        assert session.run("SELECT 1") == [[1]]
    assert secret["password"] not in json.dumps(one.outputs)


def test_a_new_password_is_the_one_that_counts(place: Place) -> None:
    one = place.row("one", **GIVEN)
    place.service.instance_created(one, place.store)
    inputs = {**one.inputs, "password": "another"}
    outputs = place.cloud.update(INSTANCE, one.id, one.urn, inputs)
    place.service.instance_changed(Row(INSTANCE, one.id, one.urn, inputs, outputs), place.store)
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


@contextmanager
def log_removed_by_checkpoints(source: PostgresCluster) -> Iterator[None]:
    """Meanwhile the source ends a segment of its log again and again, and removes all that it may."""
    ended = threading.Event()

    def remove() -> None:
        while not ended.wait(0.01):
            source.run("SELECT pg_switch_wal()", "CHECKPOINT")

    with ThreadPoolExecutor(1) as pool:
        removing = pool.submit(remove)
        try:
            yield
        finally:
            ended.set()
            removing.result()


def test_ten_read_replicas_start_at_once_while_checkpoints_remove_the_log(place: Place) -> None:
    one = place.instance("one", **GIVEN)
    source = place.service.instances.cluster(one)
    source.run("CREATE TABLE rows AS SELECT generate_series(1, 1000) AS id", database="tenants")
    readers = [Instance.of(place.row(f"r{n}", replicateSourceDb="one"), ACCOUNT, REGION) for n in range(10)]
    with log_removed_by_checkpoints(source), ThreadPoolExecutor(len(readers)) as pool:
        replicas = list(pool.map(place.service.instances.create_and_start, readers))
    source.run("INSERT INTO rows VALUES (0)", database="tenants")
    for replica in replicas:
        wait_for(lambda replica=replica: _rows(replica) == 1001)
    assert [_rows(replica) for replica in replicas] == [1001] * len(readers)


@pytest.mark.slow
def test_a_read_replica_that_was_stopped_finds_in_the_archive_what_its_source_has_removed(
    place: Place,
) -> None:
    one, reader = place.instance("one", **GIVEN), place.instance("reader", replicateSourceDb="one")
    source, replica = (place.service.instances.cluster(i) for i in (one, reader))
    replica.stop()
    source.run("CREATE TABLE rows AS SELECT generate_series(1, 1000) AS id", database="tenants")
    first = source.run("SELECT pg_walfile_name(pg_current_wal_lsn())")[0][0]
    for _ in range(3):
        source.run("SELECT pg_switch_wal()", "CHECKPOINT")
    assert not (source.data / "pg_wal" / first).exists()
    replica.start()
    wait_for(lambda: _rows(replica) == 1000)


def _rows(cluster: PostgresCluster) -> int | None:
    """None where the table is not there yet."""
    if cluster.run("SELECT to_regclass('rows')", database="tenants") == [[None]]:
        return None
    return cluster.run("SELECT count(*) FROM rows", database="tenants")[0][0]


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
    place.store.update_outputs(PARAMETERS, "pg", {**group.outputs, "parameters": wrong})
    with pytest.raises(Refused, match='unrecognized configuration parameter "no_such_setting"'):
        provider.create(INSTANCE, URN, ONE, preview=False)
    assert place.store.all(INSTANCE) == []
    assert [c.pid for c in place.service.instances.clusters() if c.pid] == []
    place.store.update_outputs(PARAMETERS, "pg", {**group.outputs, "parameters": LOGICAL})
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


def test_a_function_runs_where_all_databases_that_its_event_names_are_real(place: Place) -> None:
    """A tenant's move names two; one that is a record only would leave it half way."""
    calls: list[dict[str, Any]] = []

    class Recorder:
        def invoke(self, _: Store, name: str, event: dict[str, Any]) -> str:
            calls.append({"name": name, **event})
            return "{}"

        def close(self) -> None:
            """Nothing runs."""

    place.service.__dict__["functions"] = Recorder()
    shard, record = place.instance("shard", **GIVEN), Instance.of(place.row("silo", **GIVEN), ACCOUNT, REGION)
    move = {"origin": {"host": shard.host}, "target": {"host": record.host}, "tenant": "acme"}
    inputs = {"functionName": "data", "lifecycleScope": "CRUD", "input": json.dumps(move)}
    assert place.service.invoke_function(place.store, "create", inputs, None) is None
    assert calls == []
    place.service.instances.create_and_start(record)
    place.service.stop(None)
    assert place.service.invoke_function(place.store, "create", inputs, None) == "{}"
    assert calls == [{"name": "data", **move, "tf": {"action": "create", "prev_input": None}}]
    assert all(c.pid for c in place.service.instances.clusters()), "what was stopped is started"
    elsewhere = {**inputs, "input": json.dumps({**move, "third": {"host": "nobody.rds.amazonaws.com"}})}
    assert place.service.invoke_function(place.store, "update", elsewhere, None) is None
