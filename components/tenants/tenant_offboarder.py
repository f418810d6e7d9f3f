"""The Lambda that offboards a tenant, and its permissions.

It exports the tenant's data, has its key deleted and erases the rest. It may schedule a key's deletion only
while the key has the tag of a leaving tenant, and may use buckets and logins only while their own policies
allow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from components.common.context import CellContext
from components.common.function_code import POSTGRES_DRIVER
from components.common.iam_policy import Statement
from components.tenants.data_access import HOMES, keys_of_secrets, keys_through, master_secrets
from components.tenants.offboarding_evidence import evidence_bucket
from components.tenants.tenant_key_and_role import LEAVING
from components.tenants.tenant_worker import WorkerKind
from tenants.phases import ENDING


def _statements(shared: CellContext) -> Sequence[Statement]:
    return (*_data(shared), *_buckets(shared), *_keys(shared), *_instances(shared))


def _data(shared: CellContext) -> Sequence[Statement]:
    tenants = f"secret:{shared.names.path('secret', 'tenants', '*')}"
    return (
        *master_secrets(shared),
        keys_of_secrets(shared),
        Statement(
            sid="ReadLoginsOfTheLeaving",
            actions=["secretsmanager:GetSecretValue"],
            resources=[shared.arn("secretsmanager", f"{tenants}/database-*")],
        ),
        Statement(
            sid="SeeWhetherSecretsAreGone",
            actions=["secretsmanager:DescribeSecret"],
            resources=[shared.arn("secretsmanager", tenants)],
        ),
    )


def _buckets(shared: CellContext) -> Sequence[Statement]:
    names = shared.names
    artefacts, handover = (f"arn:aws:s3:::{names.bucket(word, '*')}" for word in ("t", "handover"))
    evidence = f"arn:aws:s3:::{evidence_bucket(shared)}"
    return (
        Statement(
            sid="ListBuckets",
            actions=["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"],
            resources=[artefacts, handover],
        ),
        Statement(sid="ListEvidence", actions=["s3:ListBucket"], resources=[evidence]),
        Statement(
            sid="HandOver",
            actions=["s3:GetObject", "s3:PutObject"],
            resources=[f"{handover}/*"],
        ),
        Statement(sid="ReadArtefacts", actions=["s3:GetObject"], resources=[f"{artefacts}/*"]),
        Statement(
            sid="EmptyBuckets",
            actions=["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"],
            resources=[f"{artefacts}/*", f"{handover}/*"],
        ),
        Statement(
            sid="KeepEvidence",
            actions=["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
            resources=[f"{evidence}/tenants/*"],
        ),
        keys_through(shared, "UseTheKeysOfTheseBuckets", "s3"),
    )


def _keys(shared: CellContext) -> Sequence[Statement]:
    every = [shared.arn("kms", "key/*")]
    return (
        Statement(sid="SeeWhetherKeysAreGone", actions=["kms:DescribeKey"], resources=every),
        Statement(
            sid="KeepKeysOfTheLeaving",
            actions=["kms:CancelKeyDeletion", "kms:EnableKey"],
            resources=every,
            condition={"StringLike": {f"aws:ResourceTag/{LEAVING}": "?*"}},
        ),
        Statement(
            sid="DeleteKeysOfTheEnding",
            actions=["kms:ScheduleKeyDeletion"],
            resources=every,
            condition={"StringEquals": {f"aws:ResourceTag/{LEAVING}": ENDING}},
        ),
    )


def _instances(shared: CellContext) -> Sequence[Statement]:
    own = shared.names.label("database", HOMES[1])
    return (
        Statement(
            sid="SeeWhetherInstancesAreGone",
            actions=["rds:DescribeDBInstances", "rds:DescribeDBSnapshots"],
            resources=[shared.arn("rds", "db:*"), shared.arn("rds", "snapshot:*")],
        ),
        Statement(
            sid="SeeBackups",
            actions=["rds:DescribeDBInstanceAutomatedBackups"],
            resources=[shared.arn("rds", "db:*"), shared.arn("rds", "auto-backup:*")],
        ),
        Statement(
            sid="DeleteSnapshotsOfSilos",
            actions=["rds:DeleteDBSnapshot"],
            resources=[shared.arn("rds", f"snapshot:{own}")],
        ),
    )


LEAVER: Final = WorkerKind(
    type="tenantry:functions:TenantLeaver",
    word="leaver",
    does="lets tenants go",
    role="Lets tenants go",
    description="Hands a leaving tenant's data over, erases it, certifies it",
    statements=_statements,
    distributions=POSTGRES_DRIVER,
)
