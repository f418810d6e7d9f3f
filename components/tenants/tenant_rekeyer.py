"""The Lambda that re-encrypts a tenant's artefacts under a new key, and its permissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from components.common.context import CellContext
from components.common.iam_policy import Statement
from components.tenants.data_access import keys_through
from components.tenants.tenant_worker import WorkerKind


def _statements(shared: CellContext) -> Sequence[Statement]:
    artefacts = f"arn:aws:s3:::{shared.names.bucket('t', '*')}"
    return (
        Statement(
            sid="ListArtefacts", actions=["s3:ListBucket", "s3:ListBucketVersions"], resources=[artefacts]
        ),
        Statement(
            sid="CopyArtefactsOntoThemselves",
            actions=["s3:GetObject", "s3:GetObjectTagging", "s3:PutObject", "s3:PutObjectTagging"],
            resources=[f"{artefacts}/*"],
        ),
        keys_through(shared, "UseTheKeysOfTheseBuckets", "s3"),
    )


REKEYER: Final = WorkerKind(
    type="tenantry:functions:TenantRekeyer",
    word="rekeyer",
    does="encrypts tenants' artefacts anew",
    role="Encrypts tenants' artefacts anew",
    description="Encrypts a tenant's artefacts under the tenant's new key",
    statements=_statements,
)
