"""CloudWatch alarms, made from plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pulumi import Input, Output, ResourceOptions
from pulumi_aws import cloudwatch

from components.common.context import CellContext
from plan.data.alarms import AlarmPlan
from plan.operations.alarm_names import alarm_name


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What a set of alarms looks at: a namespace of CloudWatch and the dimensions within it."""

    label: str  # in the alarms' names: reports, reports-queue
    namespace: str  # AWS/ECS
    dimensions: Mapping[str, Input[str]]
    seconds: int = 60  # between two looks
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


def alarms(
    name: str, plans: Mapping[str, AlarmPlan], watched: Watched, shared: CellContext, child: ResourceOptions
) -> Mapping[str, Output[str]]:
    """One alarm for each plan, children of the caller; returns their names by the plans' keys."""
    return {key: _alarm(f"{name}-{key}-alarm", key, plans[key], watched, shared, child) for key in plans}


def _alarm(
    name: str, key: str, plan: AlarmPlan, watched: Watched, shared: CellContext, child: ResourceOptions
) -> Output[str]:
    return cloudwatch.MetricAlarm(
        name,
        name=alarm_name(shared.names, watched.label, key, plan.severity),
        alarm_description=f"{plan.severity.value}: {plan.why}",
        namespace=watched.namespace,
        metric_name=plan.metric,
        dimensions=watched.dimensions,
        statistic=plan.statistic,
        comparison_operator="GreaterThanThreshold" if plan.above else "LessThanThreshold",
        threshold=plan.threshold,
        period=watched.seconds,
        evaluation_periods=plan.periods,
        datapoints_to_alarm=plan.periods,
        treat_missing_data="notBreaching" if plan.absent_is_well else "breaching",
        alarm_actions=[shared.alarms_topic_arn],
        ok_actions=[shared.alarms_topic_arn],
        tags={**watched.tags, "severity": plan.severity.value},
        opts=child,
    ).name
