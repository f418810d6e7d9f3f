"""Target tracking: how many tasks a service runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import appautoscaling as scaling

from components.common.context import CellContext
from components.services.balancer import Balancer
from plan.services.services import ServicePlan

# The SDK's name for one input of a policy's expression is longer than a line.
_MetricDict: TypeAlias = (
    "scaling.PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricArgsDict"
)
_VISIBLE: Final = "ApproximateNumberOfMessagesVisible"
_OUT: Final = 60  # seconds between two steps up
_IN: Final = 300  # and down: load comes back


@dataclass(frozen=True, kw_only=True)
class ScalingArgs:
    plan: ServicePlan
    cluster_name: Input[str]
    service_name: Input[str]
    balancer: Balancer
    shared: CellContext


class Scaling(pulumi.ComponentResource):
    """By CPU and by requests per task; the larger answer wins. `resource_id` is for further policies."""

    resource_id: Output[str]

    def __init__(self, name: str, args: ScalingArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:compute:Scaling", name, None, opts)
        plan, balancer = args.plan, args.balancer
        target = scaling.Target(
            f"{name}-target",
            service_namespace="ecs",
            scalable_dimension="ecs:service:DesiredCount",
            resource_id=Output.concat("service/", args.cluster_name, "/", args.service_name),
            min_capacity=plan.tasks_min,
            max_capacity=plan.tasks_max,
            opts=ResourceOptions(parent=self),
        )
        label = Output.concat(balancer.arn_suffix, "/", balancer.target_group_suffix)
        for role, metric, resource_label, value in (
            ("cpu", "ECSServiceAverageCPUUtilization", None, plan.cpu_target),
            ("requests", "ALBRequestCountPerTarget", label, plan.requests_target),
        ):
            scaling.Policy(
                f"{name}-{role}",
                name=args.shared.names.label("any", plan.name, role),
                policy_type="TargetTrackingScaling",
                service_namespace=target.service_namespace,
                scalable_dimension=target.scalable_dimension,
                resource_id=target.resource_id,
                target_tracking_scaling_policy_configuration={
                    "target_value": value,
                    "scale_out_cooldown": _OUT,
                    "scale_in_cooldown": _IN,
                    "predefined_metric_specification": {
                        "predefined_metric_type": metric,
                        "resource_label": resource_label,
                    },
                },
                opts=ResourceOptions(parent=self),
            )
        self.resource_id = target.resource_id
        self.register_outputs({"resourceId": self.resource_id})


@dataclass(frozen=True, kw_only=True)
class BacklogArgs:
    """`target` is how many waiting jobs each running task may have before it.

    The quotient is computed by CloudWatch from SQS's and Container Insights' own metrics, so that no
    code has to publish one (Application Auto Scaling user guide, metric math, 2026-11).
    """

    label: str
    cluster_name: Input[str]
    service_name: Input[str]
    resource_id: Input[str]
    queue_name: str
    target: int


def scale_by_backlog(name: str, args: BacklogArgs, child: ResourceOptions) -> scaling.Policy:
    service = {"ClusterName": args.cluster_name, "ServiceName": args.service_name}
    return scaling.Policy(
        name,
        name=args.label,
        policy_type="TargetTrackingScaling",
        service_namespace="ecs",
        scalable_dimension="ecs:service:DesiredCount",
        resource_id=args.resource_id,
        target_tracking_scaling_policy_configuration={
            "target_value": args.target,
            "scale_out_cooldown": _OUT,
            "scale_in_cooldown": _IN,
            "customized_metric_specification": {
                "metrics": [
                    _metric("visible", "AWS/SQS", _VISIBLE, {"QueueName": args.queue_name}),
                    _metric("running", "ECS/ContainerInsights", "RunningTaskCount", service),
                    {"id": "backlog", "expression": "visible / running", "return_data": True},
                ]
            },
        },
        opts=child,
    )


def _metric(key: str, namespace: str, metric: str, dimensions: Mapping[str, Input[str]]) -> _MetricDict:
    """One input of the expression, averaged over the period that target tracking chooses."""
    return {
        "id": key,
        "return_data": False,
        "metric_stat": {
            "stat": "Average",
            "metric": {
                "namespace": namespace,
                "metric_name": metric,
                "dimensions": [{"name": k, "value": v} for k, v in dimensions.items()],
            },
        },
    }
