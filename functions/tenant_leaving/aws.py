"""The real AWS services: KMS, S3, RDS, Secrets Manager, as far as needed. The stages name the permissions.

The Lambda runtime has boto3; only the handler imports this module.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

from functions.common.aws_client import aws_client
from functions.tenant_leaving.tools import (
    Backups,
    Found,
    Instance,
    Key,
    OffboardingError,
    Snapshot,
    Source,
    Upload,
    Version,
)

MISSING: Final = frozenset(
    {"404", "NoSuchKey", "NoSuchBucket", "NotFoundException", "ResourceNotFoundException"}
    | {"DBInstanceNotFound", "DBInstanceNotFoundFault", "DBSnapshotNotFound", "DBSnapshotNotFoundFault"}
    | {"DBInstanceAutomatedBackupNotFound", "DBInstanceAutomatedBackupNotFoundFault", "NoSuchUpload"}
)
BACKUP: Final = "awsbackup"  # snapshots of AWS Backup, which are listed only where they are asked for


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]


def _missing(failure: BaseException) -> bool:
    """Whether AWS says that there is no such thing; anything else it refuses is to be heard of."""
    answer = getattr(failure, "response", {})
    return answer.get("Error", {}).get("Code") in MISSING


class Kms:
    def __init__(self, client: Any = None) -> None:
        self._client = client or aws_client("kms")

    def describe(self, arn: str) -> Key | None:
        # Of a key of another Region KMS says that there is none, and it would be taken for gone.
        if arn.split(":")[3] != self._client.meta.region_name:
            raise OffboardingError(f"key {arn} is not of Region {self._client.meta.region_name}")
        try:
            found = self._client.describe_key(KeyId=arn)["KeyMetadata"]
        except self._client.exceptions.NotFoundException:
            return None
        return Key(found["KeyState"], _utc(found.get("DeletionDate")))

    # By id from here on, which every implementation of the API takes; it was found by its ARN before.

    def schedule(self, arn: str, days: int) -> None:
        self._client.schedule_key_deletion(KeyId=_id(arn), PendingWindowInDays=days)

    def cancel(self, arn: str) -> None:
        self._client.cancel_key_deletion(KeyId=_id(arn))

    def enable(self, arn: str) -> None:
        self._client.enable_key(KeyId=_id(arn))


class S3:
    def __init__(self, client: Any = None) -> None:
        self._client = client or aws_client("s3")
        self._error = self._client.exceptions.ClientError

    def exists(self, bucket: str) -> bool:
        try:
            self._client.head_bucket(Bucket=bucket)
        except self._error as failure:
            if _missing(failure):
                return False
            raise
        return True

    def listed(self, bucket: str) -> Iterator[Found]:
        for page in self._pages("list_objects_v2", bucket):
            for one in page.get("Contents", ()):
                yield Found(one["Key"], one["Size"], one["ETag"])

    def find(self, bucket: str, key: str) -> Found | None:
        try:
            found = self._client.head_object(Bucket=bucket, Key=key)
        except self._error as failure:
            if _missing(failure):
                return None
            raise
        return Found(key, found["ContentLength"], found["ETag"])

    def read(self, bucket: str, key: str) -> Source | None:
        try:
            return cast("Source", self._client.get_object(Bucket=bucket, Key=key)["Body"])
        except self._error as failure:
            if _missing(failure):
                return None
            raise

    def write(self, bucket: str, key: str, source: Source) -> None:
        self._client.upload_fileobj(source, bucket, key)

    def remove(self, bucket: str, key: str) -> None:
        self._delete(bucket, [{"Key": key}])

    def versions(self, bucket: str) -> Iterator[Sequence[Version]]:
        for page in self._pages("list_object_versions", bucket):
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if found:
                yield [Version(one["Key"], one["VersionId"]) for one in found]

    def purge(self, bucket: str, versions: Sequence[Version]) -> None:
        self._delete(bucket, [{"Key": v.key, "VersionId": v.version} for v in versions])

    def uploads(self, bucket: str) -> Iterator[Upload]:
        for page in self._pages("list_multipart_uploads", bucket):
            for one in page.get("Uploads", ()):
                yield Upload(one["Key"], one["UploadId"])

    def abort(self, bucket: str, upload: Upload) -> None:
        try:
            self._client.abort_multipart_upload(Bucket=bucket, Key=upload.key, UploadId=upload.upload)
        except self._error as failure:
            if not _missing(failure):
                raise

    def _pages(self, operation: str, bucket: str) -> Iterator[Any]:
        return iter(self._client.get_paginator(operation).paginate(Bucket=bucket))

    def _delete(self, bucket: str, wanted: Sequence[Any]) -> None:
        """A page of a listing has no more than one call may name."""
        answer = self._client.delete_objects(Bucket=bucket, Delete={"Objects": wanted, "Quiet": True})
        if failed := answer.get("Errors"):
            first = failed[0]
            raise OffboardingError(
                f"{len(failed)} objects of bucket {bucket} cannot be deleted: {first.get('Code')} for"
                f" {first.get('Key')}"
            )


class Rds:
    def __init__(self, client: Any = None) -> None:
        self._client = client or aws_client("rds")
        self._error = self._client.exceptions.ClientError

    def instance(self, name: str) -> Instance | None:
        found = self._all("describe_db_instances", "DBInstances", DBInstanceIdentifier=name)
        if not found:
            return None
        return Instance(name, found[0].get("KmsKeyId"), found[0].get("BackupRetentionPeriod") or 0)

    def snapshots(self, instance: str) -> Sequence[Snapshot]:
        found = [
            *self._all("describe_db_snapshots", "DBSnapshots", DBInstanceIdentifier=instance),
            *self._all(
                "describe_db_snapshots", "DBSnapshots", DBInstanceIdentifier=instance, SnapshotType=BACKUP
            ),
        ]
        ours = {
            one["DBSnapshotIdentifier"]: Snapshot(
                one["DBSnapshotIdentifier"], one.get("SnapshotType", "manual"), one.get("KmsKeyId")
            )
            for one in found
            if one["DBInstanceIdentifier"] == instance and one.get("Status") != "deleting"
        }
        return [ours[name] for name in sorted(ours)]

    def remove_snapshot(self, name: str) -> None:
        try:
            self._client.delete_db_snapshot(DBSnapshotIdentifier=name)
        except self._error as failure:
            if not _missing(failure):
                raise

    def backups(self, instance: str) -> Sequence[Backups]:
        found = self._all(
            "describe_db_instance_automated_backups",
            "DBInstanceAutomatedBackups",
            DBInstanceIdentifier=instance,
        )
        return [
            Backups(
                instance,
                one.get("KmsKeyId"),
                _utc(one.get("RestoreWindow", {}).get("LatestTime")),
                one.get("BackupRetentionPeriod") or 0,
            )
            for one in found
        ]

    def _all(self, operation: str, section: str, **which: str) -> list[Any]:
        try:
            pages = self._client.get_paginator(operation).paginate(**which)
            return [one for page in pages for one in page.get(section, ())]
        except self._error as failure:
            if _missing(failure):
                return []
            raise


class SecretsManager:
    def __init__(self, client: Any = None) -> None:
        self._client = client or aws_client("secretsmanager")

    def exists(self, arn: str) -> bool:
        try:
            return self._client.describe_secret(SecretId=arn).get("DeletedDate") is None
        except self._client.exceptions.ResourceNotFoundException:
            return False


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
