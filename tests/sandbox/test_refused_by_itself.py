"""What AWS refuses whatever else is there, by rules that no schema says: each in its own code and words."""

from typing import Any

import pytest

from sandbox.aws.cloud import Cloud
from sandbox.aws.templates import UNKNOWN
from sandbox.cloud.store import Store
from tests.sandbox.world import (
    ACCOUNT,
    BUCKET,
    FARGATE,
    FUNCTION,
    INGRESS,
    INSTANCE,
    KEY,
    POLICY,
    REGION,
    ROLE,
    ROUTE,
    SECRET,
    TASK,
    TRUST,
    VPC,
    WRITER,
    World,
    container,
    identity,
)

ALIAS, LOGS, LISTENER = "aws:kms/alias:Alias", "aws:cloudwatch/logGroup:LogGroup", "aws:lb/listener:Listener"
ALARM, SUBSCRIPTION = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:sns/topicSubscription:TopicSubscription"
MACHINE = "aws:sfn/stateMachine:StateMachine"
SCHEDULE = "aws:scheduler/schedule:Schedule"
DAILY = {
    "name": "daily",
    "scheduleExpression": "rate(1 day)",
    "flexibleTimeWindow": {"mode": "OFF"},
    "target": {
        "arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f",
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
    },
}
LIFECYCLE = {"name": "lifecycle", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/r"}
WATCHED = {
    "name": "a",
    "comparisonOperator": "GreaterThanThreshold",
    "metricName": "m",
    "namespace": "n",
    "statistic": "Sum",
    "threshold": 1,
}
# What is refused by itself, and so in a preview: type, inputs, the input that is named, the words.
BY_ITSELF: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "a network too large": (
        VPC,
        {"cidrBlock": "10.0.0.0/8"},
        "cidrBlock",
        "InvalidVpc.Range: The CIDR '10.0.0.0/8' is invalid.",
    ),
    "no block at all": (
        VPC,
        {"cidrBlock": "10.0.0.1/16"},
        "cidrBlock",
        "InvalidParameterValue: Value (10.0.0.1/16) for parameter cidrBlock is invalid.",
    ),
    "a route without a target": (
        ROUTE,
        {"routeTableId": "rtb-1", "destinationCidrBlock": "10.9.0.0/16"},
        "routeTableId",
        "MissingParameter",
    ),
    "ports that fall": (
        INGRESS,
        {
            "securityGroupId": "sg-1",
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 80,
            "cidrIpv4": "10.0.0.0/8",
        },
        "fromPort",
        "Invalid TCP/UDP port range (443:80)",
    ),
    "an unknown protocol": (
        INGRESS,
        {"securityGroupId": "sg-1", "ipProtocol": "http", "cidrIpv4": "10.0.0.0/8"},
        "ipProtocol",
        "Invalid value 'http' for IP protocol. Unknown protocol.",
    ),
    "a version that is not": (
        INSTANCE,
        {**WRITER, "engineVersion": "17.999"},
        "engineVersion",
        "InvalidParameterCombination: Cannot find version 17.999 for postgres",
    ),
    "a growth below the size": (
        INSTANCE,
        {**WRITER, "maxAllocatedStorage": 40},
        "maxAllocatedStorage",
        "Max storage size must be greater than storage size",
    ),
    "fast storage on a small disk": (
        INSTANCE,
        {**WRITER, "storageType": "gp3", "iops": 12000},
        "iops",
        "a storage size less than 400.",
    ),
    "monitoring without a role": (
        INSTANCE,
        {**WRITER, "monitoringInterval": 60},
        "monitoringInterval",
        "A MonitoringRoleARN value is required",
    ),
    "a reserved master": (
        INSTANCE,
        {**WRITER, "username": "rdsadmin"},
        "username",
        "cannot be used as it is a reserved word used by the engine",
    ),
    "a short password": (
        INSTANCE,
        {**WRITER, "password": "canary"},
        "password",
        "because it is shorter than 8 characters.",
    ),
    "windows that overlap": (
        INSTANCE,
        {**WRITER, "backupWindow": "03:00-04:00", "maintenanceWindow": "sun:03:30-sun:04:30"},
        "backupWindow",
        "must not overlap.",
    ),
    "logs of another engine": (
        INSTANCE,
        {**WRITER, "enabledCloudwatchLogsExports": ["audit"]},
        "enabledCloudwatchLogsExports",
        "You cannot use the log types 'audit'",
    ),
    "a reader with a name of its own": (
        INSTANCE,
        {"identifier": "r", "instanceClass": "db.t4g.medium", "replicateSourceDb": "db", "username": "x"},
        "username",
        "InvalidParameterCombination",
    ),
    "no such Fargate size": (
        TASK,
        {**FARGATE, "memory": "512", "containerDefinitions": container()},
        "cpu",
        "No Fargate configuration exists for given values: 1024 CPU, 512 memory.",
    ),
    "a container above its task": (
        TASK,
        {**FARGATE, "memory": "2048", "containerDefinitions": container(memory=4096)},
        "containerDefinitions",
        "The 'memory' setting for container is greater than for the task.",
    ),
    "logs without a role": (
        TASK,
        {
            **FARGATE,
            "memory": "2048",
            "containerDefinitions": container(logConfiguration={"logDriver": "awslogs"}),
        },
        "executionRoleArn",
        "to support log driver awslogs.",
    ),
    "a retention that is none": (
        LOGS,
        {"name": "l", "retentionInDays": 100},
        "retentionInDays",
        "expected retentionInDays to be one of",
    ),
    "a managed policy too long": (
        POLICY,
        {"name": "p", "policy": identity(7000)},
        "policy",
        "LimitExceeded: Cannot exceed quota for policy: 6144",
    ),
    "a trust policy too long": (
        ROLE,
        {"name": "r", "assumeRolePolicy": TRUST.replace("lambda.", "l" * 2048)},
        "assumeRolePolicy",
        "LimitExceeded: Cannot exceed quota for assumeRolePolicy: 2048",
    ),
    "a policy that is no JSON": (
        POLICY,
        {"name": "p", "policy": "{"},
        "policy",
        "MalformedPolicyDocument: This policy contains invalid Json",
    ),
    "an identity policy with a principal": (
        POLICY,
        {"name": "p", "policy": TRUST},
        "policy",
        "Policy document should not specify a principal.",
    ),
    "a policy of no actions": (
        POLICY,
        {"name": "p", "policy": identity(0)},
        "policy",
        "Policy statement must contain actions.",
    ),
    "a policy of no resources": (
        POLICY,
        {"name": "p", "policy": identity(66).replace('"*"', "[]")},
        "policy",
        "Policy statement must contain resources.",
    ),
    "a misspelt condition": (
        POLICY,
        {"name": "p", "policy": identity(66).replace('"Resource"', '"condition": {}, "Resource"')},
        "policy",
        "condition is no element of a statement",
    ),
    "resources and all others": (
        POLICY,
        {"name": "p", "policy": identity(66).replace('"Resource"', '"NotResource": "*", "Resource"')},
        "policy",
        "Resource and NotResource exclude each other",
    ),
    "a trust of nobody": (
        ROLE,
        {"name": "r", "assumeRolePolicy": TRUST.replace('{"Service": "lambda.amazonaws.com"}', "{}")},
        "assumeRolePolicy",
        "Policy document must specify a principal.",
    ),
    "a bucket like an address": (
        BUCKET,
        {"bucket": "10.0.0.1"},
        "bucket",
        "InvalidBucketName: The specified bucket is not valid.",
    ),
    "a bucket of reserved name": (BUCKET, {"bucket": "xn--thing"}, "bucket", "InvalidBucketName"),
    "a window that is none": (
        SECRET,
        {"name": "s", "recoveryWindowInDays": 3},
        "recoveryWindowInDays",
        "between 7 and 30 days (inclusive).",
    ),
    "an alias of AWS": (ALIAS, {"name": "alias/aws/x", "targetKeyId": "k"}, "name", "NotAuthorizedException"),
    "a rotation of what cannot turn": (
        KEY,
        {"customerMasterKeySpec": "RSA_2048", "keyUsage": "SIGN_VERIFY", "enableKeyRotation": True},
        "enableKeyRotation",
        "UnsupportedOperationException",
    ),
    "an alarm over more than a day": (
        ALARM,
        {**WATCHED, "evaluationPeriods": 25, "period": 3540},
        "evaluationPeriods",
        "more than a day (EvaluationPeriods * Period must be <= 86400) for alarms using period < 3600",
    ),
    "an alarm over more than a week": (
        ALARM,
        {**WATCHED, "evaluationPeriods": 8, "period": 86400},
        "evaluationPeriods",
        "more than a week (EvaluationPeriods * Period must be <= 604800) for alarms using period >= 3600",
    ),
    "mail to no address": (
        SUBSCRIPTION,
        {"topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:t", "protocol": "email", "endpoint": "nobody"},
        "endpoint",
        "Invalid parameter: Email address",
    ),
    "reserved environment": (
        FUNCTION,
        {
            "name": "f",
            "role": f"arn:aws:iam::{ACCOUNT}:role/r",
            "environment": {"variables": {"AWS_REGION": "x"}},
        },
        "environment",
        "Reserved keys used in this request: AWS_REGION",
    ),
    "HTTPS without a certificate": (
        LISTENER,
        {
            "loadBalancerArn": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/a/1",
            "port": 443,
            "protocol": "HTTPS",
            "defaultActions": [{"type": "fixed-response"}],
        },
        "certificateArn",
        "A certificate must be specified for HTTPS listeners",
    ),
    "a schedule that never comes": (
        SCHEDULE,
        {**DAILY, "scheduleExpression": "every day"},
        "scheduleExpression",
        "ValidationException: Invalid Schedule Expression every day.",
    ),
    "a state machine that is no JSON": (
        MACHINE,
        {**LIFECYCLE, "definition": "{"},
        "definition",
        "InvalidDefinition: Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION",
    ),
    "a state machine that begins nowhere": (
        MACHINE,
        {**LIFECYCLE, "definition": "[]"},
        "definition",
        "at StartAt",
    ),
    "a state that leads nowhere": (
        MACHINE,
        {**LIFECYCLE, "definition": '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}'},
        "definition",
        "Missing 'Next' target: B at /States/A/Next",
    ),
    "a log without its streams": (
        MACHINE,
        {
            **LIFECYCLE,
            "definition": '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
            "loggingConfiguration": {
                "level": "ALL",
                "logDestination": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:g",
            },
        },
        "loggingConfiguration",
        "InvalidLoggingConfiguration",
    ),
    "a tag of AWS": (KEY, {"tags": {"aws:x": "y"}}, "tags", "InvalidTag"),
}


