"""One instance subscribes to another by the very statement that RDS would be given."""

import asyncio
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection
from typer.testing import CliRunner

from cli.sandbox.app import app
from sandbox.data_plane import postgres_programs, tls_proxy
from sandbox.data_plane.instances import Instance
from sandbox.data_plane.replication_network import PORT, address
from sandbox.data_plane.service import Service
from tests.cells import ROOT
from tests.rows import rows_of
from tests.sandbox.databases import GIVEN, Place
from tests.waiting import wait_for

ROLE, SECRET = "m_t_acme", "of-the-move"  # who replicates
RDS_ROOTS = ROOT / "functions" / "common" / "rds-roots.pem"
LEDGER = "CREATE TABLE t_acme.ledger (id int PRIMARY KEY)"


@dataclass
class Move:
    """A shard with a tenant's rows, a silo with its empty tables, and the master's sessions at both."""

    place: Place
    shard: Instance
    silo: Instance
    here: Connection
    there: Connection

    def subscribe(self, host: str | None = None, roots: str | None = None) -> None:
        trusted = roots or rows_of(self.there, "SHOW ssl_ca_file")[0][0]
        self.there.run(
            f"CREATE SUBSCRIPTION {ROLE} CONNECTION 'host={host or self.shard.host} port=5432 dbname=tenants"
            f" user={ROLE} password={SECRET} sslmode=verify-full sslrootcert={trusted}'"
            f" PUBLICATION {ROLE} WITH (origin = none)"
        )

    def wait_copied(self) -> None:
        wait_for(lambda: self.state() == "r", "the end of the first copy")

    def state(self) -> str:
        return rows_of(self.there, "SELECT srsubstate FROM pg_subscription_rel")[0][0]

    def rows(self) -> list[Any]:
        return rows_of(self.there, "SELECT count(*), max(id) FROM t_acme.ledger")[0]


@pytest.fixture
def move(place: Place) -> Iterator[Move]:
    shard, silo = place.instance("shard", **GIVEN), place.instance("silo", **GIVEN)
    with closing(place.login(shard)) as here, closing(place.login(silo)) as there:
        for session in (here, there):
            session.run("CREATE ROLE t_acme")
            session.run("GRANT t_acme TO platform WITH INHERIT TRUE, SET TRUE")
            session.run("CREATE SCHEMA t_acme AUTHORIZATION t_acme")
            session.run("SET ROLE t_acme")
            session.run(LEDGER)
            session.run("RESET ROLE")
        here.run("INSERT INTO t_acme.ledger SELECT generate_series(1, 500)")
        here.run(f"CREATE ROLE {ROLE} LOGIN REPLICATION IN ROLE t_acme PASSWORD '{SECRET}'")
        here.run(f"CREATE PUBLICATION {ROLE} FOR TABLE t_acme.ledger")
        yield Move(place, shard, silo, here, there)


