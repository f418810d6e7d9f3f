"""The real ones against moto: pages, versions, what is not there."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from functions.common.going_on import GoesOn
from functions.tenant_leaving.aws import S3, Kms, Rds, SecretsManager
from functions.tenant_leaving.documents import Hashed
from functions.tenant_leaving.erase import empty_bucket
from functions.tenant_leaving.tools import Found, OffboardingError

REGION = "eu-west-1"


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture
def bucket() -> str:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="one", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="one", VersioningConfiguration={"Status": "Enabled"})
    return "one"


def test_a_key_is_scheduled_cancelled_and_enabled() -> None:
    arn = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    keys = Kms()
    keys.schedule(arn, 7)
    found = keys.describe(arn)
    assert found
    assert found.state == "PendingDeletion"
    assert found.deletion
    assert abs(found.deletion - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=5)
    keys.cancel(arn)
    assert (found := keys.describe(arn))
    assert (found.state, found.deletion) == ("Disabled", None)
    keys.enable(arn)
    assert (found := keys.describe(arn))
    assert found.state == "Enabled"
    assert keys.describe(arn[:-4] + "0000") is None
    with pytest.raises(OffboardingError, match="is not of Region eu-west-1"):
        keys.describe(arn.replace(REGION, "us-east-1"))


def test_objects_of_any_size_are_streamed_and_found(bucket: str) -> None:
    objects = S3()
    data = bytes(range(256)) * (1 << 16)  # more than one part
    sent = Hashed(io.BytesIO(data))
    objects.write(bucket, "large", sent)
    read = objects.read(bucket, "large")
    assert read
    arrived = Hashed(read).drain()
    assert (arrived.size, arrived.sha256) == (len(data), sent.sha256)
    found = objects.find(bucket, "large")
    assert found
    assert list(objects.listed(bucket)) == [Found("large", len(data), found.etag)]
    assert objects.find(bucket, "none") is objects.read(bucket, "none") is None


def test_a_bucket_is_emptied_of_all_that_it_holds(bucket: str) -> None:
    objects, s3 = S3(), boto3.client("s3")
    for n in range(1100):
        s3.put_object(Bucket=bucket, Key=f"k{n % 550}", Body=b"x")
    objects.remove(bucket, "k1")
    s3.create_multipart_upload(Bucket=bucket, Key="half")
    assert sum(len(page) for page in objects.versions(bucket)) == 1101
    assert len(list(objects.listed(bucket))) == 549
    (upload,) = objects.uploads(bucket)
    late = iter((False, True, False, False))
    with pytest.raises(GoesOn, match=f"bucket {bucket} is being emptied, 1000 versions in this round"):
        empty_bucket(objects, bucket, lambda: next(late))
    assert sum(len(page) for page in objects.versions(bucket)) == 101
    empty_bucket(objects, bucket, lambda: next(late))
    objects.abort(bucket, upload)
    assert list(objects.versions(bucket)) == list(objects.uploads(bucket)) == []
    assert objects.exists(bucket)
    s3.delete_bucket(Bucket=bucket)
    assert not objects.exists(bucket)


def test_an_object_that_cannot_be_deleted_is_named() -> None:
    class Client:
        exceptions = type("", (), {"ClientError": ClientError})

        def delete_objects(self, **_: Any) -> Any:
            return {"Errors": [{"Key": "locked", "Code": "AccessDenied"}]}

    with pytest.raises(
        OffboardingError, match="1 objects of bucket b cannot be deleted: AccessDenied for locked"
    ):
        S3(Client()).purge("b", [])


def test_a_bucket_of_somebody_elses_is_not_gone() -> None:
    class Client:
        exceptions = type("", (), {"ClientError": ClientError})

        def head_bucket(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "403"}}, "HeadBucket")

    with pytest.raises(ClientError, match="403"):
        S3(Client()).exists("b")


def test_an_instance_its_snapshots_and_its_backups_are_found() -> None:
    rds, databases = boto3.client("rds"), Rds()
    for name in ("silo", "other"):
        rds.create_db_instance(
            DBInstanceIdentifier=name, Engine="postgres", DBInstanceClass="db.t4g.medium",
            AllocatedStorage=20, MasterUsername="a", MasterUserPassword="0123456789",
            BackupRetentionPeriod=9,
        )  # fmt: skip
        rds.create_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier=f"{name}-final")
    found = databases.instance("silo")
    assert found
    assert found.backup_days == 9
    assert [(s.name, s.kind) for s in databases.snapshots("silo") if s.kind == "manual"] == [
        ("silo-final", "manual")
    ]
    databases.remove_snapshot("silo-final")
    databases.remove_snapshot("silo-final")
    assert [s for s in databases.snapshots("silo") if s.kind == "manual"] == []
    assert [s.name for s in databases.snapshots("other") if s.kind == "manual"] == ["other-final"]
    assert databases.instance("none") is None
    assert databases.snapshots("none") == databases.backups("none") == []
    assert [b.name for b in databases.backups("silo")] == ["silo"]


def test_a_secret_is_gone_when_nobody_can_read_it() -> None:
    manager, secrets = boto3.client("secretsmanager"), SecretsManager()
    arn = manager.create_secret(Name="one", SecretString="x")["ARN"]
    assert secrets.exists(arn)
    manager.delete_secret(SecretId=arn)
    assert not secrets.exists(arn)
    manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    assert not secrets.exists(arn)
