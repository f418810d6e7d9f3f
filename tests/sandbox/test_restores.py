"""A database as it was at a moment: real rows that are back, and later ones that are not."""

import datetime
import os
import signal
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from sandbox.aws.cloud import CloudError
from sandbox.aws.key_lifecycle import KEY
from sandbox.aws.templates import UNKNOWN
from sandbox.data_plane.instances import INSTANCE, Instance
from sandbox.data_plane.paths import DataPlaneError
from sandbox.data_plane.postgres_cluster import serves
from tests.sandbox.databases import GIVEN, PASSWORD, Place
from tests.sandbox.world import WRITER, World
from tests.waiting import wait_for

LATEST = {"sourceDbInstanceIdentifier": "one", "useLatestRestorableTime": True}


def at(when: datetime.datetime, source: str = "one") -> dict[str, Any]:
    return {"sourceDbInstanceIdentifier": source, "restoreTime": when.isoformat()}


def kept(session: Any) -> list[int]:
    return [i for (i,) in session.run("SELECT id FROM rows ORDER BY id")]


def now(session: Any) -> datetime.datetime:
    """By the server's clock; between two transactions, whichever those are."""
    ((when,),) = session.run("SELECT clock_timestamp()")
    return when


def written(place: Place, one: Instance) -> datetime.datetime:
    """Rows 1 and 2 are there at this moment; then 1 is deleted, and 3 is written."""
    with closing(place.login(one)) as session:
        session.run("CREATE TABLE rows (id int)")
        session.run("INSERT INTO rows VALUES (1), (2)")
        when = now(session)
        session.run("DELETE FROM rows WHERE id = 1")
        session.run("INSERT INTO rows VALUES (3)")
        assert kept(session) == [2, 3]
    return when


def test_what_was_deleted_is_back_and_what_came_later_is_not(place: Place) -> None:
    one = place.instance("one", **GIVEN)
    when = written(place, one)
    back = place.instance("back", restoreToPointInTime=at(when))
    with closing(place.login(back)) as session:
        assert kept(session) == [1, 2]
        session.run("INSERT INTO rows VALUES (9)")
        assert session.run("SELECT pg_is_in_recovery()") == [[False]]
    with closing(place.login(one)) as session:
        assert kept(session) == [2, 3], "the source goes on"
    latest = place.instance("latest", restoreToPointInTime=LATEST)
    with closing(place.login(latest)) as session:
        assert kept(session) == [2, 3]


def test_a_moment_after_the_last_write_is_one_to_restore_to(place: Place) -> None:
    one = place.instance("one", **GIVEN)
    written(place, one)
    with closing(place.login(one)) as session:
        when = now(session)
    with closing(place.login(place.instance("back", restoreToPointInTime=at(when)))) as session:
        assert kept(session) == [2, 3]


@pytest.mark.slow
def test_what_was_restored_lives_on_without_its_source(place: Place) -> None:
    """It stops and starts, it is followed, and it can itself be restored to what it was."""
    one = place.instance("one", **GIVEN)
    back = place.instance("back", restoreToPointInTime=at(written(place, one)))
    with closing(place.login(back)) as session:
        session.run("INSERT INTO rows VALUES (4)")
        when = now(session)
        session.run("DELETE FROM rows")
    cluster = place.service.instances.cluster(one)
    place.cloud.update(INSTANCE, one.id, one.urn, {**one.inputs, "skipFinalSnapshot": True})
    place.cloud.delete(INSTANCE, one.id)
    place.service.sweep()
    assert not cluster.folder.exists()
    place.service.stop(None)
    assert place.service.start(None, make=False) == ["back"]
    again = place.instance("again", restoreToPointInTime=at(when, "back"))
    reader = place.instance("reader", replicateSourceDb="again")
    with closing(place.login(again)) as session, closing(place.login(reader)) as reading:
        assert kept(session) == [1, 2, 4]
        session.run("INSERT INTO rows VALUES (5)")
        wait_for(lambda: kept(reading) == [1, 2, 4, 5])


def test_the_master_gets_the_password_that_is_asked_for(place: Place) -> None:
    one = place.instance("one", **GIVEN)
    back = place.instance("back", restoreToPointInTime=LATEST, password="of-its-own")
    assert back.user == "platform"
    with closing(place.login(back, password="of-its-own")) as session:
        assert session.run("SELECT current_user") == [["platform"]]
    with pytest.raises((DatabaseError, InterfaceError), match=r"authentication|network error"):
        place.login(back)
    with closing(place.login(one)) as session:
        assert session.run("SELECT 1") == [[1]]
    managed = place.instance("managed", restoreToPointInTime=LATEST, manageMasterUserPassword=True)
    assert managed.managed_secret
    secret = place.service.secret_store.current(managed.managed_secret)
    assert secret is not None
    assert secret["username"] == "platform"
    assert secret["password"] not in (PASSWORD, "of-its-own")
    with closing(place.login(managed, password=secret["password"])) as session:
        assert session.run("SELECT 1") == [[1]]


