"""The bucket of the organization's trail: in the log archive account, locked, under its own key."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import s3

from components.account.audit_bucket import AuditWriter, audit_bucket
from components.account.audit_trail import PREFIX
from components.common.bucket import SecureBucket, SecureBucketArgs
from components.common.iam_policy import Statement
from components.common.key import EncryptionKey, EncryptionKeyArgs, ServiceUse
from plan.account.baseline import ACCESS_LOG_DAYS
from plan.organization import OrganizationPlan


@dataclass(frozen=True, kw_only=True)
class TrailArchiveArgs:
    plan: OrganizationPlan
    account_id: Input[str]  # of the log archive
    organization_id: Input[str]


class TrailArchive(pulumi.ComponentResource):
    """Nobody deletes a record before its time, not in this account either, and not the root user."""

    bucket: Output[str]
    key_arn: Output[str]

    def __init__(self, name: str, args: TrailArchiveArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:organization:TrailArchive", name, None, opts)
        child, plan = ResourceOptions(parent=self), args.plan
        s3.AccountPublicAccessBlock(
            f"{name}-buckets",
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        access_logs = SecureBucket(f"{name}-access", _access_logs(args), child).name
        self.key_arn = EncryptionKey(f"{name}-key", _key(args), child).arn
        # The management account's own calls lie under its number, all others' under the organization's.
        writer = AuditWriter(
            service="cloudtrail",
            folders=[
                f"{PREFIX}/AWSLogs/{plan.settings.account_id}",
                Output.format("{0}/AWSLogs/{1}", PREFIX, args.organization_id),
            ],
            source={"aws:SourceArn": plan.trail_arn},
        )
        kept = audit_bucket(plan.trail_bucket, writer, self.key_arn, plan.settings, access_logs, lock=True)
        self.bucket = SecureBucket(f"{name}-trail", kept, child).name
        self.register_outputs({"bucket": self.bucket, "keyArn": self.key_arn})


def _key(args: TrailArchiveArgs) -> EncryptionKeyArgs:
    plan = args.plan
    return EncryptionKeyArgs(
        settings=plan.settings,
        account_id=args.account_id,
        alias=plan.names.path("alias", "trail"),
        purpose="the organization's trail",
        users={},
        services=[
            ServiceUse(
                service="cloudtrail",
                actions=("kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"),
                condition={"StringEquals": {"aws:SourceArn": plan.trail_arn}},
            )
        ],
        via=("s3",),  # auditors of this account, as far as their own policies let them
    )


def _access_logs(args: TrailArchiveArgs) -> SecureBucketArgs:
    plan = args.plan
    bucket = plan.access_logs_bucket
    write = Statement(
        sid="BucketsWrite",
        actions=["s3:PutObject"],
        resources=[f"arn:aws:s3:::{bucket}/s3/*"],
        principals={"Service": ["logging.s3.amazonaws.com"]},
        condition={
            "StringEquals": {"aws:SourceAccount": args.account_id},
            "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{plan.trail_bucket}"},
        },
    )
    return SecureBucketArgs(
        bucket=bucket,
        key_arn=None,
        access_logs_bucket=None,
        protect=plan.settings.protect_data,
        expire_days=ACCESS_LOG_DAYS,
        statements=[write],
    )
