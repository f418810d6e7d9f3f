"""The landing zone of a cell's account: recorded, watched, closed by default, and bounded."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from pulumi import Output
from pulumi_aws import iam

from components.account.baseline import AccountBaseline, AccountBaselineArgs
from components.account.boundary import MAX_POLICY
from components.account.detectors import SCANNED
from components.organization.audit_account import INSPECTED
from devtools.mocks import Recording, Registered, run
from iam.documents import parse
from iam.evaluate import Policies, Principal, Request, decide
from plan.account.baseline import (
    ALLOWED,
    EVIDENCE,
    REFUSED,
    REFUSED_UNLESS_ENDING,
    actions,
    ceilings,
    duties,
    trail_alarms,
)
from tests.cells import settings_of
from tests.components.account import names_of

STACKS = ("dev", "prod")
in_both_stacks = pytest.mark.parametrize("stack", STACKS)


@cache
def baseline(stack: str, scope: str = "account", detection: str = "own") -> Recording:
    settings = replace(settings_of(stack), account_scope=scope, detection=detection)
    args = AccountBaselineArgs(settings=settings, names=names_of(settings), duties=duties(settings))
    return run(lambda: AccountBaseline("baseline", args))


def one(stack: str, kind: str) -> Registered:
    (only,) = baseline(stack).of(f":{kind}")
    return only


def statements(policy: str) -> dict[str, dict[str, Any]]:
    return {s["Sid"]: s for s in json.loads(policy)["Statement"]}


def waits_for(resource: Registered, name: str) -> bool:
    return any(urn.endswith(f"::{name}") for urn in resource.dependencies)


# The boundary


def boundary(stack: str) -> str:
    return str(baseline(stack).one("iam/policy:Policy", "baseline-boundary").inputs["policy"])


@in_both_stacks
def test_the_boundary_fits_a_managed_policy(stack: str) -> None:
    assert len("".join(boundary(stack).split())) <= MAX_POLICY


def decision(document: str, action: str, region: str) -> bool:
    """Whether the boundary leaves `action` possible, as IAM evaluates it."""
    allowed = False
    for statement in json.loads(document)["Statement"]:
        hit = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in statement["Action"])
        condition = statement.get("Condition", {}).get("StringNotEquals", {})
        applies = hit and region not in condition.values()
        if applies and statement["Effect"] == "Deny":
            return False
        allowed |= applies
    return allowed


def test_an_allowance_without_resources_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALLOWED, "kinesis", "PutRecord")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="say in WITHIN of which resources kinesis is allowed"):
        ceilings(settings_of("dev"))


@pytest.mark.parametrize(("tags", "allowed"), [({}, False), ({"exported"}, False), ({"ending"}, True)])
def test_only_the_key_of_a_tenant_whose_leaving_has_come_so_far_may_be_deleted(
    tags: set[str], allowed: bool
) -> None:
    settings = settings_of("prod")
    key = f"arn:aws:kms:{settings.region}:{settings.account_id}:key/k"
    who = Principal("AWS", f"arn:aws:iam::{settings.account_id}:role/r", settings.account_id)
    facts = {"aws:RequestedRegion": (settings.region,)}
    facts |= {"aws:ResourceTag/leaving": tuple(tags)} if tags else {}
    everything = parse('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}')
    asked = Request("kms:ScheduleKeyDeletion", key, who, facts)
    found = decide(asked, Policies(identity=[everything], boundary=parse(boundary("prod"))))
    assert found.allowed is allowed


@pytest.mark.parametrize("action", sorted({*actions(ALLOWED)} - {*actions(REFUSED_UNLESS_ENDING)}))
def test_the_boundary_leaves_what_the_platform_does_in_its_region_and_nowhere_else(action: str) -> None:
    settings = settings_of("prod")
    assert decision(boundary("prod"), action, settings.region)
    assert not decision(boundary("prod"), action, "us-east-1")


@pytest.mark.parametrize(
    "action",
    [
        *("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary", "iam:CreatePolicyVersion"),
        *("iam:CreateUser", "iam:CreateAccessKey", "iam:PassRole", "iam:UpdateAssumeRolePolicy"),
        *("cloudtrail:StopLogging", "config:StopConfigurationRecorder", "guardduty:DeleteDetector"),
        *("organizations:LeaveOrganization", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"),
        *("s3:PutBucketPolicy", "ec2:RunInstances", "lambda:UpdateFunctionCode", "rds:DeleteDBInstance"),
    ],
)
def test_the_boundary_takes_away_what_would_lead_out_of_it(action: str) -> None:
    assert not decision(boundary("prod"), action, settings_of("prod").region)


def test_nothing_is_both_allowed_and_refused() -> None:
    assert set(actions(ALLOWED)) & set(actions(REFUSED)) == set()
    assert set(actions(EVIDENCE)) <= set(actions(REFUSED))
    assert [a for a in actions(ALLOWED) if "*" in a] == []


@in_both_stacks
def test_every_role_of_the_baseline_has_a_boundary(stack: str) -> None:
    roles = baseline(stack).of("iam/role:Role")
    assert len(roles) == 2
    assert [r.name for r in roles if not r.inputs.get("permissionsBoundary")] == []


# Records


@in_both_stacks
def test_the_trail_sees_every_region_is_validated_encrypted_and_kept(stack: str) -> None:
    trail = one(stack, "Trail").inputs
    for flag in (
        *("isMultiRegionTrail", "includeGlobalServiceEvents", "enableLogFileValidation"),
        "enableLogging",
    ):
        assert trail[flag] is True, flag
    assert trail["kmsKeyId"].endswith("baseline-archive-key-key")
    assert trail["s3BucketName"] == names_of(settings_of(stack)).bucket("audit")
    group = baseline(stack).one("logGroup:LogGroup", "baseline-trail-group")
    assert trail["cloudWatchLogsGroupArn"].endswith("baseline-trail-group:*")
    assert group.inputs["retentionInDays"] == settings_of(stack).audit_log_days
    assert group.inputs["kmsKeyId"].endswith("baseline-logs-key")


@in_both_stacks
def test_the_trail_waits_for_its_bucket_s_policy_and_its_role_s(stack: str) -> None:
    trail = one(stack, "Trail")
    assert waits_for(trail, "baseline-trail-archive-policy")
    assert waits_for(trail, "baseline-trail-write")


@in_both_stacks
def test_records_are_written_by_this_account_s_trail_and_recorder_only(stack: str) -> None:
    settings = settings_of(stack)
    trail = f"arn:aws:cloudtrail:{settings.region}:{settings.account_id}:trail/tenantry-{stack}-trail"
    assert one(stack, "Trail").inputs["name"] == trail.rsplit("/", 1)[1]
    expected = {
        "baseline-trail-archive-policy": ("CloudtrailWrites", {"aws:SourceArn": trail}),
        "baseline-config-history-policy": ("ConfigWrites", {"aws:SourceAccount": settings.account_id}),
    }
    for name, (sid, source) in expected.items():
        found = statements(baseline(stack).one("bucketPolicy:BucketPolicy", name).inputs["policy"])
        (writer,) = [s for s in found.values() if s["Effect"] == "Allow" and "s3:PutObject" in s["Action"]]
        assert writer["Sid"] == sid
        assert source.items() <= writer["Condition"]["StringEquals"].items()
        assert f"/AWSLogs/{settings.account_id}/" in writer["Resource"][0]


def test_the_archive_takes_digests_under_the_key_of_s3() -> None:
    policy = baseline("prod").one("bucketPolicy:BucketPolicy", "baseline-trail-archive-policy")
    assert {"KmsOnly", "OwnKeyOnly"} & set(statements(policy.inputs["policy"])) == set()


@in_both_stacks
def test_the_trail_is_locked_for_as_long_as_audits_ask_where_data_is_protected(stack: str) -> None:
    settings, found = settings_of(stack), baseline(stack)
    bucket = found.one("s3/bucket:Bucket", "baseline-trail-archive-bucket")
    assert bucket.protect is settings.protect_data
    locks = {r.name: r.inputs["rule"]["defaultRetention"] for r in found.of("BucketObjectLockConfiguration")}
    retention = {"mode": "COMPLIANCE", "days": settings.audit_log_days}
    assert locks == ({"baseline-trail-archive-lock": retention} if settings.protect_data else {})


@in_both_stacks
def test_access_logs_lie_where_their_writers_can_write(stack: str) -> None:
    settings, found = settings_of(stack), baseline(stack)
    encryption = found.one(
        "BucketServerSideEncryptionConfiguration", "baseline-archive-access-encryption"
    ).inputs["rules"][0]
    assert encryption["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    policy = found.one("bucketPolicy:BucketPolicy", "baseline-archive-access-policy").inputs["policy"]
    writers = {sid: s for sid, s in statements(policy).items() if s["Effect"] == "Allow"}
    assert {s["Principal"]["Service"][0] for s in writers.values()} == {
        "logging.s3.amazonaws.com",
        "logdelivery.elasticloadbalancing.amazonaws.com",
    }
    balancer = writers["BalancersWrite"]
    for prefix in ("", "alb/monolith/"):
        log = (
            f"arn:aws:s3:::{names_of(settings).bucket('access-logs')}/{prefix}AWSLogs/{settings.account_id}/x"
        )
        assert fnmatchcase(log, balancer["Resource"][0]), log
    assert f":{settings.account_id}:loadbalancer/" in balancer["Condition"]["ArnLike"]["aws:SourceArn"]


@in_both_stacks
def test_config_records_everything_and_is_switched_on_last(stack: str) -> None:
    recorder, status = one(stack, "Recorder"), one(stack, "RecorderStatus")
    assert recorder.inputs["recordingGroup"] == {"allSupported": True, "includeGlobalResourceTypes": True}
    assert status.inputs["isEnabled"] is True
    assert waits_for(status, "baseline-config-channel")
    assert waits_for(one(stack, "DeliveryChannel"), "baseline-config-history-policy")


# Alarms


@in_both_stacks
def test_each_alarm_of_the_trail_reaches_a_person(stack: str) -> None:
    found, settings = baseline(stack), settings_of(stack)
    for alarm in trail_alarms("arn:x"):
        metric = found.one("LogMetricFilter", f"baseline-trail-{alarm.name}").inputs
        watch = found.one("MetricAlarm", f"baseline-trail-{alarm.name}").inputs
        assert watch["metricName"] == metric["metricTransformation"]["name"]
        assert watch["namespace"] == metric["metricTransformation"]["namespace"]
        assert watch["alarmActions"] == ["arn:aws:mock:eu-west-1:111122223333:baseline-alarms-topic"]
        assert watch["threshold"] == 1
        assert watch["treatMissingData"] == "notBreaching"
    email = one(stack, "TopicSubscription").inputs
    assert (email["protocol"], email["endpoint"]) == ("email", settings.alarm_email)


@in_both_stacks
def test_assuming_the_break_glass_role_is_what_its_alarm_listens_to(stack: str) -> None:
    settings = settings_of(stack)
    pattern = baseline(stack).one("LogMetricFilter", "baseline-trail-break-glass").inputs["pattern"]
    role = baseline(stack).one("iam/role:Role", "baseline-break-glass-role").inputs["name"]
    assert f'"arn:aws:iam::{settings.account_id}:role/{role}"' in pattern
    assert "AssumeRole" in pattern


@in_both_stacks
def test_nothing_waits_for_a_person_to_confirm_an_address(stack: str) -> None:
    waiting = [r.name for r in baseline(stack).resources if waits_for(r, "baseline-alarms-email")]
    assert waiting == []


def test_only_this_account_s_alarms_rules_and_budgets_write_to_the_topic() -> None:
    settings = settings_of("prod")
    policy = statements(one("prod", "TopicPolicy").inputs["policy"])
    allowed = {s["Principal"]["Service"][0]: s for s in policy.values() if s["Effect"] == "Allow"}
    assert set(allowed) == {f"{s}.amazonaws.com" for s in ("cloudwatch", "events", "budgets")}
    for statement in allowed.values():
        assert f":{settings.account_id}:" in statement["Condition"]["ArnLike"]["aws:SourceArn"]
    assert policy["TlsOnly"]["Effect"] == "Deny"


def test_the_topic_s_key_asks_for_the_topic_and_not_for_a_source_that_eventbridge_never_names() -> None:
    key = baseline("prod").one("kms/key:Key", "baseline-alarms-key-key")
    found = statements(key.inputs["policy"])
    for sid in ("ServiceCloudwatch", "ServiceEvents", "ServiceBudgets"):
        (condition,) = found[sid]["Condition"].values()
        assert set(condition) == {"kms:EncryptionContext:aws:sns:topicArn"}


@in_both_stacks
def test_the_account_s_costs_are_told_before_they_are_over_the_budget(stack: str) -> None:
    budget = one(stack, "Budget").inputs
    assert budget["limitAmount"] == f"{settings_of(stack).budget_usd}.0"
    found = {(n["notificationType"], n["threshold"]): n for n in budget["notifications"]}
    assert set(found) == {("ACTUAL", 80), ("FORECASTED", 100)}
    topic = "arn:aws:mock:eu-west-1:111122223333:baseline-alarms-topic"
    assert all(n["subscriberSnsTopicArns"] == [topic] for n in found.values())


# Detectors and defaults

EXPECTED: Mapping[str, Mapping[str, Any]] = {
    "Detector": {"enable": True, "findingPublishingFrequency": "FIFTEEN_MINUTES"},
    "EncryptionByDefault": {"enabled": True},
    "SnapshotBlockPublicAccess": {"state": "block-all-sharing"},
    "ImageBlockPublicAccess": {"state": "block-new-sharing"},
    "InstanceMetadataDefaults": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
    "VpcBlockPublicAccessOptions": {"internetGatewayBlockMode": "block-ingress"},
    "AccountPublicAccessBlock": {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    },
    "AccountPasswordPolicy": {"minimumPasswordLength": 16, "passwordReusePrevention": 24},
    "Enabler": {"resourceTypes": ["EC2", "ECR", "LAMBDA"]},
}


@in_both_stacks
@pytest.mark.parametrize("kind", EXPECTED)
def test_the_account_is_watched_and_closed_by_default(stack: str, kind: str) -> None:
    inputs = one(stack, kind).inputs
    assert {k: inputs.get(k) for k in EXPECTED[kind]} == EXPECTED[kind]


@in_both_stacks
def test_volumes_without_a_key_get_one_of_this_account(stack: str) -> None:
    default = one(stack, "DefaultKmsKey")
    assert default.inputs["keyArn"].endswith("baseline-defaults-volumes-key")
    assert waits_for(default, "baseline-defaults-volumes")


@in_both_stacks
def test_security_hub_checks_good_practice_and_card_data_rules(stack: str) -> None:
    subscriptions = baseline(stack).of("StandardsSubscription")
    region = settings_of(stack).region
    assert {s.inputs["standardsArn"] for s in subscriptions} == {
        f"arn:aws:securityhub:{region}::standards/aws-foundational-security-best-practices/v/1.0.0",
        f"arn:aws:securityhub:{region}::standards/pci-dss/v/4.0.1",
    }
    assert all(waits_for(s, "baseline-detectors-security-hub") for s in subscriptions)


@in_both_stacks
def test_access_from_outside_and_access_that_nobody_uses_are_found(stack: str) -> None:
    kinds = {a.inputs["type"] for a in baseline(stack).of("Analyzer")}
    assert kinds == {"ACCOUNT", "ACCOUNT_UNUSED_ACCESS"}


BY_AN_ORGANIZATION = ("Detector", "DetectorFeature", "securityhub/account:Account", "StandardsSubscription")


def test_what_the_organization_switches_on_is_not_made_twice() -> None:
    """Its findings still reach the account's alarms; Inspector and the analyzers are the account's own."""
    own, left = baseline("prod"), baseline("prod", detection="organization")
    assert all(own.of(kind) for kind in BY_AN_ORGANIZATION)
    assert not [r.type for kind in BY_AN_ORGANIZATION for r in left.of(kind)]
    gone = {r.name for r in own.resources} - {r.name for r in left.resources}
    assert gone == {r.name for kind in BY_AN_ORGANIZATION for r in own.of(kind)}
    assert {r.name for r in baseline("prod", detection="handover").resources} == {
        r.name for r in own.resources
    }


def test_serious_findings_reach_the_alarms() -> None:
    pattern = json.loads(one("prod", "EventRule").inputs["eventPattern"])
    assert pattern["detail"] == {"severity": [{"numeric": [">=", 7]}]}
    assert one("prod", "EventTarget").inputs["arn"].endswith("baseline-alarms-topic")


# Emergencies


@in_both_stacks
def test_the_break_glass_role_needs_a_fresh_second_factor_and_lasts_an_hour(stack: str) -> None:
    role = baseline(stack).one("iam/role:Role", "baseline-break-glass-role").inputs
    (trusted,) = statements(role["assumeRolePolicy"]).values()
    assert trusted["Principal"] == {"AWS": [f"arn:aws:iam::{settings_of(stack).account_id}:root"]}
    assert trusted["Condition"] == {
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
    }
    assert role["maxSessionDuration"] == 3600


def test_the_break_glass_role_cannot_stop_what_records_it_nor_gain_more() -> None:
    found = baseline("prod")
    evidence = found.one("iam/rolePolicy:RolePolicy", "baseline-break-glass-evidence").inputs["policy"]
    (refusal,) = statements(evidence).values()
    assert refusal["Effect"] == "Deny"
    assert {"cloudtrail:StopLogging", "config:StopConfigurationRecorder", "guardduty:DeleteDetector"} <= set(
        refusal["Action"]
    )
    role = found.one("iam/role:Role", "baseline-break-glass-role").inputs
    attached = found.one("RolePolicyAttachment", "baseline-break-glass-repair").inputs["policyArn"]
    assert role["permissionsBoundary"] == attached == "arn:aws:iam::aws:policy/PowerUserAccess"


# Two cells in one account

ONCE_PER_ACCOUNT = {
    *(
        "Trail",
        "ServiceLinkedRole",
        "AccountPublicAccessBlock",
        "AccountPasswordPolicy",
        "RolePolicyAttachment",
    ),
    *("LogMetricFilter", "MetricAlarm", "Budget"),
}
ONCE_PER_REGION = {
    *(
        "Detector",
        "DetectorFeature",
        "EventRule",
        "EventTarget",
        "Account",
        "StandardsSubscription",
        "Analyzer",
    ),
    *("Enabler", "Recorder", "DeliveryChannel", "RecorderStatus", "EncryptionByDefault", "DefaultKmsKey"),
    *("SnapshotBlockPublicAccess", "ImageBlockPublicAccess", "InstanceMetadataDefaults"),
    "VpcBlockPublicAccessOptions",
}


def kinds(scope: str) -> set[str]:
    found = baseline("prod", scope).resources
    return {r.type.rsplit(":", 1)[1] for r in found if r.type.startswith("aws:")}


def test_a_stack_leaves_alone_what_another_one_looks_after() -> None:
    whole, regional, none = kinds("account"), kinds("region"), kinds("none")
    assert whole >= ONCE_PER_ACCOUNT | ONCE_PER_REGION
    assert regional >= ONCE_PER_REGION
    assert regional & ONCE_PER_ACCOUNT == set()
    assert none & (ONCE_PER_ACCOUNT | ONCE_PER_REGION) == set()


def test_a_second_region_records_no_global_resource_twice_and_makes_no_second_role() -> None:
    (recorder,) = baseline("prod", "region").of(":Recorder")
    assert recorder.inputs["recordingGroup"]["includeGlobalResourceTypes"] is False
    account = settings_of("prod").account_id
    role = "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    assert recorder.inputs["roleArn"] == f"arn:aws:iam::{account}:{role}"


@pytest.mark.parametrize("scope", ["account", "region", "none"])
def test_what_the_cell_itself_needs_is_there_whatever_it_looks_after(scope: str) -> None:
    found = baseline("prod", scope)
    needed = (
        "baseline-boundary",
        "baseline-logs-key",
        "baseline-archive-access-bucket",
        "baseline-alarms-topic",
    )
    names = {r.name for r in found.resources}
    assert [n for n in needed if n not in names] == []


# The whole


@in_both_stacks
def test_every_log_group_and_topic_is_encrypted_and_keys_are_protected_with_the_data(stack: str) -> None:
    found = baseline(stack)
    groups, topics = found.of("LogGroup"), found.of("sns/topic:Topic")
    assert [g.name for g in groups if not g.inputs.get("kmsKeyId")] == []
    assert [t.name for t in topics if not t.inputs.get("kmsMasterKeyId")] == []
    keys = found.of("kms/key:Key")
    assert len(keys) == 4
    assert {k.protect for k in keys} == {settings_of(stack).protect_data}


@in_both_stacks
def test_names_are_unique_and_policies_say_nothing_twice(stack: str) -> None:
    found = baseline(stack)
    keys = [r.key for r in found.resources]
    assert len(set(keys)) == len(keys)


def test_the_shared_parts_are_the_baseline_s_own() -> None:
    settings = settings_of("prod")

    def program() -> None:
        made = AccountBaseline(
            "baseline",
            AccountBaselineArgs(settings=settings, names=names_of(settings), duties=duties(settings)),
        )
        handed = {f.name: getattr(made.shared, f.name) for f in fields(made.shared)[2:]}
        iam.Policy("probe", policy=Output.json_dumps(handed))

    mock = "arn:aws:mock:eu-west-1:111122223333:"
    probe = run(program).one("iam/policy:Policy", "probe")
    assert json.loads(probe.inputs["policy"]) == {
        "boundary_arn": f"{mock}baseline-boundary",
        "logs_key_arn": f"{mock}baseline-logs-key",
        "access_logs_bucket": names_of(settings).bucket("access-logs"),
        "alarms_topic_arn": f"{mock}baseline-alarms-topic",
        "alarms_key_arn": f"{mock}baseline-alarms-key-key",
    }


def test_inspector_scans_in_an_account_what_an_organization_switches_on_there() -> None:
    """Something else would be switched off in each run, by accounts that may not."""
    assert SCANNED == INSPECTED
