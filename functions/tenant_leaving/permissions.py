"""Which rights each stage needs of the function's role, and on what: for whoever writes the role.

A resource in braces is a field of the event. Rights to a key go into the key's own policy as well. Logging,
the network interface and the boundary are those of every function of the cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.tenant_leaving.request import OffboardingStage


@dataclass(frozen=True, slots=True)
class Right:
    actions: tuple[str, ...]
    resource: str


def _on_keys(*actions: str) -> tuple[Right, Right]:
    return Right(actions, "{keyArn}"), Right(actions, "{earlierKeys}")


_WRITES: Final = ("s3:PutObject", "s3:AbortMultipartUpload")
_EMPTIES: Final = ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads")
_PURGES: Final = ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload")
_MASTER: Final = Right(("secretsmanager:GetSecretValue",), "{masterSecret}")
_EVIDENCE: Final = (
    # Without the list, S3 says of an object that is not there that it is forbidden.
    Right(("s3:ListBucket",), "arn:aws:s3:::{evidence}"),
    Right(("s3:GetObject", *_WRITES), "arn:aws:s3:::{evidence}/tenants/{tenant}/*"),
    Right(("kms:Decrypt", "kms:GenerateDataKey"), "the key of {evidence}"),
)

RIGHTS: Final[Mapping[OffboardingStage, tuple[Right, ...]]] = {
    OffboardingStage.EXPORT: (
        _MASTER,
        Right(("secretsmanager:GetSecretValue",), "{tenantSecret}"),
        Right(("s3:ListBucket",), "arn:aws:s3:::{bucket}"),
        Right(("s3:GetObject",), "arn:aws:s3:::{bucket}/*"),
        Right(("s3:ListBucket",), "arn:aws:s3:::{handover}"),
        Right(("s3:GetObject", "s3:DeleteObject", *_WRITES), "arn:aws:s3:::{handover}/*"),
        Right(("kms:Decrypt", "kms:GenerateDataKey"), "the tenant's key"),
        Right(("kms:Decrypt",), "the key of {masterSecret}"),
    ),
    OffboardingStage.KEEP: _on_keys("kms:DescribeKey", "kms:CancelKeyDeletion", "kms:EnableKey"),
    OffboardingStage.CLOSE: (*_on_keys("kms:DescribeKey", "kms:ScheduleKeyDeletion"), *_EVIDENCE),
    OffboardingStage.ERASE: (
        *_on_keys("kms:DescribeKey"),
        _MASTER,
        Right(("kms:Decrypt",), "the key of {masterSecret}"),
        Right(_EMPTIES, "arn:aws:s3:::{bucket}"),
        Right(_PURGES, "arn:aws:s3:::{bucket}/*"),
        Right(_EMPTIES, "arn:aws:s3:::{handover}"),
        Right(_PURGES, "arn:aws:s3:::{handover}/*"),
        Right(("rds:DescribeDBInstances",), "arn:aws:rds:REGION:ACCOUNT:db:*"),
        Right(("rds:DescribeDBSnapshots",), "arn:aws:rds:REGION:ACCOUNT:db:*"),
        Right(("rds:DescribeDBSnapshots",), "arn:aws:rds:REGION:ACCOUNT:snapshot:*"),
        Right(("rds:DescribeDBInstanceAutomatedBackups",), "*"),
        # A final snapshot is called after its instance; the name is the program's to know.
        Right(("rds:DeleteDBSnapshot",), "arn:aws:rds:REGION:ACCOUNT:snapshot:{instances}*"),
        *_EVIDENCE,
    ),
    OffboardingStage.CERTIFY: (
        Right(("kms:DescribeKey",), "the tenant's keys"),
        Right(("s3:ListBucket",), "the tenant's two buckets"),
        Right(("rds:DescribeDBInstances",), "arn:aws:rds:REGION:ACCOUNT:db:*"),
        Right(("rds:DescribeDBSnapshots",), "arn:aws:rds:REGION:ACCOUNT:db:*"),
        Right(("rds:DescribeDBSnapshots",), "arn:aws:rds:REGION:ACCOUNT:snapshot:*"),
        Right(("secretsmanager:DescribeSecret",), "arn:aws:secretsmanager:REGION:ACCOUNT:secret:*"),
        *_EVIDENCE,
    ),
}
