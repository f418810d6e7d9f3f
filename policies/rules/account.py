"""Rules on the account: it is monitored, everything is tagged, nothing is in another Region."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from policies.checks import all_of, is_true, one_of, present
from policies.control_ids import DETECTION, INVENTORY, LOCATION
from policies.model import PASS, UNKNOWN, Plan, Resource, Verdict, cannot_tell, fail
from policies.rule import Rule
from policies.rules.example_builders import KEY, below_tenant, example
from policies.tags import tags_of
from tenants.residency import REGIONS

TAGS: Final = ("project", "cell", "environment")
# Types that AWS lets have tags, among those the platform uses; a type that is missing here is not asked.
TAGGED: Final = (
    *("aws:rds/instance:Instance", "aws:kms/key:Key", "aws:s3/bucket:Bucket", "aws:sqs/queue:Queue"),
    *("aws:secretsmanager/secret:Secret", "aws:sns/topic:Topic", "aws:lambda/function:Function"),
    *("aws:ecs/service:Service", "aws:ecs/cluster:Cluster", "aws:ecs/taskDefinition:TaskDefinition"),
    *("aws:iam/role:Role", "aws:iam/policy:Policy", "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"),
    *("aws:ec2/securityGroup:SecurityGroup", "aws:lb/loadBalancer:LoadBalancer", "aws:ec2/eip:Eip"),
    *("aws:cloudwatch/logGroup:LogGroup", "aws:ec2/natGateway:NatGateway", "aws:wafv2/webAcl:WebAcl"),
    *("aws:cognito/userPool:UserPool", "aws:apigateway/restApi:RestApi", "aws:ssm/parameter:Parameter"),
    *("aws:dynamodb/table:Table", "aws:ebs/volume:Volume", "aws:ec2/instance:Instance"),
)
ALLOWED: Final = frozenset(r for regions in REGIONS.values() for r in regions)
# An ARN with a Region, in whatever it stands. Services that are everywhere have none in theirs.
_ARN: Final = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):([a-z]{2}-[a-z]+-\d|[a-z]{2}-[a-z]+-[a-z]+-\d):")
PROVIDER: Final = "pulumi:providers:aws"
# What AWS keeps in one Region for all (CloudFront's certificates and firewalls, the organization's trail).
_GLOBAL: Final = frozenset({"us-east-1"})


def _tags(resource: Resource, plan: Plan) -> Verdict:
    given = tags_of(resource, plan)
    if given is None:
        return cannot_tell("tags is not known before the update")
    missing = [t for t in TAGS if not given.get(t)]
    return fail(f"it has no tag {', '.join(missing)}") if missing else PASS


def _tenant_tag(resource: Resource, plan: Plan) -> Verdict:
    """What hangs below a tenant's component says so, and nothing else."""
    tenant = plan.component_tenant_of(resource)
    tag = resource.get("tags.tenant")
    if not tenant or tag == tenant:
        return PASS
    if tag is UNKNOWN:
        return cannot_tell("tags.tenant is not known before the update")
    return fail(f"it is of tenant {tenant} and its tag says {tag or 'nothing'}")


def _regions(value: Any) -> Iterator[tuple[str, str]]:
    """Service and Region of each ARN in a value."""
    if isinstance(value, str):
        yield from _ARN.findall(value)
    elif isinstance(value, Mapping):
        for v in cast("Mapping[str, Any]", value).values():
            yield from _regions(v)
    elif isinstance(value, list):
        for v in cast("list[Any]", value):
            yield from _regions(v)


_REGION_NAME: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[1-9]")


def _open(plan: Plan) -> frozenset[str]:
    """The stack's own, the one that backups are copied to, and those that the organization opens to all."""
    keys = ("region", "backupCopyRegion", "organizationRegions")  # the last is a list, in whatever notation
    return frozenset(name for key in keys for name in _REGION_NAME.findall(plan.setting(key)))


def _region(resource: Resource, plan: Plan) -> Verdict:
    """In a Region that the stack's settings open, or, where the plan does not say it, in one that the
    platform knows.
    """
    allowed = _open(plan) or ALLOWED
    given = resource.get("region")
    if resource.type == PROVIDER or given is not None:
        if given is UNKNOWN:
            return cannot_tell("region is not known before the update")
        if given not in allowed:
            return fail(f"region is {given!r}, expected {', '.join(sorted(allowed))}")
    elsewhere = sorted({f"{s} in {r}" for s, r in _regions(resource.inputs) if r not in allowed | _GLOBAL})
    return fail(f"it names {', '.join(elsewhere)}") if elsewhere else PASS


