"""Rules on logs: what happens is recorded, cannot be changed, and is kept as long as audits require."""

from collections.abc import Mapping
from typing import Any, Final, cast

from policies.checks import (
    all_of,
    any_of,
    companion,
    is_true,
    one_of,
    present,
    unless,
    value,
    when,
)
from policies.control_ids import EVIDENCE, LOGGING, RETENTION
from policies.model import PASS, UNKNOWN, Plan, Resource, Verdict, cannot_tell, fail, worst
from policies.rule import Made, Ref, Rule
from policies.rules.encryption import is_log_bucket
from policies.rules.example_builders import BUCKET, BUCKET_TYPE, example

TRAIL: Final = "aws:cloudtrail/trail:Trail"
GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
LOGGING_OF: Final = "aws:s3/bucketLogging:BucketLogging"
AUDIT_DAYS: Final = 365  # PCI DSS 4.0, 10.5.1
LEAST_DAYS: Final = 14
# A log group is an audit's where its name says so: trail, flows, databases' statements, requests to the API.
_AUDIT: Final = ("/audit/", "/flow/", "/api/access", "aws-waf-logs-")


def _retention(resource: Resource, plan: Plan) -> Verdict:
    """Kept, and not for ever; audit logs for a year or more."""
    name = resource.get("name", "")
    audit = isinstance(name, str) and any(part in name for part in _AUDIT)
    return value(
        "retentionInDays",
        lambda days: days >= (AUDIT_DAYS if audit else LEAST_DAYS),
        f"at least {AUDIT_DAYS if audit else LEAST_DAYS} days, and not 0, which is for ever",
    )(resource, plan)


def _archive_days(resource: Resource, plan: Plan) -> Verdict:
    """The bucket of a trail or recorder loses nothing within a year."""
    buckets = plan.source(resource, "s3BucketName", BUCKET_TYPE)
    if not buckets:
        return cannot_tell("s3BucketName names no bucket of this plan")
    rules, more = plan.attached(buckets[0], LIFECYCLE, "bucket")
    if not rules:
        return cannot_tell("whether its bucket has a lifecycle") if more else PASS
    found: list[Verdict] = []
    for rule in cast("list[Any]", rules[0].get("rules", ())):
        days = _days(rule)
        if days is UNKNOWN:
            found.append(cannot_tell("how long its bucket keeps objects"))
        elif days is not None and days < AUDIT_DAYS:
            found.append(
                fail(f"{buckets[0].name} expires objects after {days:g} days, expected {AUDIT_DAYS}")
            )
    return worst(found)


def _days(rule: Any) -> Any:
    """After how many days a rule of a lifecycle expires objects; None for never."""
    if not isinstance(rule, Mapping):
        return UNKNOWN
    expiration = cast("Mapping[str, Any]", rule).get("expiration")
    return cast("Mapping[str, Any]", expiration).get("days") if isinstance(expiration, Mapping) else None


def _access_logged(resource: Resource, plan: Plan) -> Verdict:
    if is_log_bucket(resource, plan):
        return PASS  # logging into itself would never end
    return companion(LOGGING_OF, "bucket")(resource, plan)


_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
_STAGE: Final = "aws:apigateway/stage:Stage"
_METHODS: Final = "aws:apigateway/methodSettings:MethodSettings"
_ACL: Final = "aws:wafv2/webAcl:WebAcl"
_ACL_LOG: Final = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
_VPC: Final = "aws:ec2/vpc:Vpc"
_FLOW: Final = "aws:ec2/flowLog:FlowLog"
_INSTANCE: Final = "aws:rds/instance:Instance"
_CLUSTER: Final = "aws:ecs/cluster:Cluster"
_TRAIL_GOOD: Final = {
    "s3BucketName": "an-example-bucket",
    "enableLogFileValidation": True,
    "isMultiRegionTrail": True,
}
_LB: Final = {"internal": True, "subnets": ["subnet-1", "subnet-2"]}
_LOGS: Final = {"bucket": "an-example-bucket", "enabled": True}
_GROUP_ARN: Final = "arn:aws:logs:eu-west-1:111122223333:log-group:example"
_API: Final = {"restApi": "a1b2c3", "stageName": "v1"}
_STAGE_INPUTS: Final = {**_API, "deployment": "d4e5f6"}
_VISIBLE: Final = {"cloudwatchMetricsEnabled": True, "metricName": "x", "sampledRequestsEnabled": False}
_FIREWALL: Final[Mapping[str, Any]] = {
    "scope": "REGIONAL",
    "defaultAction": {"allow": {}},
    "visibilityConfig": _VISIBLE,
}


