"""The ECS cluster of a cell, in which both services run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import cloudwatch, ecs

from components.common.alarm_event import AlarmEventArgs, alarm_event
from components.common.context import CellContext
from plan.services.services import cluster_name


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    shared: CellContext


class Cluster(pulumi.ComponentResource):
    """Container insights on. No service allows a shell; were one allowed, each word of it is recorded.

    A deployment that failed raises an alarm: a run of the engine that was killed meanwhile tells nobody.
    """

    arn: Output[str]
    name: Output[str]

    def __init__(self, name: str, args: ClusterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:compute:Cluster", name, None, opts)
        child = ResourceOptions(parent=self)
        shared = args.shared
        sessions = cloudwatch.LogGroup(
            f"{name}-session-logs",
            name=f"/{shared.names.path('log-group', 'ecs-exec')}",
            kms_key_id=shared.logs_key_arn,
            retention_in_days=shared.settings.audit_log_days,
            opts=child,
        )
        recorded = ecs.ClusterConfigurationExecuteCommandConfigurationArgs(
            kms_key_id=shared.logs_key_arn,
            logging="OVERRIDE",
            log_configuration=ecs.ClusterConfigurationExecuteCommandConfigurationLogConfigurationArgs(
                cloud_watch_encryption_enabled=True, cloud_watch_log_group_name=sessions.name
            ),
        )
        cluster = ecs.Cluster(
            f"{name}-cluster",
            name=cluster_name(shared.names),
            settings=[ecs.ClusterSettingArgs(name="containerInsights", value="enhanced")],
            configuration=ecs.ClusterConfigurationArgs(execute_command_configuration=recorded),
            opts=child,
        )
        failed = AlarmEventArgs(
            label="failed-deployment",
            description="ECS has taken the deployment of a service back",
            pattern=_failed_deployments(shared),
            shared=shared,
        )
        alarm_event(f"{name}-failed-deployment", failed, child)
        self.arn, self.name = cluster.arn, cluster.name
        self.register_outputs({"arn": self.arn, "name": self.name})


def _failed_deployments(shared: CellContext) -> Mapping[str, object]:
    """Of this cluster's services (ECS developer guide, "Service deployment state change events", 2026-11)."""
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Deployment State Change"],
        "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
        "resources": [{"prefix": shared.arn("ecs", f"service/{cluster_name(shared.names)}/")}],
    }
