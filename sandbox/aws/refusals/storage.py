"""Rules on buckets, queues, topics, secrets, parameters, keys, trails and alarms.

Sources: Amazon S3 user guide (bucket naming rules, Object Lock, server access logs) and its list of error
codes; API references of SQS, SNS, Secrets Manager, Systems Manager, KMS, CloudTrail, CloudWatch; 2026-11.
"""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from sandbox.aws.refusals.network import one
from sandbox.aws.refusals.rule import CREATE, DELETE, INPUTS, Refusal, RuleContext, rule
from sandbox.aws.templates import UNKNOWN
from sandbox.json_values import members

BUCKET, OBJECT = "aws:s3/bucket:Bucket", "aws:s3/bucketObjectv2:BucketObjectv2"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
VERSIONING, BUCKET_POLICY = "aws:s3/bucketVersioning:BucketVersioning", "aws:s3/bucketPolicy:BucketPolicy"
QUEUE, SUBSCRIPTION = "aws:sqs/queue:Queue", "aws:sns/topicSubscription:TopicSubscription"
SECRET, KEY, ALIAS = "aws:secretsmanager/secret:Secret", "aws:kms/key:Key", "aws:kms/alias:Alias"
ALARM, EVENT_RULE = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/eventRule:EventRule"
DASHBOARD: Final = "aws:cloudwatch/dashboard:Dashboard"
PARAMETER, TRAIL = "aws:ssm/parameter:Parameter", "aws:cloudtrail/trail:Trail"
USER_POOL, ZONE = "aws:cognito/userPool:UserPool", "aws:route53/zone:Zone"
RECORD = "aws:route53/record:Record"
PREFIXES: Final = ("xn--", "sthree-", "amzn-s3-demo-")
SUFFIXES: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an")
DAY: Final = 86_400
ENDPOINTS: Final = {
    "email": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "Email address"),
    "email-json": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "Email address"),
    "sqs": (r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:.+", "SQS endpoint ARN"),
    "lambda": (r"arn:aws[a-z-]*:lambda:.+", "Lambda endpoint ARN"),
    "http": (r"http://.+", "Endpoint must match the specified protocol"),
    "https": (r"https://.+", "Endpoint must match the specified protocol"),
    "sms": (r"\+?[0-9 -]+", "Invalid SMS endpoint"),
}


def in_json(value: Any) -> Any:
    """What a text says; None where it is no JSON or not known yet."""
    if not isinstance(value, str) or UNKNOWN in value:
        return None
    try:
        return json.loads(value)
    except ValueError:
        return None


def object_in_json(value: Any) -> Mapping[str, Any] | None:
    """The object that a text says; None where it says no object or is not known yet."""
    found = in_json(value)
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else None


def is_no_json(value: Any) -> bool:
    return isinstance(value, str) and UNKNOWN not in value and in_json(value) is None


# -- buckets


@rule(INPUTS, BUCKET, checks=("bucket",))
def check_bucket_name(at: RuleContext) -> Iterator[Refusal]:
    name = at.known("bucket")
    if name is None:
        return
    text = str(name)
    is_address = bool(re.fullmatch(r"(\d+\.){3}\d+", text)) and _is_address(text)
    is_reserved = text.startswith(PREFIXES) or text.endswith(SUFFIXES)
    if not 3 <= len(text) <= 63 or ".." in text or is_address or is_reserved:
        yield Refusal("InvalidBucketName", "The specified bucket is not valid.", "bucket")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@rule(DELETE, BUCKET)
def check_bucket_is_empty(at: RuleContext) -> Iterator[Refusal]:
    if at.before is None or at.inputs.get("forceDestroy"):
        return
    if at.store.users(at.before, OBJECT, "bucket"):
        yield Refusal("BucketNotEmpty", "The bucket you tried to delete is not empty")


@rule(CREATE, LOCK, checks=("bucket",))
def check_object_lock_has_versioning(at: RuleContext) -> Iterator[Refusal]:
    bucket = one(at, BUCKET, at.known("bucket"))
    if bucket is None or bucket.outputs.get("objectLockEnabled"):
        return
    states = [members(r.outputs.get("versioningConfiguration")) for r in at.store.users(bucket, VERSIONING)]
    if not any(s.get("status") == "Enabled" for s in states):
        words = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        yield Refusal("InvalidBucketState", words, "bucket")


@rule(INPUTS, VERSIONING, checks=("versioningConfiguration",))
def check_versioning_status(at: RuleContext) -> Iterator[Refusal]:
    status = members(at.known("versioningConfiguration")).get("status")
    if status not in (None, UNKNOWN, "Enabled", "Suspended", "Disabled"):
        words = "The XML you provided was not well-formed or did not validate against our published schema"
        yield Refusal("MalformedXML", words, "versioningConfiguration")


@rule(CREATE, VERSIONING, checks=("versioningConfiguration",))
def check_versioning_of_locked_bucket(at: RuleContext) -> Iterator[Refusal]:
    bucket = one(at, BUCKET, at.known("bucket"))
    status = members(at.known("versioningConfiguration")).get("status")
    if bucket and status not in (None, UNKNOWN, "Enabled") and at.store.users(bucket, LOCK):
        words = (
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be"
            " changed."
        )
        yield Refusal("InvalidBucketState", words, "versioningConfiguration")


