"""The daily check of tenants' protected columns: what its schedules share, and a schedule for each tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import scheduler

from components.common.alarms import Watched, alarms
from components.common.context import CellContext
from components.common.json_text import json_text
from components.common.schedules import ScheduleKeyArgs, may_call, schedule_key, schedule_role
from components.common.waiting import after
from plan.services.protected_check import DAY_SECONDS, LABEL, NAMESPACE, ProtectedCheckPlan
from plan.tenants.tenant import TenantPlan


@dataclass(frozen=True, kw_only=True)
class ProtectedCheckArgs:
    plan: ProtectedCheckPlan
    function_arn: Input[str]  # that looks
    shared: CellContext


class ProtectedCheck(pulumi.ComponentResource):
    """Its role may call this function, for schedules of this group, and do nothing else."""

    group_name: Output[str]
    function_arn: Output[str]  # once the role may call it
    role_arn: Output[str]
    key_arn: Output[str]
    plan: ProtectedCheckPlan

    def __init__(self, name: str, args: ProtectedCheckArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:operations:ProtectedCheck", name, None, opts)
        plan, shared, child = args.plan, args.shared, ResourceOptions(parent=self)
        group = scheduler.ScheduleGroup(f"{name}-group", name=plan.group, opts=child)
        does = "Has tenants' protected columns looked at"
        role = schedule_role(f"{name}-role", LABEL, does, plan.group, shared, child)
        key = schedule_key(
            name,
            ScheduleKeyArgs(
                alias=LABEL,
                purpose="Schedules of the check of protected columns",
                role_arn=role.arn,
                group=plan.group,
                shared=shared,
            ),
            child,
        )
        policy = may_call(f"{name}-call", role, [args.function_arn], child)
        cell = {"Cell": shared.settings.stack}
        found = Watched(label=LABEL, namespace=NAMESPACE, dimensions=cell, seconds=DAY_SECONDS)
        alarms(name, plan.alarms, found, shared, child)
        calls = Watched(
            label=LABEL,
            namespace="AWS/Scheduler",
            dimensions={"ScheduleGroup": group.name},
            seconds=DAY_SECONDS,
        )
        alarms(name, {"dropped": plan.dropped}, calls, shared, child)
        self.plan = plan
        self.group_name, self.role_arn, self.key_arn = group.name, role.arn, key.arn
        self.function_arn = after(Output.from_input(args.function_arn), [policy.id])
        self.register_outputs({"groupName": self.group_name})


@dataclass(frozen=True, kw_only=True)
class TenantCheckArgs:
    plan: TenantPlan
    database: Mapping[str, Input[Any]]  # where the tenant's rows are, as the functions are told of it
    protected: Mapping[str, Any]  # what they are told of its protected columns
    check: ProtectedCheck
    ready: Sequence[pulumi.Resource]  # what makes its place there


def tenant_check(name: str, args: TenantCheckArgs, parent: pulumi.Resource) -> None:
    """A tenant's own schedule; none where it has no protected columns, or leaves: then no row changes."""
    plan, check = args.plan, args.check
    if not plan.checked_daily:
        return
    event = {
        "inspect": True,
        "tenant": plan.id,
        "role": plan.names.sql,
        "schema": plan.names.sql,
        **args.database,
        **args.protected,
    }
    scheduler.Schedule(
        f"{name}-protected-check",
        name=plan.names.protected_check,
        group_name=check.group_name,
        description="Has a tenant's protected columns looked at",
        schedule_expression=check.plan.every,
        flexible_time_window={
            "mode": "FLEXIBLE",
            "maximum_window_in_minutes": check.plan.within_minutes,
        },
        kms_key_arn=check.key_arn,
        target={"arn": check.function_arn, "role_arn": check.role_arn, "input": json_text(event)},
        opts=ResourceOptions(parent=parent, depends_on=list(args.ready)),
    )
