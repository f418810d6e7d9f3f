"""What is left of databases, as one looks at it: snapshots, and how far back a restore may go."""

import datetime
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.backups import INSTANCE
from sandbox.aws.cloud import Cloud, CloudError
from tests.sandbox.live import ANYTHING, Live, refused
from tests.sandbox.world import WRITER

DAY = datetime.timedelta(days=1)
SECOND = datetime.timedelta(seconds=1)
MADE = {
    **WRITER,
    "skipFinalSnapshot": False,
    "finalSnapshotIdentifier": "Last-of-db",
    "tags": {"tenant": "a"},
}


def made(live: Live, **more: Any) -> str:
    cloud = Cloud(live.store, {})
    given, wrong = cloud.check(INSTANCE, "d", {**MADE, **more}, b"seed")
    assert wrong == []
    return cloud.create(INSTANCE, f"urn:pulumi:dev::t::{INSTANCE}::{given['identifier']}", given)[0]


def deleted(live: Live, **more: Any) -> str:
    """The resource id of an instance that was."""
    one = made(live, **more)
    Cloud(live.store, {}).delete(INSTANCE, one)
    return one


def test_an_instance_tells_what_it_is(bare: Live) -> None:
    one, rds = made(bare, manageMasterUserPassword=True, password=None), bare.administrator("rds")
    (found,) = rds.describe_db_instances(DBInstanceIdentifier="db")["DBInstances"]
    assert (found["DbiResourceId"], found["EngineVersion"], found["BackupRetentionPeriod"]) == (
        one,
        "17.2",
        7,
    )
    assert found["Endpoint"]["Address"].startswith("db.")
    assert found["MasterUserSecret"]["SecretArn"].startswith(
        f"arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!{one}-"
    )
    assert found["TagList"] == [{"Key": "tenant", "Value": "a"}]
    assert abs(found["LatestRestorableTime"] - bare.store.now()) < 60 * SECOND
    reader = Cloud(bare.store, {}).create
    with pytest.raises(CloudError, match="ManageMasterUserPassword is enabled"):
        reader(INSTANCE, "urn:pulumi:dev::t::x::r", {"identifier": "r", "replicateSourceDb": "db"})
    with pytest.raises(ClientError, match=r"DBInstanceNotFound.*DBInstance nobody not found\."):
        rds.describe_db_instances(DBInstanceIdentifier="nobody")


def test_many_are_told_in_pages_and_by_filters(bare: Live) -> None:
    rds = bare.administrator("rds")
    names = sorted(f"db-{i}" for i in range(23))
    for name in names:
        made(bare, identifier=name)
    pages = rds.get_paginator("describe_db_instances").paginate(PaginationConfig={"PageSize": 20})
    found = [[i["DBInstanceIdentifier"] for i in page["DBInstances"]] for page in pages]
    assert [len(page) for page in found] == [20, 3]
    assert sorted(name for page in found for name in page) == names
    only = [{"Name": "db-instance-id", "Values": ["db-7"]}]
    (one,) = rds.describe_db_instances(Filters=only)["DBInstances"]
    assert one["DBInstanceIdentifier"] == "db-7"
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*Unrecognized filter name: colour"):
        rds.describe_db_instances(Filters=[{"Name": "colour", "Values": ["blue"]}])
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*MaxRecords"):
        rds.describe_db_instances(MaxRecords=5)


def test_a_last_snapshot_stays_until_somebody_deletes_it(bare: Live) -> None:
    rds, one = bare.administrator("rds"), deleted(bare, copyTagsToSnapshot=True)
    (found,) = rds.describe_db_snapshots()["DBSnapshots"]
    assert (found["DBSnapshotIdentifier"], found["DBInstanceIdentifier"]) == ("last-of-db", "db")
    assert (found["DbiResourceId"], found["SnapshotType"], found["Status"]) == (one, "manual", "available")
    assert found["TagList"] == [{"Key": "tenant", "Value": "a"}]
    assert found["AllocatedStorage"] == 50
    assert abs(found["SnapshotCreateTime"] - bare.store.now()) < 60 * SECOND
    for wanted, count in (
        ({"DBInstanceIdentifier": "db"}, 1),
        ({"DBInstanceIdentifier": "other"}, 0),
        ({"SnapshotType": "automated"}, 0),
        ({"DBSnapshotIdentifier": "Last-Of-DB"}, 1),
    ):
        assert len(rds.describe_db_snapshots(**wanted)["DBSnapshots"]) == count, wanted
    with pytest.raises(CloudError, match="DBSnapshotAlreadyExists"):
        deleted(bare)
    assert rds.delete_db_snapshot(DBSnapshotIdentifier="last-of-db")["DBSnapshot"]["Status"] == "deleted"
    for call in (rds.describe_db_snapshots, rds.delete_db_snapshot):
        with pytest.raises(ClientError, match=r"DBSnapshotNotFound.*DBSnapshot last-of-db not found\."):
            call(DBSnapshotIdentifier="last-of-db")


