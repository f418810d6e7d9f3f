"""The account's CloudTrail: every call in every Region, kept, verified, and with alarms on it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import cloudtrail, cloudwatch, iam

from components.account.audit_bucket import AuditWriter, audit_bucket
from components.common.bucket import SecureBucket
from components.common.context import AccountContext
from components.common.iam_policy import Statement, document, trust
from plan.account.baseline import TrailAlarm
from plan.operations.alarm_names import TRAIL

PREFIX = "cloudtrail"
NAMESPACE = "Tenantry/Account"  # of the metrics that the alarms watch


@dataclass(frozen=True, kw_only=True)
class AuditTrailArgs:
    trail_name: str
    trail_arn: str  # as planned
    key_arn: Input[str]
    alarms: tuple[TrailAlarm, ...]
    bucket: Input[str] | None = None  # None: one of its own
    of_organization: bool = False  # all member accounts' calls too
    shared: AccountContext


class AuditTrail(pulumi.ComponentResource):
    """A multi-Region trail with log file validation, its log group, and alarms on what it says."""

    arn: Output[str]

    def __init__(self, name: str, args: AuditTrailArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:account:AuditTrail", name, None, opts)
        self._name, self._args = name, args
        self._child = ResourceOptions(parent=self)
        group = cloudwatch.LogGroup(
            f"{name}-group",
            name="/" + args.shared.names.path("log-group", "audit", "trail"),
            retention_in_days=args.shared.settings.audit_log_days,
            kms_key_id=args.shared.logs_key_arn,
            opts=self._child,
        )
        role, permission = self._make_role(group)
        trail = cloudtrail.Trail(
            f"{name}-trail",
            name=args.trail_name,
            s3_bucket_name=self._make_bucket() if args.bucket is None else args.bucket,
            s3_key_prefix=PREFIX,
            kms_key_id=args.key_arn,
            is_multi_region_trail=True,
            is_organization_trail=args.of_organization,
            include_global_service_events=True,
            enable_log_file_validation=True,
            enable_logging=True,
            cloud_watch_logs_group_arn=group.arn.apply(lambda arn: f"{arn}:*"),
            cloud_watch_logs_role_arn=role.arn,
            # CloudTrail tries the role when the trail is made, which the property does not say.
            opts=ResourceOptions(parent=self, depends_on=[permission]),
        )
        for alarm in args.alarms:
            self._make_alarm(alarm, group)
        self.arn = trail.arn
        self.register_outputs({"arn": self.arn})

    def _make_bucket(self) -> Output[str]:
        args, shared = self._args, self._args.shared
        settings = shared.settings
        writer = AuditWriter(
            service="cloudtrail",
            folders=[f"{PREFIX}/AWSLogs/{settings.account_id}"],
            source={"aws:SourceArn": args.trail_arn},
        )
        bucket = audit_bucket(
            shared.names.bucket("audit"),
            writer,
            args.key_arn,
            settings,
            shared.access_logs_bucket,
            lock=settings.protect_data,
        )
        return SecureBucket(f"{self._name}-archive", bucket, self._child).name

    def _make_role(self, group: cloudwatch.LogGroup) -> tuple[iam.Role, iam.RolePolicy]:
        shared = self._args.shared
        role = iam.Role(
            f"{self._name}-role",
            name=shared.names.label("role", "trail"),
            description="CloudTrail to CloudWatch Logs",
            assume_role_policy=trust(
                "cloudtrail", account_id=shared.settings.account_id, source_arns=[self._args.trail_arn]
            ),
            permissions_boundary=shared.boundary_arn,
            opts=self._child,
        )
        write = Statement(
            sid="Write",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[group.arn.apply(lambda arn: f"{arn}:log-stream:*")],
        )
        permission = iam.RolePolicy(
            f"{self._name}-write", name="write", role=role.id, policy=document(write), opts=self._child
        )
        return role, permission

    def _make_alarm(self, alarm: TrailAlarm, group: cloudwatch.LogGroup) -> None:
        shared = self._args.shared
        label = shared.names.label("alarm", TRAIL, alarm.name)
        metric = cloudwatch.LogMetricFilter(
            f"{self._name}-{alarm.name}",
            name=label,
            log_group_name=group.name,
            pattern=alarm.pattern,
            metric_transformation={"name": alarm.name, "namespace": NAMESPACE, "value": "1"},
            opts=self._child,
        )
        cloudwatch.MetricAlarm(
            f"{self._name}-{alarm.name}",
            name=label,
            alarm_description=f"critical: {alarm.meaning}",
            namespace=NAMESPACE,
            metric_name=metric.metric_transformation.name,
            statistic="Sum",
            period=60,
            evaluation_periods=1,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[shared.alarms_topic_arn],
            opts=self._child,
        )