def test_rows_follow_from_one_instance_to_another_by_the_statement_of_rds(move: Move) -> None:
    assert move.there.run("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [[False]]
    move.subscribe()
    wait_for(lambda: move.rows() == [500, 500])
    move.here.run("INSERT INTO t_acme.ledger VALUES (501)")
    wait_for(lambda: move.rows() == [501, 501])
    assert move.here.run("SELECT usename, active FROM pg_stat_replication, pg_replication_slots") == [
        [ROLE, True]
    ]
    move.there.run(f"DROP SUBSCRIPTION {ROLE}")
    assert move.here.run("SELECT count(*) FROM pg_replication_slots") == [[0]]


def test_it_goes_on_where_the_next_run_reaches_the_origin_again(move: Move) -> None:
    """Between two runs nobody is the way from one server to the other, and servers go on."""
    move.subscribe()
    move.wait_copied()
    cluster = move.place.service.instances.cluster(move.shard)
    move.place.service.close()
    cluster.run("INSERT INTO t_acme.ledger VALUES (501)", database="tenants")
    next_run = Service(move.place.home)
    try:
        assert next_run.tls_proxy.port
        wait_for(lambda: _last(next_run, move.silo) == 501)
    finally:
        next_run.close()


def test_a_connection_that_is_cut_as_a_copy_ends_leaves_a_copy_that_never_ends(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What moves find and mend (tests/data/test_move.py): the slot is dropped, and nobody heard of it."""
    cut: list[bytes] = []

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while chunk := await source.read(tls_proxy.CHUNK):
            target.write(chunk)
            await target.drain()
            if b"DROP_REPLICATION_SLOT" in chunk:
                cut.append(chunk)
                target.close()
                raise ConnectionAbortedError

    monkeypatch.setattr(tls_proxy, "_copy", copy)
    move.subscribe()
    wait_for(lambda: cut, "the end of the first copy")
    log, missing = move.place.service.instances.cluster(move.silo).log, re.compile("slot .* does not exist")
    wait_for(lambda: len(missing.findall(log.read_text("utf-8"))) > 2, "a worker that tries again")
    assert (move.state(), move.rows(), len(cut)) == ("f", [500, 500], 1)
    assert move.here.run("SELECT slot_name FROM pg_replication_slots") == [[ROLE]]


def _last(service: Service, instance: Instance) -> int:
    cluster = service.instances.cluster(instance)
    return cluster.run("SELECT max(id) FROM t_acme.ledger", database="tenants")[0][0]


def test_two_runs_at_once_serve_alike(move: Move) -> None:
    other = Service(move.place.home)
    try:
        assert other.tls_proxy.port != move.place.service.tls_proxy.port
        move.subscribe()
        wait_for(lambda: move.rows() == [500, 500])
    finally:
        other.close()
    move.here.run("INSERT INTO t_acme.ledger VALUES (501)")
    wait_for(lambda: move.rows() == [501, 501])


def test_an_origin_by_a_name_that_is_no_instances_is_refused(move: Move) -> None:
    strange = move.shard.host.replace("shard", "nobody")
    with pytest.raises(
        DatabaseError,
        match=r"could not connect to the publisher: .*(unexpected eof|EOF detected|unrecognized name)",
    ):
        move.subscribe(host=strange)


def test_an_origin_that_none_of_the_trusted_roots_vouches_for_is_refused(move: Move) -> None:
    """Those of AWS, which do not know the sandbox's servers."""
    others = move.place.service.plane.servers / "others.pem"
    shutil.copyfile(RDS_ROOTS, others)
    with pytest.raises(DatabaseError, match="certificate verify failed"):
        move.subscribe(roots=str(others))


def test_an_origin_that_shows_the_certificate_of_another_is_refused(move: Move) -> None:
    service = move.place.service
    wrong = service.authority.context(move.silo.host)
    service.authority.context = lambda _: wrong  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(DatabaseError, match=r"server certificate for .* does not match host name"):
        move.subscribe()


def test_beside_another_postgresql_all_works_but_subscriptions(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = place.instance("shard", **GIVEN)
    monkeypatch.setenv("TENANTRY_SANDBOX_DIR", str(place.home))
    assert "another program's" not in CliRunner().invoke(app, ["status"]).output
    with socket.create_server((address(place.service.plane), PORT)):
        with closing(place.login(shard)) as session:
            assert session.run("SELECT 1") == [[1]]
        assert f"port {PORT} of {address(place.service.plane)} is another program's" in (
            CliRunner().invoke(app, ["status"]).output
        )


def test_a_server_whose_user_reaches_no_package_has_copies(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the project is in a home directory and the only user is root."""
    runs, servers = postgres_programs._runs, place.service.plane.servers
    monkeypatch.setattr(postgres_programs, "_runs", lambda p: p.is_relative_to(servers) and runs(p))
    cluster = place.service.instances.cluster(place.instance("one", **GIVEN))
    loaded = Path(f"/proc/{cluster.pid}/maps").read_text(encoding="utf-8")
    assert str(servers / "programs" / postgres_programs.VERSION / "bin" / "postgres") in loaded