def test_backups_reach_back_as_far_as_they_are_kept(bare: Live) -> None:
    rds, one = bare.administrator("rds"), made(bare)
    begun = bare.store.now()

    def window() -> tuple[datetime.datetime, datetime.datetime]:
        (found,) = bare.administrator("rds").describe_db_instance_automated_backups(DbiResourceId=one)[
            "DBInstanceAutomatedBackups"
        ]
        assert found["Status"] == "active"
        return found["RestoreWindow"]["EarliestTime"], found["RestoreWindow"]["LatestTime"]

    assert abs(window()[0] - begun) < SECOND * 60
    bare.store.move_clock(3)
    assert abs(window()[0] - begun) < SECOND * 60
    bare.store.move_clock(10)
    earliest, latest = window()
    assert abs(latest - earliest - 7 * DAY) < SECOND * 60
    cloud, row = Cloud(bare.store, {}), bare.store.get(INSTANCE, one)
    assert row is not None
    cloud.update(INSTANCE, one, row.urn, {**row.inputs, "backupRetentionPeriod": 0})
    with pytest.raises(ClientError, match="DBInstanceAutomatedBackupNotFound"):
        rds.describe_db_instance_automated_backups(DbiResourceId=one)
    cloud.update(INSTANCE, one, row.urn, row.inputs)
    assert abs(window()[0] - bare.store.now()) < SECOND * 60


@pytest.mark.parametrize("kept", [False, True])
def test_backups_outlive_an_instance_that_says_so_and_only_for_their_time(bare: Live, kept: bool) -> None:
    rds = bare.administrator("rds")
    one = made(bare, deleteAutomatedBackups=not kept)
    bare.store.move_clock(1)
    Cloud(bare.store, {}).delete(INSTANCE, one)
    found = rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
    assert [(b["DbiResourceId"], b["Status"]) for b in found] == ([(one, "retained")] if kept else [])
    bare.store.move_clock(7.1)
    assert rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"] == []


def test_one_may_what_policies_say(bare: Live) -> None:
    deleted(bare)
    rds = bare.administrator("rds")
    (policy,) = bare.store.all("aws:iam/rolePolicy:RolePolicy")
    snapshot = "arn:aws:rds:eu-west-1:111122223333:snapshot:last-of-db"

    def deny(action: str, resource: str) -> None:
        statements = [ANYTHING, {"Effect": "Deny", "Action": action, "Resource": resource}]
        bare.edit(policy, "policy", lambda _: statements)

    everything = {
        "DescribeDBInstances": (rds.describe_db_instances, "arn:aws:rds:*:*:db:*"),
        "DescribeDBSnapshots": (rds.describe_db_snapshots, "arn:aws:rds:*:*:snapshot:*"),
        "DescribeDBInstanceAutomatedBackups": (
            rds.describe_db_instance_automated_backups,
            "arn:aws:rds:*:*:auto-backup:*",
        ),
        "DeleteDBSnapshot": (lambda: rds.delete_db_snapshot(DBSnapshotIdentifier="last-of-db"), snapshot),
    }
    for action, (call, resource) in everything.items():
        deny(f"rds:{action}", resource)
        message = refused(call)
        assert f"is not authorized to perform: rds:{action} on resource: arn:aws:rds:" in message
        assert "explicit deny in an identity-based policy" in message
    deny("rds:DeleteDBSnapshot", f"{snapshot}-but-one")
    assert json.loads(bare.store.all("aws:iam/rolePolicy:RolePolicy")[0].inputs["policy"])
    assert rds.delete_db_snapshot(DBSnapshotIdentifier="last-of-db")