# -- queues and topics


@rule(INPUTS, QUEUE, checks=("name", "fifoQueue"))
def check_queue_name(at: RuleContext) -> Iterator[Refusal]:
    name = at.known("name")
    if name is not None and bool(at.inputs.get("fifoQueue")) != str(name).endswith(".fifo"):
        words = (
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must"
        )
        yield Refusal(
            "InvalidParameterValue", f"{words} end with .fifo suffix and be 1 to 80 in length.", "name"
        )


@rule(INPUTS, QUEUE, checks=("redrivePolicy", "redriveAllowPolicy"))
def check_redrive_policy(at: RuleContext) -> Iterator[Refusal]:
    for key in ("redrivePolicy", "redriveAllowPolicy"):
        if is_no_json(at.known(key)):
            words = (
                f"Value {at.known(key)} for parameter {key} is invalid. Reason: Redrive policy is not a valid"
            )
            yield Refusal("InvalidParameterValue", f"{words} JSON map.", key)
    policy = object_in_json(at.known("redrivePolicy"))
    if policy is not None and not 1 <= int(policy.get("maxReceiveCount") or 0) <= 1000:
        words = (
            f"Value {at.known('redrivePolicy')} for parameter RedrivePolicy is invalid. Reason: Invalid value"
            " for maxReceiveCount."
        )
        yield Refusal("InvalidParameterValue", words, "redrivePolicy")


@rule(CREATE, QUEUE, checks=("redrivePolicy",))
def check_dead_letter_queue(at: RuleContext) -> Iterator[Refusal]:
    target = members(object_in_json(at.known("redrivePolicy"))).get("deadLetterTargetArn")
    if target and not one(at, QUEUE, target):
        words = (
            f"Value {at.known('redrivePolicy')} for parameter RedrivePolicy is invalid. Reason: Dead letter"
            " target does not exist."
        )
        yield Refusal("InvalidParameterValue", words, "redrivePolicy")


@rule(INPUTS, SUBSCRIPTION, checks=("endpoint", "protocol"))
def check_subscription_endpoint(at: RuleContext) -> Iterator[Refusal]:
    protocol, endpoint = at.known("protocol"), at.known("endpoint")
    pattern, words = ENDPOINTS.get(str(protocol), (".*", ""))
    if endpoint is not None and not re.fullmatch(pattern, str(endpoint)):
        yield Refusal("InvalidParameter", f"Invalid parameter: {words}", "endpoint")


# -- secrets, parameters, keys


@rule(INPUTS, SECRET, checks=("recoveryWindowInDays",))
def check_secret_recovery_window(at: RuleContext) -> Iterator[Refusal]:
    days = at.known("recoveryWindowInDays")
    if days is not None and int(days) != 0 and not 7 <= int(days) <= 30:
        words = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
        yield Refusal("InvalidParameterException", words, "recoveryWindowInDays")


@rule(INPUTS, PARAMETER, checks=("insecureValue", "value"))
def check_parameter_size(at: RuleContext) -> Iterator[Refusal]:
    limit = {"Standard": 4_096}.get(str(at.inputs.get("tier", "Standard")), 8_192)
    for key in ("value", "insecureValue"):
        if len(str(at.known(key) or "")) > limit:
            words = f"Standard tier parameters support a maximum parameter value of {limit} characters."
            yield Refusal("ValidationException", words, key)
    given = [k for k in ("value", "insecureValue", "valueWo") if at.inputs.get(k) is not None]
    if len(given) != 1:
        words = f"one of `insecure_value,value,value_wo` must be specified; given: {given}"
        yield Refusal("InvalidCombination", words, "insecureValue")


@rule(INPUTS, ALIAS, checks=("name",))
def check_alias_name(at: RuleContext) -> Iterator[Refusal]:
    name = str(at.known("name") or "")
    if name.startswith("alias/aws/"):
        yield Refusal("NotAuthorizedException", f"{name} is reserved for AWS managed keys", "name")


@rule(INPUTS, KEY, checks=("enableKeyRotation", "rotationPeriodInDays"))
def check_key_rotation(at: RuleContext) -> Iterator[Refusal]:
    spec = at.known("customerMasterKeySpec") or "SYMMETRIC_DEFAULT"
    if at.known("enableKeyRotation") and spec != "SYMMETRIC_DEFAULT":
        words = "Automatic key rotation is supported only on symmetric encryption KMS keys"
        yield Refusal("UnsupportedOperationException", words, "enableKeyRotation")
    if at.known("rotationPeriodInDays") and not at.inputs.get("enableKeyRotation"):
        words = "A rotation period is given, and the rotation of the key is not enabled"
        yield Refusal("ValidationException", words, "rotationPeriodInDays")


