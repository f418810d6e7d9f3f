"""Rights that several stages need of the function's role."""

from typing import Final

from functions.tenant_leaving.stage import Right


def on_keys(*actions: str) -> tuple[Right, Right]:
    return Right(actions, "{keyArn}"), Right(actions, "{earlierKeys}")


WRITES: Final = ("s3:PutObject", "s3:AbortMultipartUpload")
LOGIN: Final = (
    Right(("secretsmanager:GetSecretValue",), "{masterSecret}"),
    Right(("kms:Decrypt",), "the key of {masterSecret}"),
)
EVIDENCE: Final = (
    # Without the list, S3 says of an object that is not there that it is forbidden.
    Right(("s3:ListBucket",), "arn:aws:s3:::{evidence}"),
    Right(("s3:GetObject", *WRITES), "arn:aws:s3:::{evidence}/tenants/{tenant}/*"),
    Right(("kms:Decrypt", "kms:GenerateDataKey"), "the key of {evidence}"),
)
SEES_INSTANCES: Final = (
    Right(("rds:DescribeDBInstances",), "arn:aws:rds:REGION:ACCOUNT:db:*"),
    Right(("rds:DescribeDBSnapshots",), "arn:aws:rds:REGION:ACCOUNT:db:*"),
    Right(("rds:DescribeDBSnapshots",), "arn:aws:rds:REGION:ACCOUNT:snapshot:*"),
)
