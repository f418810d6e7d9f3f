"""A bucket for audit records that one AWS service may write to, and nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi import Input, Output

from components.common.bucket import SecureBucketArgs
from components.common.iam_policy import Statement
from plan.account.baseline import ARCHIVE_DAYS
from plan.settings import AccountSettings


@dataclass(frozen=True, kw_only=True)
class AuditWriter:
    """`source` is what of this account's the service must write for (no confused deputy)."""

    service: str
    folders: Sequence[Input[str]]  # below which it may write, without a trailing slash
    source: Mapping[str, Input[str]]


def audit_bucket(
    bucket: str,
    writer: AuditWriter,
    key_arn: Input[str],
    settings: AccountSettings,
    access_logs_bucket: Input[str],
    *,
    lock: bool,
) -> SecureBucketArgs:
    """Kept for as long as audits may ask. Locked, it keeps every version for the audit logs' time: nobody
    deletes one before, no administrator and not the root user.
    """
    return SecureBucketArgs(
        bucket=bucket,
        key_arn=key_arn,
        # A trail's digest files come under SSE-S3 (CloudTrail guide, "Validating", 2026-11).
        own_key_only=False,
        access_logs_bucket=access_logs_bucket,
        protect=settings.protect_data,
        expire_days=ARCHIVE_DAYS,
        lock_days=settings.audit_log_days if lock else None,
        statements=_writes(f"arn:aws:s3:::{bucket}", writer),
    )


def _writes(arn: str, writer: AuditWriter) -> list[Statement]:
    """What CloudTrail and Config both ask of a bucket (their guides, "Bucket policy", 2026-11)."""
    word = writer.service.capitalize()
    principals = {"Service": [f"{writer.service}.amazonaws.com"]}
    return [
        Statement(
            sid=f"{word}Looks",
            actions=["s3:GetBucketAcl", "s3:ListBucket"],
            resources=[arn],
            principals=principals,
            condition={"StringEquals": writer.source},
        ),
        Statement(
            sid=f"{word}Writes",
            actions=["s3:PutObject"],
            resources=[Output.format("{0}/{1}/*", arn, folder) for folder in writer.folders],
            principals=principals,
            condition={"StringEquals": {**writer.source, "s3:x-amz-acl": "bucket-owner-full-control"}},
        ),
    ]
