"""The bucket of reports and certificates of erased tenants, which outlives everything of a tenant."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.common.bucket import SecureBucket, SecureBucketArgs
from components.common.context import CellContext
from components.common.key import EncryptionKey, EncryptionKeyArgs


@dataclass(frozen=True, kw_only=True)
class OffboardingEvidenceArgs:
    writer_role_arn: Input[str]  # of the function that lets tenants go
    shared: CellContext


class OffboardingEvidence(pulumi.ComponentResource):
    """One bucket for the cell, under a key of its own: the tenants' keys are gone by then."""

    bucket: Output[str]

    def __init__(self, name: str, args: OffboardingEvidenceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:storage:Evidence", name, None, opts)
        child, shared = ResourceOptions(parent=self), args.shared
        key = EncryptionKey(
            name,
            EncryptionKeyArgs(
                settings=shared.settings,
                alias=shared.names.path("alias", "evidence"),
                purpose="Reports and certificates of tenants that have left",
                users={"writer": args.writer_role_arn},
                via=("s3",),
            ),
            child,
        )
        bucket = SecureBucket(
            f"{name}-store",
            SecureBucketArgs(
                bucket=evidence_bucket(shared),
                key_arn=key.arn,
                access_logs_bucket=shared.access_logs_bucket,
                protect=shared.settings.protect_data,
            ),
            child,
        )
        self.bucket = bucket.name
        self.register_outputs({"bucket": self.bucket})


def evidence_bucket(shared: CellContext) -> str:
    return shared.names.bucket("evidence")