@rule(CREATE, KEY, checks=("policy",))
def check_key_policy_can_be_changed(at: RuleContext) -> Iterator[Refusal]:
    """PutKeyPolicy (its lockout safety check): somebody must keep the right to change the policy."""
    document = object_in_json(at.known("policy"))
    if document is None or at.inputs.get("bypassPolicyLockoutSafetyCheck"):
        return
    for statement in document.get("Statement", []):
        actions = statement.get("Action", [])
        text = json.dumps(statement.get("Principal", ""))
        allowed = {"kms:*", "kms:PutKeyPolicy", "kms:Put*", "*"} & set(
            [actions] if isinstance(actions, str) else actions
        )
        if statement.get("Effect") == "Allow" and allowed and (at.store.account in text or '"*"' in text):
            return
    words = "The new key policy will not allow you to update the key policy in the future."
    yield Refusal("MalformedPolicyDocumentException", words, "policy")


# -- watching


@rule(INPUTS, ALARM, checks=("period", "evaluationPeriods", "datapointsToAlarm"))
def check_alarm_periods(at: RuleContext) -> Iterator[Refusal]:
    """CloudWatch API reference, PutMetricAlarm, `Period`, 2026-11: a week, or a day with periods below an
    hour. The words are those that people quote (2026-08).
    """
    period, times = at.known("period"), at.known("evaluationPeriods")
    if period is not None and int(period) not in (10, 20, 30) and int(period) % 60:
        words = "Period must be 10, 20, 30 or a multiple of 60"
        yield Refusal("ValidationError", words, "period")
    if period is not None and times is not None:
        most, span, using = (DAY, "day", "<") if int(period) < 3600 else (7 * DAY, "week", ">=")
        if int(period) * int(times) > most:
            words = (
                f"Metrics cannot be checked across more than a {span} (EvaluationPeriods * Period must be <="
                f" {most}) for alarms using period {using} 3600"
            )
            yield Refusal("ValidationError", words, "evaluationPeriods")
    points = at.known("datapointsToAlarm")
    if points is not None and times is not None and int(points) > int(times):
        words = "DatapointsToAlarm must be less than or equal to EvaluationPeriods"
        yield Refusal("ValidationError", words, "datapointsToAlarm")


@rule(INPUTS, ALARM, checks=("dimensions",))
def check_alarm_dimensions(at: RuleContext) -> Iterator[Refusal]:
    if len(at.known("dimensions") or {}) > 30:
        words = "The collection Dimensions must not have a size greater than 30."
        yield Refusal("InvalidParameterValue", words, "dimensions")


@rule(INPUTS, DASHBOARD, checks=("dashboardBody",))
def check_dashboard_body(at: RuleContext) -> Iterator[Refusal]:
    """A mapping of at most 500 widgets, each with a type (CloudWatch, PutDashboard, 2026-11)."""
    body = at.known("dashboardBody")
    if body is None or UNKNOWN in str(body):
        return
    words = "The Dashboard body is invalid, there are validation errors"
    try:
        found = json.loads(body)
        widgets = found["widgets"]
        sound = len(widgets) <= 500 and all(w["type"] and w["properties"] for w in widgets)
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        yield Refusal("InvalidParameterInput", words, "dashboardBody")


@rule(INPUTS, EVENT_RULE, checks=("eventPattern", "scheduleExpression"))
def check_event_pattern(at: RuleContext) -> Iterator[Refusal]:
    if is_no_json(at.known("eventPattern")):
        words = "Event pattern is not valid. Reason: it is no JSON"
        yield Refusal("InvalidEventPatternException", words, "eventPattern")
    if at.inputs.get("eventPattern") is None and at.inputs.get("scheduleExpression") is None:
        words = "Parameter(s) EventPattern or ScheduleExpression must be specified."
        yield Refusal("ValidationException", words, "eventPattern")


@rule(CREATE, TRAIL, checks=("s3BucketName",))
def check_trail_bucket_policy(at: RuleContext) -> Iterator[Refusal]:
    bucket = one(at, BUCKET, at.known("s3BucketName"))
    if bucket is None:
        return
    policies = [str(r.outputs.get("policy")) for r in at.store.users(bucket, BUCKET_POLICY)]
    if not any("cloudtrail.amazonaws.com" in p for p in policies):
        words = f"Incorrect S3 bucket policy is detected for bucket: {bucket.id}"
        yield Refusal("InsufficientS3BucketPolicyException", words, "s3BucketName")


# -- what guards itself


@rule(DELETE, USER_POOL)
def check_user_pool_protection(at: RuleContext) -> Iterator[Refusal]:
    if at.inputs.get("deletionProtection") == "ACTIVE":
        words = (
            "The user pool cannot be deleted because deletion protection is activated. Deletion protection"
            " must be inactivated first."
        )
        yield Refusal("InvalidParameterException", words)


@rule(DELETE, ZONE)
def check_zone_is_empty(at: RuleContext) -> Iterator[Refusal]:
    if at.before and not at.inputs.get("forceDestroy") and at.store.users(at.before, RECORD, "zoneId"):
        words = (
            "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
        )
        yield Refusal("HostedZoneNotEmpty", words)