_DETECTOR: Final = "aws:guardduty/detector:Detector"
_FEATURE: Final = "aws:guardduty/detectorFeature:DetectorFeature"
_RECORDER: Final = "aws:cfg/recorder:Recorder"
_ON: Final = "aws:cfg/recorderStatus:RecorderStatus"
_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
_RECORDER_ROLE: Final = {"roleArn": "arn:aws:iam::111122223333:role/example"}
_ALARM_INPUTS: Final = {
    "comparisonOperator": "GreaterThanThreshold",
    "evaluationPeriods": 1,
    "metricName": "Errors",
    "namespace": "AWS/Lambda",
    "period": 60,
    "statistic": "Sum",
    "threshold": 0,
}
_TAGS: Final = {"project": "tenantry", "cell": "example", "environment": "prod"}
_QUEUE: Final = "aws:sqs/queue:Queue"

RULES: Final = (
    Rule(
        id="detector-on",
        title="GuardDuty is on, and publishes findings within 15 minutes",
        types=(_DETECTOR,),
        check=all_of(
            is_true("enable", default=True), one_of("findingPublishingFrequency", "FIFTEEN_MINUTES")
        ),
        remedy="Set `enable` and `findingPublishingFrequency`.",
        controls=DETECTION,
        good=example(_DETECTOR, {"enable": True, "findingPublishingFrequency": "FIFTEEN_MINUTES"}),
        bad=example(_DETECTOR, {"enable": False, "findingPublishingFrequency": "FIFTEEN_MINUTES"}),
    ),
    Rule(
        id="detector-features-on",
        title="GuardDuty's optional protections are on",
        types=(_FEATURE,),
        check=one_of("status", "ENABLED"),
        remedy="Set `status` to ENABLED.",
        controls=DETECTION,
        good=example(_FEATURE, {"detectorId": "d", "name": "S3_DATA_EVENTS", "status": "ENABLED"}),
        bad=example(_FEATURE, {"detectorId": "d", "name": "S3_DATA_EVENTS", "status": "DISABLED"}),
    ),
    Rule(
        id="recorder-complete",
        title="AWS Config records every resource type",
        types=(_RECORDER,),
        check=is_true("recordingGroup.allSupported", default=True),
        remedy="Set `recordingGroup.allSupported`.",
        controls=(*DETECTION, *INVENTORY),
        good=example(_RECORDER, {**_RECORDER_ROLE, "recordingGroup": {"allSupported": True}}),
        bad=example(
            _RECORDER,
            {
                **_RECORDER_ROLE,
                "recordingGroup": {"allSupported": False, "resourceTypes": ["AWS::S3::Bucket"]},
            },
        ),
    ),
    Rule(
        id="recorder-on",
        title="AWS Config's recorder is running",
        types=(_ON,),
        check=is_true("isEnabled"),
        remedy="Set `isEnabled`.",
        controls=DETECTION,
        good=example(_ON, {"name": "example", "isEnabled": True}),
        bad=example(_ON, {"name": "example", "isEnabled": False}),
    ),
    Rule(
        id="alarm-heard",
        title="Alarms notify somebody",
        types=(_ALARM,),
        check=all_of(present("alarmActions"), is_true("actionsEnabled", default=True)),
        remedy="Name the cell's alarms topic in `alarmActions`.",
        controls=(*DETECTION, "SOC2:CC7.3", "DORA:17.3"),
        good=example(
            _ALARM, {**_ALARM_INPUTS, "alarmActions": ["arn:aws:sns:eu-west-1:111122223333:example"]}
        ),
        bad=example(_ALARM, _ALARM_INPUTS),
    ),
    Rule(
        id="tagged",
        title=f"Every resource is tagged with {', '.join(TAGS)}",
        types=TAGGED,
        check=_tags,
        remedy="Make it with the platform's provider, whose default_tags say so.",
        controls=INVENTORY,
        whole_plan=True,
        good=example(_QUEUE, {"tags": _TAGS}),
        bad=example(_QUEUE, {"tags": {"project": "tenantry"}}),
    ),
    Rule(
        id="tagged-with-tenant",
        title="A tenant's resources are tagged with the tenant, to separate cost and access",
        types=tuple(t for t in TAGGED if t not in ("aws:ec2/subnet:Subnet", "aws:ec2/natGateway:NatGateway")),
        check=_tenant_tag,
        remedy="Give it the tenant's tags (components.tenants.tenant_key_and_role.tenant_tags).",
        controls=INVENTORY,
        whole_plan=True,
        good=below_tenant(_QUEUE, {"tags": {"tenant": "amber-pay"}}),
        bad=below_tenant(_QUEUE, {"tags": {"tenant": "cobalt-fx"}}),
    ),
    Rule(
        id="in-region",
        title="Every resource is in the cell's Region, and names nothing of another",
        types=("*",),
        check=_region,
        remedy="Open a cell in the other Region; its stack's file says which.",
        controls=LOCATION,
        whole_plan=True,
        good=example("aws:kms/key:Key", KEY.inputs),
        bad=example(_QUEUE, {"name": "an-example", "region": "us-gov-west-1"}),
    ),
)