def _expiring(days: int) -> tuple[Made, ...]:
    rule = {"id": "tidy", "status": "Enabled", "expiration": {"days": days}, "filter": {"prefix": ""}}
    return (BUCKET, Made(LIFECYCLE, "lifecycle", {"bucket": Ref("bucket", "id"), "rules": [rule]}))


RULES: Final = (
    Rule(
        id="trail-complete",
        title="The audit trail is on, covers every Region, and has log file validation",
        types=(TRAIL,),
        check=all_of(
            is_true("isMultiRegionTrail"),
            is_true("enableLogFileValidation"),
            is_true("enableLogging", default=True),
            is_true("includeGlobalServiceEvents", default=True),
        ),
        remedy="Set `isMultiRegionTrail` and `enableLogFileValidation`, and leave the trail on.",
        controls=(*LOGGING, *EVIDENCE),
        good=example(TRAIL, _TRAIL_GOOD),
        bad=example(TRAIL, {**_TRAIL_GOOD, "enableLogFileValidation": False}),
    ),
    Rule(
        id="archive-kept",
        title=f"Audit logs are kept for {AUDIT_DAYS} days or more",
        types=(TRAIL, "aws:cfg/deliveryChannel:DeliveryChannel"),
        check=_archive_days,
        remedy=f"Let the bucket's lifecycle expire nothing before {AUDIT_DAYS} days.",
        controls=RETENTION,
        whole_plan=True,
        good=example(TRAIL, {**_TRAIL_GOOD, "s3BucketName": Ref("bucket", "id")}, *_expiring(2557)),
        bad=example(TRAIL, {**_TRAIL_GOOD, "s3BucketName": Ref("bucket", "id")}, *_expiring(30)),
    ),
    Rule(
        id="log-retention",
        title=f"Logs are kept, and not for ever; audit logs for {AUDIT_DAYS} days or more",
        types=(GROUP,),
        check=_retention,
        remedy="Set `retentionInDays` from the stack's settings.",
        controls=RETENTION,
        good=example(GROUP, {"name": "/an/audit/log", "retentionInDays": 400}),
        bad=example(GROUP, {"name": "/an/audit/log", "retentionInDays": 30}),
    ),
    Rule(
        id="bucket-access-logged",
        title="Access to buckets is logged",
        types=(BUCKET_TYPE,),
        check=_access_logged,
        remedy="Give the bucket a BucketLogging into the cell's bucket of access logs.",
        controls=LOGGING,
        whole_plan=True,
        good=example(
            BUCKET_TYPE,
            BUCKET.inputs,
            after=(
                Made(
                    LOGGING_OF,
                    "logging",
                    {"bucket": Ref("it", "id"), "targetBucket": "an-example-bucket", "targetPrefix": "s3/"},
                ),
            ),
        ),
        bad=example(BUCKET_TYPE, BUCKET.inputs),
    ),
    Rule(
        id="network-flows-logged",
        title="Every network logs its flows, accepted and refused",
        types=(_VPC,),
        check=companion(_FLOW, "vpcId", one_of("trafficType", "ALL")),
        remedy="Give the network a FlowLog of all traffic (components.network.flow_log).",
        controls=LOGGING,
        whole_plan=True,
        good=example(
            _VPC,
            {"cidrBlock": "10.0.0.0/16"},
            after=(
                Made(
                    _FLOW,
                    "flows",
                    {
                        "vpcId": Ref("it", "id"),
                        "trafficType": "ALL",
                        "logDestination": _GROUP_ARN,
                        "iamRoleArn": "arn:aws:iam::111122223333:role/example",
                    },
                ),
            ),
        ),
        bad=example(_VPC, {"cidrBlock": "10.0.0.0/16"}),
    ),
    Rule(
        id="balancer-logged",
        title="Load balancers log requests",
        types=(_BALANCER,),
        check=all_of(is_true("accessLogs.enabled"), present("accessLogs.bucket")),
        remedy="Set `accessLogs` to the cell's bucket of access logs.",
        controls=LOGGING,
        good=example(_BALANCER, {**_LB, "accessLogs": _LOGS}),
        bad=example(_BALANCER, _LB),
    ),
    Rule(
        id="api-logged",
        title="The API logs requests",
        types=(_STAGE,),
        check=present("accessLogSettings.destinationArn"),
        remedy="Set `accessLogSettings` of the stage.",
        controls=LOGGING,
        good=example(
            _STAGE,
            {
                **_STAGE_INPUTS,
                "accessLogSettings": {"destinationArn": _GROUP_ARN, "format": "$context.status"},
            },
        ),
        bad=example(_STAGE, _STAGE_INPUTS),
    ),
    Rule(
        id="api-does-not-log-bodies",
        title="The API's logs hold no bodies, which are tenants' data",
        types=(_METHODS,),
        check=value("settings.dataTraceEnabled", lambda v: v is False, "false", default=False),
        remedy="Set `settings.dataTraceEnabled` to false.",
        controls=("SOC2:C1.1", "PCI:3.3.1", "ISO:A.8.11", "ISO:A.8.12", "DORA:9.4", "NIS2:21.2.e"),
        good=example(_METHODS, {**_API, "methodPath": "*/*", "settings": {"dataTraceEnabled": False}}),
        bad=example(_METHODS, {**_API, "methodPath": "*/*", "settings": {"dataTraceEnabled": True}}),
    ),
    Rule(
        id="firewall-logged",
        title="The web application firewall logs its decisions",
        types=(_ACL,),
        check=companion(_ACL_LOG, "resourceArn"),
        remedy="Give the ACL a WebAclLoggingConfiguration.",
        controls=LOGGING,
        whole_plan=True,
        good=example(
            _ACL,
            _FIREWALL,
            after=(
                Made(
                    _ACL_LOG,
                    "log",
                    {
                        "resourceArn": Ref("it", "arn"),
                        "logDestinationConfigs": [f"{_GROUP_ARN.rsplit(':', 1)[0]}:aws-waf-logs-example"],
                    },
                ),
            ),
        ),
        bad=example(_ACL, _FIREWALL),
    ),
    Rule(
        id="database-logged",
        title="Databases export their logs",
        types=(_INSTANCE,),
        check=unless("replicateSourceDb", present("enabledCloudwatchLogsExports")),
        remedy="Set `enabledCloudwatchLogsExports` to postgresql and upgrade.",
        controls=LOGGING,
        good=example(
            _INSTANCE,
            {"instanceClass": "db.t4g.medium", "enabledCloudwatchLogsExports": ["postgresql", "upgrade"]},
        ),
        bad=example(_INSTANCE, {"instanceClass": "db.t4g.medium"}),
    ),
    Rule(
        id="sessions-logged",
        title="Sessions in containers (ECS Exec) are logged",
        types=(_CLUSTER,),
        check=when(
            present("configuration.executeCommandConfiguration"),
            all_of(
                one_of("configuration.executeCommandConfiguration.logging", "OVERRIDE"),
                any_of(
                    present(
                        "configuration.executeCommandConfiguration.logConfiguration.cloudWatchLogGroupName"
                    ),
                    present("configuration.executeCommandConfiguration.logConfiguration.s3BucketName"),
                ),
            ),
        ),
        remedy="Set `logging` to OVERRIDE and name a log group in `logConfiguration`.",
        controls=LOGGING,
        good=example(
            _CLUSTER,
            {
                "configuration": {
                    "executeCommandConfiguration": {
                        "logging": "OVERRIDE",
                        "logConfiguration": {"cloudWatchLogGroupName": "/example"},
                    }
                }
            },
        ),
        bad=example(_CLUSTER, {"configuration": {"executeCommandConfiguration": {"logging": "NONE"}}}),
    ),
    Rule(
        id="trail-watched",
        title="The audit trail is sent to CloudWatch for alarms, besides the archive",
        types=(TRAIL,),
        check=all_of(present("cloudWatchLogsGroupArn"), present("cloudWatchLogsRoleArn")),
        remedy="Set `cloudWatchLogsGroupArn` and `cloudWatchLogsRoleArn`.",
        controls=(*LOGGING, "PCI:10.4.1"),
        good=example(
            TRAIL,
            {
                **_TRAIL_GOOD,
                "cloudWatchLogsGroupArn": f"{_GROUP_ARN}:*",
                "cloudWatchLogsRoleArn": "arn:aws:iam::111122223333:role/example",
            },
        ),
        bad=example(TRAIL, _TRAIL_GOOD),
    ),
)