@pytest.mark.slow
def test_days_that_were_let_go_by_are_no_days_of_the_log(place: Place) -> None:
    one = place.instance("one", **GIVEN)
    when = written(place, one)
    place.store.move_clock(3)
    with closing(place.login(one)) as session:
        later = now(session) + datetime.timedelta(days=3)
        session.run("DELETE FROM rows")
    with closing(place.login(place.instance("back", restoreToPointInTime=at(when)))) as session:
        assert kept(session) == [1, 2]
    with closing(place.login(place.instance("later", restoreToPointInTime=at(later)))) as session:
        assert kept(session) == [2, 3]


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_of_a_source_that_was_stopped_nothing_is_missing(place: Place, how: str) -> None:
    one = place.instance("one", **GIVEN)
    when = written(place, one)
    if how == "stopped":
        place.service.stop(None)
    else:
        source = place.service.instances.cluster(one)
        os.kill(source.pid or 0, signal.SIGKILL)
        wait_for(lambda: source.pid is None)
    with closing(place.login(place.instance("back", restoreToPointInTime=at(when)))) as session:
        assert kept(session) == [1, 2]
    pid = place.service.instances.cluster(one).pid
    assert pid is not None
    assert serves(pid, place.service.instances.cluster(one).data)


def test_of_a_record_only_there_is_nothing_to_have(place: Place) -> None:
    place.row("one", **GIVEN)
    back = place.instance("back", restoreToPointInTime=LATEST, password=PASSWORD)
    with closing(place.login(back)) as session:
        assert session.run("SELECT current_user, current_database()") == [["platform", "tenants"]]


def test_a_log_that_does_not_arrive_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    one = place.instance("one", **GIVEN)
    cluster = place.service.instances.cluster(one)
    cluster.run("ALTER SYSTEM SET archive_command = 'false'", "SELECT pg_reload_conf()")
    row = place.row("back", restoreToPointInTime=LATEST)
    monkeypatch.setattr("sandbox.data_plane.restores.PATIENCE", 0.5)
    with pytest.raises(DataPlaneError, match=f"PostgreSQL of {one.id} does not archive its log"):
        place.service.instance_created(row, place.store)


# -- what the cloud says of it, without a server


def restored(world: World, **more: Any) -> dict[str, Any]:
    plain = {"identifier": "back", "instanceClass": "db.t4g.medium", "skipFinalSnapshot": True}
    restore = {"sourceDbInstanceIdentifier": "db", "useLatestRestorableTime": True}
    row = world.cloud.read(
        INSTANCE, world.make(INSTANCE, **{**plain, "restoreToPointInTime": restore, **more})
    )
    assert row is not None
    return dict(row.outputs)


def test_it_takes_after_its_source(world: World) -> None:
    key = world.arn(KEY, world.make(KEY))
    source = world.writer(port=5433, kmsKeyId=key, storageEncrypted=True, dbName="tenants")
    taken = {"engine": "postgres", "username": "platform", "dbName": "tenants", "kmsKeyId": key}
    taken |= {"port": 5433, "engineVersion": "17.2", "allocatedStorage": 50, "backupRetentionPeriod": 7}
    for which, word in (("sourceDbInstanceIdentifier", "db"), ("sourceDbiResourceId", source)):
        found = restored(
            world,
            identifier=f"of-{word.lower()}",
            restoreToPointInTime={which: word, "useLatestRestorableTime": True},
        )
        assert {k: found[k] for k in taken} == taken
        assert found["endpoint"].endswith(":5433")
        assert found["engineVersionActual"] == "17.2"
    other = world.arn(KEY, world.make(KEY))
    asked = {"username": "another", "kmsKeyId": other, "storageEncrypted": True, "allocatedStorage": 80}
    found = restored(world, **asked)
    assert (found["username"], found["kmsKeyId"], found["allocatedStorage"]) == ("platform", key, 80)


def test_it_keeps_what_it_took_when_its_source_is_gone(world: World) -> None:
    source, found = world.writer(), restored(world)
    world.cloud.delete(INSTANCE, source)
    row = world.cloud.read(INSTANCE, found["resourceId"])
    assert row is not None
    after = world.cloud.update(INSTANCE, row.id, row.urn, {**row.inputs, "multiAz": True})
    assert (after["username"], after["engineVersion"], after["port"]) == ("platform", "17.2", 5432)
    assert after["multiAz"] is True


