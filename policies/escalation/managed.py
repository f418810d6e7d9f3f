"""AWS managed policies that roles may carry, and what they allowed in 2026-11.

From AWS's "Managed policy reference". Where a plan names another one, the analysis says that it cannot tell.
"""

from collections.abc import Mapping
from typing import Any, Final

from iam.documents import Document, parse_data

_ARN: Final = "arn:aws:iam::aws:policy/"
_LOGS: Final = "logs:CreateLogGroup logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents"


def _allow(actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions.split(), "Resource": "*"}


_DOCUMENTS: Final[Mapping[str, list[dict[str, Any]]]] = {
    "AdministratorAccess": [_allow("*")],
    "IAMFullAccess": [_allow("iam:*")],
    "PowerUserAccess": [
        {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
        _allow(
            "account:GetAccountInformation account:GetGovCloudAccountInformation account:GetPrimaryEmail"
            " account:ListRegions iam:CreateServiceLinkedRole iam:DeleteServiceLinkedRole iam:ListRoles"
            " organizations:DescribeEffectivePolicy organizations:DescribeOrganization"
        ),
    ],
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs": [
        _allow(f"{_LOGS} logs:DescribeLogGroups logs:FilterLogEvents logs:GetLogEvents")
    ],
    "service-role/AmazonRDSEnhancedMonitoringRole": [
        _allow(f"{_LOGS} logs:GetLogEvents logs:PutRetentionPolicy")
    ],
    "service-role/AmazonECSTaskExecutionRolePolicy": [
        _allow(
            "ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer"
            " ecr:BatchGetImage logs:CreateLogStream logs:PutLogEvents"
        )
    ],
    "service-role/AWSLambdaBasicExecutionRole": [
        _allow("logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents")
    ],
}
DOCUMENTS: Final[Mapping[str, Document]] = {
    _ARN + name: parse_data({"Statement": statements}) for name, statements in _DOCUMENTS.items()
}


def is_managed(arn: str) -> bool:
    """Whether a policy is one of AWS's own."""
    return arn.startswith(_ARN)