@pytest.mark.parametrize("case", sorted(BY_ITSELF))
def test_what_is_wrong_by_itself_is_refused_before_anything_is_made(world: World, case: str) -> None:
    token, inputs, key, words = BY_ITSELF[case]
    _, found = world.cloud.check(token, "r", inputs, b"seed")
    assert {k for k, _ in found} == {key}
    assert words in found[0][1]
    assert "canary" not in found[0][1]


# What is wrong there is that an input is given or missing, whatever its value.
GIVEN_OR_NOT = {"a reader with a name of its own", "a route without a target"}


@pytest.mark.parametrize("case", sorted(BY_ITSELF.keys() - GIVEN_OR_NOT))
def test_what_is_not_known_yet_is_not_refused(world: World, case: str) -> None:
    token, inputs, _, _ = BY_ITSELF[case]
    _, found = world.cloud.check(token, "r", dict.fromkeys(inputs, UNKNOWN), b"seed")
    assert found == []


@pytest.mark.parametrize("body", ["", "{", "[]", '{"widgets": 7}', '{"widgets": [{"type": "metric"}]}'])
def test_a_dashboard_is_made_of_widgets(body: str) -> None:
    cloud = Cloud(Store(":memory:", ACCOUNT, REGION), {})
    inputs = {"dashboardName": "cell", "dashboardBody": body}
    _, wrong = cloud.check("aws:cloudwatch/dashboard:Dashboard", "it", inputs, b"seed")
    assert any("The Dashboard body is invalid" in str(problem) for problem in wrong)
    good = {**inputs, "dashboardBody": '{"widgets": [{"type": "text", "properties": {"markdown": "x"}}]}'}
    assert cloud.check("aws:cloudwatch/dashboard:Dashboard", "it", good, b"seed")[1] == []
