"""Where the account's records are kept: the audit archive, and the access logs of buckets and balancers."""

from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions

from components.bucket import SecureBucket, SecureBucketArgs
from components.key import EncryptionKey, EncryptionKeyArgs, ServiceUse
from components.policy import Statement
from plan.baseline import ACCESS_LOG_DAYS, ARCHIVE_DAYS
from plan.names import PROJECT, Names
from plan.settings import Settings

TRAIL_PREFIX = "cloudtrail"
CONFIG_PREFIX = "config"


@dataclass(frozen=True, kw_only=True)
class LogArchiveArgs:
    settings: Settings
    names: Names
    trail_arn: str  # as planned: the trail is made after the bucket that it writes to


class LogArchive(pulumi.ComponentResource):
    """Two buckets, since balancers and buckets can write only where S3 itself holds the key (SSE-S3).

    Where the stack protects its data, nobody can delete from the archive before the audit logs' time is
    over: not an administrator, not the root user.
    """

    bucket: Output[str]
    bucket_arn: Output[str]
    key_arn: Output[str]
    access_logs_bucket: Output[str]

    def __init__(self, name: str, args: LogArchiveArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:account:LogArchive", name, None, opts)
        settings, child = args.settings, ResourceOptions(parent=self)
        access_logs = SecureBucket(f"{name}-access", _access_logs(args), child)
        key = EncryptionKey(f"{name}-key", _key(args), child)
        audit_bucket = args.names.bucket("audit")
        archive = SecureBucket(
            f"{name}-audit",
            SecureBucketArgs(
                bucket=audit_bucket,
                key_arn=key.arn,
                # A trail's digest files come under SSE-S3 (CloudTrail guide, "Validating", 2026-11).
                own_key_only=False,
                access_logs_bucket=access_logs.name,
                protect=settings.protect_data,
                expire_days=ARCHIVE_DAYS,
                lock_days=settings.audit_log_days if settings.protect_data else None,
                statements=_audit_writers(args, f"arn:aws:s3:::{audit_bucket}"),
            ),
            child,
        )
        self.bucket, self.bucket_arn, self.key_arn = archive.name, archive.arn, key.arn
        self.access_logs_bucket = access_logs.name
        self.register_outputs({"bucket": self.bucket, "accessLogsBucket": self.access_logs_bucket})


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
        via=("s3", "cloudtrail"),  # auditors read the archive; a trail's log group is made under it
    )


def _audit_writers(args: LogArchiveArgs, arn: str) -> list[Statement]:
    account = args.settings.account_id
    prefixes = {
        "cloudtrail": (f"{TRAIL_PREFIX}/AWSLogs/{account}/*", {"aws:SourceArn": args.trail_arn}),
        "config": (f"{CONFIG_PREFIX}/AWSLogs/{account}/Config/*", {"aws:SourceAccount": account}),
    }
    statements: list[Statement] = []
    for service, (prefix, source) in prefixes.items():
        word, principal = service.capitalize(), {"Service": [f"{service}.amazonaws.com"]}
        statements += [
            Statement(
                sid=f"{word}Looks",
                actions=["s3:GetBucketAcl", "s3:ListBucket"],
                resources=[arn],
                principals=principal,
                condition={"StringEquals": source},
            ),
            Statement(
                sid=f"{word}Writes",
                actions=["s3:PutObject"],
                resources=[f"{arn}/{prefix}"],
                principals=principal,
                condition={"StringEquals": {**source, "s3:x-amz-acl": "bucket-owner-full-control"}},
            ),
        ]
    return statements


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


def _access_writers(settings: Settings, arn: str) -> list[Statement]:
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
