"""The bucket for access logs of buckets and load balancers, and the key of the audit records."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions

from components.common.bucket import SecureBucket, SecureBucketArgs
from components.common.iam_policy import Statement
from components.common.key import EncryptionKey, EncryptionKeyArgs, ServiceUse
from plan.account.baseline import ACCESS_LOG_DAYS
from plan.names import PROJECT, Names
from plan.settings import AccountSettings


@dataclass(frozen=True, kw_only=True)
class LogArchiveArgs:
    settings: AccountSettings
    names: Names
    trail_arn: str  # as planned: the trail is made after its key


class LogArchive(pulumi.ComponentResource):
    """The access logs lie apart from the audit records and not under a key of ours: balancers and
    buckets can write only where S3 itself holds the key (SSE-S3).
    """

    audit_key_arn: Output[str]
    access_logs_bucket: Output[str]

    def __init__(self, name: str, args: LogArchiveArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:account:LogArchive", name, None, opts)
        child = ResourceOptions(parent=self)
        self.access_logs_bucket = SecureBucket(f"{name}-access", _access_logs(args), child).name
        self.audit_key_arn = EncryptionKey(f"{name}-key", _key(args), child).arn
        self.register_outputs(
            {"accessLogsBucket": self.access_logs_bucket, "auditKeyArn": self.audit_key_arn}
        )


def _key(args: LogArchiveArgs) -> EncryptionKeyArgs:
    account = args.settings.account_id
    return EncryptionKeyArgs(
        settings=args.settings,
        alias=args.names.path("alias", "audit"),
        purpose="the audit archive: trail and configuration history",
        users={},
        services=[
            ServiceUse(
                service="cloudtrail",
                actions=("kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"),
                condition={"StringEquals": {"aws:SourceArn": args.trail_arn}},
            ),
            ServiceUse(
                service="config",
                actions=("kms:GenerateDataKey", "kms:Decrypt"),
                condition={"StringEquals": {"aws:SourceAccount": account}},
            ),
        ],
        via=("s3",),  # auditors of this account, as far as their own policies let them
    )


def _access_logs(args: LogArchiveArgs) -> SecureBucketArgs:
    settings = args.settings
    bucket = args.names.bucket("access-logs")
    return SecureBucketArgs(
        bucket=bucket,
        key_arn=None,
        access_logs_bucket=None,
        protect=settings.protect_data,
        expire_days=ACCESS_LOG_DAYS,
        statements=_access_writers(settings, f"arn:aws:s3:::{bucket}"),
    )


def _access_writers(settings: AccountSettings, arn: str) -> list[Statement]:
    """Buckets write under `s3/<bucket>/`; balancers under any prefix, in a folder of this account's.

    The principal for balancers is the one of all Regions (ELB user guide, "Access logs", 2026-11).
    """
    account, region = settings.account_id, settings.region
    return [
        Statement(
            sid="BucketsWrite",
            actions=["s3:PutObject"],
            resources=[f"{arn}/s3/*"],
            principals={"Service": ["logging.s3.amazonaws.com"]},
            condition={
                "StringEquals": {"aws:SourceAccount": account},
                "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{PROJECT}-{settings.stack}-*"},
            },
        ),
        Statement(
            sid="BalancersWrite",
            actions=["s3:PutObject"],
            resources=[f"{arn}/*AWSLogs/{account}/*"],
            principals={"Service": ["logdelivery.elasticloadbalancing.amazonaws.com"]},
            condition={
                "ArnLike": {
                    "aws:SourceArn": f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/*"
                }
            },
        ),
    ]
