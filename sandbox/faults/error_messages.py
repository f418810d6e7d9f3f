"""AWS's error messages, and how the provider formats them.

Codes and sentences: "Common Errors" of the services' API references and the quota pages of each service
(as of 2026-11). The frame around them is that of the AWS SDK for Go v2, which the provider prints as it is.
"""

import hashlib
import uuid
from typing import Final

INTERNAL: Final = (
    "InternalFailure",
    "The request processing has failed because of an unknown error, exception or failure.",
)
THROTTLED: Final = ("ThrottlingException", "Rate exceeded")
REVOKED: Final = ("ExpiredToken", "The security token included in the request is expired")
STATUS: Final = {
    "InternalFailure": 500,
    "ExpiredToken": 403,
    "AccessDenied": 403,
    "AccessDeniedException": 403,
}
QUOTA: Final = ("LimitExceededException", "The request was rejected because a quota was exceeded.")
QUOTAS: Final = {
    "aws:ec2/vpc:Vpc": ("VpcLimitExceeded", "The maximum number of VPCs has been reached."),
    "aws:ec2/eip:Eip": ("AddressLimitExceeded", "The maximum number of addresses has been reached."),
    "aws:ec2/natGateway:NatGateway": (
        "NatGatewayLimitExceeded",
        "Performing this operation would exceed the limit of NAT gateways",
    ),
    "aws:ec2/securityGroup:SecurityGroup": (
        "SecurityGroupLimitExceeded",
        "The maximum number of security groups has been reached.",
    ),
    "aws:iam/role:Role": ("LimitExceeded", "Cannot exceed quota for RolesPerAccount"),
    "aws:iam/policy:Policy": ("LimitExceeded", "Cannot exceed quota for PoliciesPerAccount"),
    "aws:kms/key:Key": (
        "LimitExceededException",
        "The request was rejected because a quota was exceeded.",
    ),
    "aws:rds/instance:Instance": (
        "InstanceQuotaExceeded",
        "The request would result in the user exceeding the allowed number of DB instances.",
    ),
    "aws:s3/bucket:Bucket": ("TooManyBuckets", "You have attempted to create more buckets than allowed"),
}
GERUNDS: Final = {"create": "creating", "update": "updating", "delete": "deleting", "read": "reading"}
VERBS: Final = {"create": "Create", "update": "Modify", "delete": "Delete"}


def api_error(call: str, token: str, code: str, message: str, seed: str, attempts: int | None = None) -> str:
    """`creating KMS Key: operation error KMS: CreateKey, https response error StatusCode: 400, …`."""
    lost = f"exceeded maximum number of attempts, {attempts}, " if attempts else ""
    status = f"https response error StatusCode: {STATUS.get(code, 400)}, RequestID: {_request(seed)}"
    return f"{_operation(call, token)}, {lost}{status}, api error {code}: {message}"


def network_error(call: str, token: str, why: str) -> str:
    """What is seen where no answer came."""
    service = _parts(token)[0]
    return (
        f"{_operation(call, token)}, https response error StatusCode: 0, RequestID: , request send failed,"
        f' Post "https://{service}.amazonaws.com/": {why}'
    )


def _operation(call: str, token: str) -> str:
    service, name = _parts(token)
    doing, verb = GERUNDS.get(call, call), VERBS.get(call, "Describe")
    return f"{doing} {service.upper()} {name}: operation error {service.upper()}: {verb}{name}"


def _parts(token: str) -> tuple[str, str]:
    service = token.split(":")[1].split("/", maxsplit=1)[0] if token.count(":") > 1 else token
    return service, token.rsplit(":", 1)[-1]


def _request(seed: str) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(seed.encode()).digest()[:16]))