def test_another_moment_is_another_database(world: World) -> None:
    old = {"identifier": "db", "restoreToPointInTime": LATEST}
    change = world.cloud.diff(INSTANCE, old, old, {"identifier": "db"}, [])
    assert change.replaces == {"restoreToPointInTime"}


def test_a_source_or_moment_that_is_not_known_yet_is_not_judged(world: World) -> None:
    given = {
        **WRITER,
        "restoreToPointInTime": {"sourceDbInstanceIdentifier": UNKNOWN, "restoreTime": UNKNOWN},
    }
    assert world.cloud.check(INSTANCE, "r", given, b"")[1] == []


BY_ITSELF: dict[str, tuple[dict[str, Any], str]] = {
    "also a reader": (
        {"replicateSourceDb": "db"},
        '"restoreToPointInTime": conflicts with replicateSourceDb',
    ),
    "also of a snapshot": ({"snapshotIdentifier": "s"}, "conflicts with snapshotIdentifier"),
    "no source": ({"restoreToPointInTime": {"useLatestRestorableTime": True}}, "Exactly one of"),
    "two sources": ({"restoreToPointInTime": {**LATEST, "sourceDbiResourceId": "db-X"}}, "Exactly one of"),
    "no moment": ({"restoreToPointInTime": {"sourceDbInstanceIdentifier": "db"}}, "Either RestoreTime or"),
    "two moments": (
        {"restoreToPointInTime": {**LATEST, "restoreTime": "2026-11-01T00:00:00Z"}},
        "conflicts with restoreToPointInTime.useLatestRestorableTime",
    ),
    "no date": (
        {"restoreToPointInTime": {"sourceDbInstanceIdentifier": "db", "restoreTime": "yesterday"}},
        "is not a valid RFC3339 date",
    ),
    "a date without an offset": (
        {"restoreToPointInTime": {"sourceDbInstanceIdentifier": "db", "restoreTime": "2026-11-01T00:00:00"}},
        "is not a valid RFC3339 date",
    ),
}


@pytest.mark.parametrize("case", BY_ITSELF)
def test_what_contradicts_itself_is_refused_before_anything_is_made(world: World, case: str) -> None:
    more, words = BY_ITSELF[case]
    given = {"identifier": "r", "instanceClass": "db.t4g.medium", "restoreToPointInTime": LATEST, **more}
    found = world.cloud.check(INSTANCE, "r", given, b"")[1]
    assert [key for key, result in found if words in result] == ["restoreToPointInTime"], found


def _no_source(_: World) -> dict[str, Any]:
    return {}


def _no_backups(world: World) -> dict[str, Any]:
    world.writer(backupRetentionPeriod=0)
    return {}


def _future(world: World) -> dict[str, Any]:
    world.writer()
    return at(world.cloud.store.now() + datetime.timedelta(minutes=5), "db")


def _before_it_was_made(world: World) -> dict[str, Any]:
    world.writer()
    return at(world.cloud.store.now() - datetime.timedelta(minutes=5), "db")


def _too_long_ago(world: World) -> dict[str, Any]:
    world.writer()
    when = world.cloud.store.now() + datetime.timedelta(minutes=5)
    world.cloud.store.move_clock(8)
    return at(when, "db")


def _key_on_its_way_out(world: World) -> dict[str, Any]:
    made = world.make(KEY)
    world.writer(kmsKeyId=world.arn(KEY, made), storageEncrypted=True)
    world.cloud.delete(KEY, made)
    return {}


AGAINST_THE_CLOUD: dict[str, tuple[Callable[[World], dict[str, Any]], str]] = {
    "no source": (_no_source, r"DBInstanceNotFound: DBInstance db not found\."),
    "no backups": (_no_backups, "PointInTimeRestoreNotEnabled"),
    "the future": (_future, "InvalidParameterValue: .* cannot be restored to a time later than 20"),
    "before it was made": (_before_it_was_made, "cannot be restored to a time earlier than 20"),
    "longer ago than it keeps": (_too_long_ago, "cannot be restored to a time earlier than 20"),
    "a key that is pending": (_key_on_its_way_out, r"KMSKeyNotAccessibleFault: The specified KMS key \["),
}


@pytest.mark.parametrize("case", AGAINST_THE_CLOUD)
def test_what_cannot_be_restored_is_refused(world: World, case: str) -> None:
    prepare, words = AGAINST_THE_CLOUD[case]
    restore = {"sourceDbInstanceIdentifier": "db", "useLatestRestorableTime": True}
    with pytest.raises(CloudError, match=words):
        restored(world, restoreToPointInTime=prepare(world) or restore)
    assert [r.outputs["identifier"] for r in world.cloud.store.all(INSTANCE)] in ([], ["db"])
