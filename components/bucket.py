"""A bucket as this platform makes them all: private, versioned, encrypted, TLS only, logged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import s3

from components.policy import EVERYONE, Statement, document


@dataclass(frozen=True, kw_only=True)
class SecureBucketArgs:
    """`statements` are added to the bucket's policy and may name its ARN as planned (names are known)."""

    bucket: str
    key_arn: Input[str] | None  # None: SSE-S3, where the writer (access logs) supports nothing else
    access_logs_bucket: Input[str] | None  # None: the access log bucket itself
    protect: bool
    expire_days: int | None = None  # current versions; None keeps them
    noncurrent_days: int = 90
    statements: Sequence[Statement] = ()
    tags: Mapping[str, str] | None = None

    @property
    def arn(self) -> str:
        return f"arn:aws:s3:::{self.bucket}"


class SecureBucket(pulumi.ComponentResource):
    """Outputs wait for the public access block and the policy, so that nothing is written before them."""

    name: Output[str]
    arn: Output[str]

    def __init__(self, name: str, args: SecureBucketArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:storage:SecureBucket", name, None, opts)
        child = ResourceOptions(parent=self)
        bucket = s3.Bucket(
            f"{name}-bucket",
            bucket=args.bucket,
            force_destroy=not args.protect,
            tags=args.tags,
            opts=ResourceOptions(parent=self, protect=args.protect),
        )
        s3.BucketPublicAccessBlock(
            f"{name}-public-access",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.id,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=child,
        )
        s3.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket.id,
            versioning_configuration={"status": "Enabled"},
            opts=child,
        )
        s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption", bucket=bucket.id, rules=[_encryption(args.key_arn)], opts=child
        )
        s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle", bucket=bucket.id, rules=_lifecycle(args), opts=child
        )
        policy = s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.id,
            policy=document(_tls_only(args.arn), *args.statements),
            opts=child,
        )
        if args.access_logs_bucket is not None:
            s3.BucketLogging(
                f"{name}-logging",
                bucket=bucket.id,
                target_bucket=args.access_logs_bucket,
                target_prefix=f"s3/{args.bucket}/",
                opts=child,
            )
        self.name = policy.bucket
        self.arn = Output.all(bucket.arn, policy.bucket).apply(lambda found: str(found[0]))
        self.register_outputs({"name": self.name, "arn": self.arn})


def _encryption(key_arn: Input[str] | None) -> s3.BucketServerSideEncryptionConfigurationRuleArgs:
    default = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="AES256" if key_arn is None else "aws:kms", kms_master_key_id=key_arn
    )
    return s3.BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=default, bucket_key_enabled=key_arn is not None
    )


def _lifecycle(args: SecureBucketArgs) -> list[s3.BucketLifecycleConfigurationRuleArgs]:
    expire = (
        s3.BucketLifecycleConfigurationRuleExpirationArgs(days=args.expire_days) if args.expire_days else None
    )
    return [
        s3.BucketLifecycleConfigurationRuleArgs(
            id="keep-tidy",
            status="Enabled",
            filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            expiration=expire,
            noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=args.noncurrent_days
            ),
            abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=7
            ),
        )
    ]


def _tls_only(arn: str) -> Statement:
    return Statement(
        sid="TlsOnly",
        effect="Deny",
        actions=["s3:*"],
        principals=EVERYONE,
        resources=[arn, f"{arn}/*"],
        condition={"Bool": {"aws:SecureTransport": "false"}},
    )
