"""Plan of the account baseline: permissions boundary, records that are kept, events that raise alarms.

Data only. AWS names are spelled out, so that a reviewer reads what is allowed and not what a pattern
might match.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from plan.names import PROJECT
from plan.settings import AccountSettings, Settings

# Seven years: the longest that national law asks of a payment institution's records in the Regions
# that the platform knows.
ARCHIVE_DAYS: Final = 2557
ACCESS_LOG_DAYS: Final = 400

# The most that any role of the platform can be given. A role gets its own few of these from its own
# policies; what is missing here is refused whatever they say.
ALLOWED: Final[Mapping[str, str]] = {
    "cloudwatch": "PutMetricData",
    "dynamodb": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem BatchWriteItem DescribeTable",
    "ec2": "CreateNetworkInterface DeleteNetworkInterface DescribeNetworkInterfaces DescribeSubnets"
    " DescribeSecurityGroups DescribeVpcs AssignPrivateIpAddresses UnassignPrivateIpAddresses",
    "ecr": "GetAuthorizationToken BatchCheckLayerAvailability GetDownloadUrlForLayer BatchGetImage",
    "kms": "Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext"
    " DescribeKey ScheduleKeyDeletion CancelKeyDeletion EnableKey",
    "lambda": "InvokeFunction",
    "logs": "CreateLogGroup CreateLogStream PutLogEvents DescribeLogStreams DescribeLogGroups"
    " GetLogEvents FilterLogEvents PutRetentionPolicy"
    " CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries"
    " PutResourcePolicy DescribeResourcePolicies",  # of Step Functions, to deliver its logs
    "rds": "CreateDBSnapshot DeleteDBSnapshot DescribeDBInstances DescribeDBSnapshots AddTagsToResource"
    " ListTagsForResource DescribeDBInstanceAutomatedBackups",
    "rds-db": "connect",
    "s3": "GetObject GetObjectVersion GetObjectTagging PutObject PutObjectTagging DeleteObject"
    " DeleteObjectVersion"
    " AbortMultipartUpload ListMultipartUploadParts ListBucket ListBucketVersions GetBucketLocation"
    " ListBucketMultipartUploads",
    "secretsmanager": "GetSecretValue DescribeSecret PutSecretValue UpdateSecretVersionStage"
    " ListSecretVersionIds GetRandomPassword",
    "sns": "Publish",
    "sqs": "SendMessage ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueAttributes GetQueueUrl",
    "ssm": "GetParameter GetParameters GetParametersByPath PutParameter DeleteParameter",
    "ssmmessages": "CreateControlChannel CreateDataChannel OpenControlChannel OpenDataChannel",
    "states": "StartExecution DescribeExecution ListExecutions",
    "sts": "AssumeRole TagSession SetSourceIdentity GetCallerIdentity",
    "tag": "GetResources",
    "xray": "PutTraceSegments PutTelemetryRecords GetSamplingRules GetSamplingTargets",
}

# Of which resources, by service: this account's in its Region, and the cell's own by their names' beginning.
WITHIN: Final[Mapping[str, str]] = {
    "dynamodb": "arn:aws:dynamodb:{region}:{account}:table/{prefix}*",
    # Lambda's way of asking for "any interface" (its developer guide, "Giving functions access to resources
    # in a VPC", 2026-11)
    "ec2": "arn:aws:ec2:{region}:{account}:*/*",
    "ecr": "arn:aws:ecr:{region}:*:repository/*",  # images may come from another account's registry
    "kms": "arn:aws:kms:{region}:{account}:key/*",
    "lambda": "arn:aws:lambda:{region}:{account}:function:{prefix}*",
    "logs": "arn:aws:logs:{region}:{account}:log-group:*",
    "rds": "arn:aws:rds:{region}:{account}:*",
    "rds-db": "arn:aws:rds-db:{region}:{account}:dbuser:*/*",
    "s3": "arn:aws:s3:::{prefix}*",
    "secretsmanager": "arn:aws:secretsmanager:{region}:{account}:secret:*",
    "sns": "arn:aws:sns:{region}:{account}:{prefix}*",
    "sqs": "arn:aws:sqs:{region}:{account}:{prefix}*",
    "ssm": "arn:aws:ssm:{region}:{account}:parameter/*",
    "states": "arn:aws:states:{region}:{account}:*:{prefix}*",  # machines, and executions below them
    "sts": "arn:aws:iam::{account}:role/*",
}
# For these AWS offers no resource to name (service authorization reference, 2026-11).
UNNAMED: Final[Mapping[str, str]] = {
    "cloudwatch": "PutMetricData",
    "ec2": "DescribeNetworkInterfaces DescribeSubnets DescribeSecurityGroups DescribeVpcs",
    "ecr": "GetAuthorizationToken",
    "logs": "DescribeLogGroups CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery"
    " ListLogDeliveries PutResourcePolicy DescribeResourcePolicies",
    "secretsmanager": "GetRandomPassword",
    "ssmmessages": "CreateControlChannel CreateDataChannel OpenControlChannel OpenDataChannel",
    "sts": "GetCallerIdentity",
    "tag": "GetResources",
    "xray": "PutTraceSegments PutTelemetryRecords GetSamplingRules GetSamplingTargets",
}

# What keeps the account's evidence: nobody stops it, not the break-glass role either.
EVIDENCE: Final[Mapping[str, str]] = {
    "access-analyzer": "DeleteAnalyzer",
    "cloudtrail": "DeleteTrail PutEventSelectors StopLogging UpdateTrail",
    "config": "DeleteConfigurationRecorder DeleteDeliveryChannel PutConfigurationRecorder"
    " StopConfigurationRecorder",
    "ec2": "DeleteFlowLogs DisableEbsEncryptionByDefault",
    "guardduty": "DeleteDetector UpdateDetector",
    "organizations": "LeaveOrganization",
    "securityhub": "DisableSecurityHub",
}
# What no role of the platform does, whoever else allows it: a boundary's silence does not stop a
# resource policy that names the session itself, a refusal does.
REFUSED: Final[Mapping[str, str]] = {
    **EVIDENCE,
    "iam": "AttachRolePolicy AttachUserPolicy CreateAccessKey CreateLoginProfile CreatePolicyVersion"
    " CreateRole CreateUser DeletePolicy DeletePolicyVersion DeleteRolePermissionsBoundary"
    " DeleteRolePolicy DetachRolePolicy PassRole PutRolePermissionsBoundary PutRolePolicy"
    " PutUserPermissionsBoundary PutUserPolicy SetDefaultPolicyVersion UpdateAssumeRolePolicy",
    "kms": "DisableKey PutKeyPolicy",
    "s3": "DeleteBucketPolicy PutAccountPublicAccessBlock PutBucketPolicy PutBucketPublicAccessBlock",
}
# Of keys one may be deleted: that of a tenant whose leaving has come so far, which its tag says.
ENDING: Final[Mapping[str, str]] = {"aws:ResourceTag/leaving": "ending"}
REFUSED_UNLESS_ENDING: Final[Mapping[str, str]] = {"kms": "ScheduleKeyDeletion"}


class Detection(StrEnum):
    """Who switches GuardDuty, Security Hub and Inspector on in an account and Region.

    Where an organization does so for all accounts, a second detector is refused (GuardDuty: "a detector
    already exists for the current account", nozaq/terraform-aws-secure-baseline #199, 2021-07), and a member
    cannot switch it off (GuardDuty user guide, "Managing accounts with AWS Organizations", 2026-11).
    """

    OWN = "own"  # this stack, on and off
    HANDOVER = "handover"  # this stack; what it makes no more is left on, for the organization to look after
    ORGANIZATION = "organization"  # the organization's audit account


@dataclass(frozen=True, slots=True)
class Duties:
    """What of the account a stack looks after. AWS has these once, and two stacks would fight over them.

    `account`: trail, break-glass role, budget, sign-in rules, public access to buckets. `region`: recorder,
    detectors, defaults of volumes, images and networks. `detection`: who switches the detectors on.
    """

    account: bool
    region: bool
    detection: Detection = Detection.OWN


def duties(settings: Settings) -> Duties:
    """A cell in an account of its own, which is the rule, has both."""
    scope = settings.account_scope
    return Duties(
        account=scope == "account",
        region=scope in ("account", "region"),
        detection=Detection(settings.detection),
    )


def actions(table: Mapping[str, str]) -> tuple[str, ...]:
    """`{"s3": "GetObject PutObject"}` → `s3:GetObject`, `s3:PutObject`."""
    return tuple(f"{service}:{word}" for service, words in table.items() for word in words.split())


def ceilings(settings: AccountSettings) -> Mapping[str, tuple[tuple[str, ...], str]]:
    """What the boundary allows: a word for it → actions, and the one resource pattern that they are of.

    Raises ValueError for an action of `ALLOWED` whose resources neither `WITHIN` nor `UNNAMED` says.
    """
    words = {
        "region": settings.region,
        "account": settings.account_id,
        "prefix": f"{PROJECT}-{settings.stack}-",
    }
    unnamed = set(actions(UNNAMED))
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    for service in ALLOWED:
        named = tuple(a for a in actions({service: ALLOWED[service]}) if a not in unnamed)
        if named and service not in WITHIN:
            raise ValueError(f"plan.account.baseline: say in WITHIN of which resources {service} is allowed")
        if named:
            found[service.replace("-", "")] = named, WITHIN[service].format(**words)
    rest = tuple(a for a in actions(ALLOWED) if a in unnamed)
    return {**found, "anything": (rest, "*")}


@dataclass(frozen=True, slots=True)
class TrailAlarm:
    """Something in the account's trail that a person must hear of at once."""

    name: str
    meaning: str
    pattern: str  # a CloudWatch Logs filter pattern over CloudTrail's events


def trail_alarms(break_glass_arn: str) -> tuple[TrailAlarm, ...]:
    """The few that are an incident by themselves; the detectors see to the rest."""
    return (
        TrailAlarm(
            "break-glass",
            "the break-glass role was assumed",
            f'{{ ($.eventName = "AssumeRole*") && ($.requestParameters.roleArn = "{break_glass_arn}") }}',
        ),
        TrailAlarm(
            "root-use",
            "the root user did something",
            '{ ($.userIdentity.type = "Root") && ($.userIdentity.invokedBy NOT EXISTS)'
            ' && ($.eventType != "AwsServiceEvent") }',
        ),
        TrailAlarm(
            "sign-in-without-mfa",
            "somebody signed in to the console without a second factor",
            '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes")'
            ' && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
        ),
        TrailAlarm(
            "evidence-tampering",
            "the trail, the recorder or a detector was changed or stopped",
            _any_of(
                *("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"),
                *("StopConfigurationRecorder", "DeleteConfigurationRecorder", "DeleteDeliveryChannel"),
                *("DeleteDetector", "UpdateDetector", "DisableSecurityHub", "DeleteAnalyzer"),
            ),
        ),
        TrailAlarm(
            "key-loss",
            "a key was disabled or will be deleted",
            _any_of("DisableKey", "ScheduleKeyDeletion"),
        ),
    )


def _any_of(*events: str) -> str:
    return "{ " + " || ".join(f'($.eventName = "{event}")' for event in events) + " }"
