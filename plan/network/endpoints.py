"""VPC endpoints: which AWS APIs the cell reaches without leaving its network, and why.

An endpoint's policy is the last control on the way out: it refuses stolen credentials of another account, and
this account's own credentials for another account's bucket.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from plan.names import PROJECT
from plan.settings import NOWHERE, Settings

Access = tuple[tuple[str, ...], tuple[str, ...]]
"""Actions without their service's prefix, and resources as templates."""


@dataclass(frozen=True, slots=True)
class EndpointAccess:
    """What one statement of an endpoint's policy allows."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    anybody: bool = False  # not only this account's principals


@dataclass(frozen=True, slots=True)
class EndpointPlan:
    """One endpoint. `service` is the name without `com.amazonaws.<region>.`."""

    service: str
    gateway: bool  # routes to a prefix list, free of charge; otherwise interfaces in `endpoints`
    access: tuple[EndpointAccess, ...]


_S3_OBJECT: Final = (
    *("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:PutObject", "s3:PutObjectTagging"),
    *("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
)
_S3_BUCKET: Final = (
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:GetBucketLocation",
    "s3:ListBucketMultipartUploads",
)
_DYNAMODB: Final = (
    *("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:DescribeTable"),
    *("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"),
)
_ECR_PULL: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability")
_KMS: Final = (
    *("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey"),
    *("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
    *("kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:EnableKey"),
)
_SECRETS: Final = (
    *("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue"),
    *("secretsmanager:UpdateSecretVersionStage", "secretsmanager:ListSecretVersionIds"),
)
_SQS: Final = (
    *("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"),
    *("sqs:GetQueueAttributes", "sqs:GetQueueUrl"),
)
_LOGS: Final = (
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "logs:DescribeLogStreams",
)
_ROLES: Final = ("arn:aws:iam::{account}:role/*",)

# Interface endpoints. The ECR ones also let the images' own accounts be named, see `_registries`.
_INTERFACES: Final[Mapping[str, tuple[Access, ...]]] = {
    "ecr.api": ((_ECR_PULL, ("{registries}",)), (("ecr:GetAuthorizationToken",), ("*",))),
    "ecr.dkr": ((_ECR_PULL, ("{registries}",)), (("ecr:GetAuthorizationToken",), ("*",))),
    "logs": (
        (_LOGS, ("arn:aws:logs:{region}:{account}:log-group:*",)),
        (("logs:DescribeLogGroups",), ("*",)),  # has no resource
    ),
    "rds": (
        (
            (
                *("rds:DescribeDBInstances", "rds:DescribeDBSnapshots", "rds:DeleteDBSnapshot"),
                "rds:DescribeDBInstanceAutomatedBackups",
            ),
            ("arn:aws:rds:{region}:{account}:*",),
        ),
    ),
    "secretsmanager": (
        (_SECRETS, ("arn:aws:secretsmanager:{region}:{account}:secret:*",)),
        (("secretsmanager:GetRandomPassword",), ("*",)),  # has no resource
    ),
    "kms": ((_KMS, ("arn:aws:kms:{region}:{account}:key/*",)),),
    "sns": ((("sns:Publish",), ("arn:aws:sns:{region}:{account}:{prefix}*",)),),
    "sqs": ((_SQS, ("arn:aws:sqs:{region}:{account}:{prefix}*",)),),
    "states": (
        (
            ("states:StartExecution", "states:ListExecutions"),
            ("arn:aws:states:{region}:{account}:stateMachine:{prefix}*",),
        ),
        (("states:DescribeExecution",), ("arn:aws:states:{region}:{account}:execution:{prefix}*",)),
    ),
    "sts": (
        (("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"), _ROLES),
        (("sts:GetCallerIdentity",), ("*",)),  # has no resource
    ),
    "ssm": (
        (
            ("ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"),
            ("arn:aws:ssm:{region}:{account}:parameter/*",),
        ),
        # What functions record of their calls.
        (
            ("ssm:PutParameter", "ssm:DeleteParameter"),
            ("arn:aws:ssm:{region}:{account}:parameter/{project}/{stack}/calls/*",),
        ),
        # The catalog's entry of a tenant that has moved.
        (("ssm:PutParameter",), ("arn:aws:ssm:{region}:{account}:parameter/{project}/{stack}/tenants/*",)),
    ),
}
_BUCKETS: Final = ("arn:aws:s3:::{prefix}*",)
_OBJECTS: Final = ("arn:aws:s3:::{prefix}*/*",)
_GATEWAYS: Final[Mapping[str, tuple[Access, ...]]] = {
    "s3": ((_S3_OBJECT, _OBJECTS), (_S3_BUCKET, _BUCKETS)),
    "dynamodb": ((_DYNAMODB, ("arn:aws:dynamodb:{region}:{account}:table/{prefix}*",)),),
}
# ECR keeps image layers in a bucket of AWS's own and signs the downloads itself, so that the caller
# is not a principal of this account (ECR user guide, "Minimum Amazon S3 bucket permissions", 2026-11).
_LAYERS: Final = "arn:aws:s3:::prod-{region}-starport-layer-bucket/*"


def plan_gateway_endpoints(settings: Settings) -> tuple[EndpointPlan, ...]:
    """Those that cost nothing, so that every network has them."""
    layers = EndpointAccess(("s3:GetObject",), (_LAYERS.format(region=settings.region),), anybody=True)
    return tuple(
        EndpointPlan(service, True, (*_access(settings, table), *((layers,) if service == "s3" else ())))
        for service, table in _GATEWAYS.items()
    )


def plan_interface_endpoints(settings: Settings) -> tuple[EndpointPlan, ...]:
    """Those that cost by the hour and zone: in the cell's network only."""
    return tuple(EndpointPlan(s, False, _access(settings, table)) for s, table in _INTERFACES.items())


def _access(settings: Settings, table: tuple[Access, ...]) -> tuple[EndpointAccess, ...]:
    words = {
        "region": settings.region,
        "account": settings.account_id,
        "prefix": f"{PROJECT}-{settings.stack}-",
        "project": PROJECT,
        "stack": settings.stack,
    }
    return tuple(
        EndpointAccess(
            actions,
            tuple(
                arn
                for resource in resources
                for arn in (
                    _registries(settings) if resource == "{registries}" else (resource.format(**words),)
                )
            ),
        )
        for actions, resources in table
    )


def _registries(settings: Settings) -> tuple[str, ...]:
    """Repositories of this account and of those that the images come from."""
    images = (settings.monolith_image, settings.reports_image, settings.collector_image)
    named = (image.split(".")[0] for image in images if image != NOWHERE)
    accounts = sorted({settings.account_id, *named})
    return tuple(f"arn:aws:ecr:{settings.region}:{account}:repository/*" for account in accounts)
