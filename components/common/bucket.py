"""The platform's bucket: private, versioned, encrypted, TLS only, logged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import s3

from components.common.iam_policy import EVERYONE, Statement, document
from components.common.waiting import after


@dataclass(frozen=True, kw_only=True)
class SecureBucketArgs:
    """`statements` are added to the bucket's policy and may name its ARN as planned (names are known)."""

    bucket: str
    key_arn: Input[str] | None  # None: SSE-S3, where the writer (access logs) supports nothing else
    access_logs_bucket: Input[str] | None  # None: the access log bucket itself
    protect: bool
    released: bool = False  # a stage of a tenant's life has let it go; somebody has to empty it all the same
    expire_days: int | None = None  # current versions; None keeps them
    noncurrent_days: int = 90
    own_key_only: bool = True  # refuse uploads that choose another key, or SSE-S3
    lock_days: int | None = None  # before, nobody deletes or changes a version, root included
    statements: Sequence[Statement] = ()
    tags: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        # S3 user guide, "Bucket naming rules", 2026-11; dots break TLS for virtual hosts.
        if not re.fullmatch("[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", self.bucket):
            raise ValueError(
                f"SecureBucketArgs.bucket: expected 3 to 63 of a-z, 0-9 and -, got {self.bucket!r}"
            )
        if self.lock_days and self.expire_days and self.expire_days < self.lock_days:
            raise ValueError(
                f"SecureBucketArgs.expire_days: expected at least lock_days ({self.lock_days}),"
                f" got {self.expire_days}"
            )

    @property
    def arn(self) -> str:
        return f"arn:aws:s3:::{self.bucket}"


class SecureBucket(pulumi.ComponentResource):
    """Outputs wait for its policy, versions and encryption, so that nothing is written before them."""

    name: Output[str]
    arn: Output[str]

    def __init__(self, name: str, args: SecureBucketArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:storage:SecureBucket", name, None, opts)
        self._name, self._args = name, args
        self._child = ResourceOptions(parent=self)
        bucket = s3.Bucket(
            f"{name}-bucket",
            bucket=args.bucket,
            force_destroy=not args.protect,
            tags=args.tags,
            opts=ResourceOptions(parent=self, protect=args.protect and not args.released),
        )
        ready = [*self._close(bucket.id), *self._keep(bucket.id)]
        if args.access_logs_bucket is not None:
            s3.BucketLogging(
                f"{name}-logging",
                bucket=bucket.id,
                target_bucket=args.access_logs_bucket,
                target_prefix=f"s3/{args.bucket}/",
                opts=self._child,
            )
        self.name = after(bucket.bucket, ready)
        self.arn = after(bucket.arn, ready)
        self.register_outputs({"name": self.name, "arn": self.arn})

    def _close(self, bucket: Output[str]) -> list[Output[str]]:
        """Who may come near it. One after the other: S3 refuses to change these of one bucket at once."""
        args, name = self._args, self._name
        access = s3.BucketPublicAccessBlock(
            f"{name}-public-access",
            bucket=bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        ownership = s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=access.bucket,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=self._child,
        )
        policy = s3.BucketPolicy(
            f"{name}-policy",
            bucket=ownership.bucket,
            policy=document(*_transport(args.arn), *_under_key(args), *args.statements),
            opts=self._child,
        )
        return [policy.bucket]

    def _keep(self, bucket: Output[str]) -> list[Output[str]]:
        """How it keeps what it holds: every version, encrypted, for as long as planned."""
        args, name = self._args, self._name
        versioning = s3.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket,
            versioning_configuration={"status": "Enabled"},
            opts=self._child,
        )
        encryption = s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption", bucket=bucket, rules=[_encryption(args.key_arn)], opts=self._child
        )
        s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle", bucket=versioning.bucket, rules=_lifecycle(args), opts=self._child
        )
        if args.lock_days is not None:
            s3.BucketObjectLockConfiguration(
                f"{name}-lock",
                bucket=versioning.bucket,
                # Here and not on the bucket: locking one that exists must not replace it.
                object_lock_enabled="Enabled",
                rule={"default_retention": {"mode": "COMPLIANCE", "days": args.lock_days}},
                opts=self._child,
            )
        return [versioning.bucket, encryption.bucket]


def _encryption(key_arn: Input[str] | None) -> s3.BucketServerSideEncryptionConfigurationRuleArgs:
    default = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="AES256" if key_arn is None else "aws:kms", kms_master_key_id=key_arn
    )
    return s3.BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=default, bucket_key_enabled=key_arn is not None
    )


def _lifecycle(args: SecureBucketArgs) -> list[s3.BucketLifecycleConfigurationRuleArgs]:
    """Old versions go, and so do delete markers that nothing stands behind any more."""
    expire = s3.BucketLifecycleConfigurationRuleExpirationArgs(
        days=args.expire_days, expired_object_delete_marker=None if args.expire_days else True
    )
    everything = s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="")
    return [
        s3.BucketLifecycleConfigurationRuleArgs(
            id="keep-tidy",
            status="Enabled",
            filter=everything,
            expiration=expire,
            noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=args.noncurrent_days
            ),
            abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=7
            ),
        )
    ]


def _transport(arn: str) -> list[Statement]:
    """Nobody comes in without TLS, or with an old one."""
    refusals = {
        "TlsOnly": {"Bool": {"aws:SecureTransport": "false"}},
        "ModernTls": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    }
    return [
        Statement(
            sid=sid,
            effect="Deny",
            actions=["s3:*"],
            principals=EVERYONE,
            resources=[arn, f"{arn}/*"],
            condition=condition,
        )
        for sid, condition in refusals.items()
    ]


def _under_key(args: SecureBucketArgs) -> list[Statement]:
    """An upload may leave encryption to the bucket's default, and may not choose another key or none."""
    if args.key_arn is None or not args.own_key_only:
        return []
    header = "s3:x-amz-server-side-encryption"
    allowed = {
        "KmsOnly": ("StringNotEquals", header, "aws:kms"),
        "OwnKeyOnly": ("ArnNotEquals", f"{header}-aws-kms-key-id", args.key_arn),
    }
    return [
        Statement(
            sid=sid,
            effect="Deny",
            actions=["s3:PutObject"],
            principals=EVERYONE,
            resources=[f"{args.arn}/*"],
            # A negated test holds for what is not there; without the second, so would this refusal.
            condition={test: {key: value}, "Null": {key: "false"}},
        )
        for sid, (test, key, value) in allowed.items()
    ]
