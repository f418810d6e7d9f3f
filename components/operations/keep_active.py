"""One schedule for each function in the network, which calls it once a day so that it stays active, and the
alarms for when that is not so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import scheduler

from components.common.alarms import Watched, alarms
from components.common.context import CellContext
from components.common.schedules import ScheduleKeyArgs, may_call, schedule_key, schedule_role
from plan.services.keep_active import DAY_SECONDS, LABEL, KeepActivePlan


@dataclass(frozen=True, kw_only=True)
class KeepActiveArgs:
    plan: KeepActivePlan
    functions: Mapping[str, Input[str]]  # by a word: ARN
    shared: CellContext


class KeepActive(pulumi.ComponentResource):
    """Its role may call these functions, for schedules of this group, and do nothing else."""

    group_arn: Output[str]

    def __init__(self, name: str, args: KeepActiveArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:operations:KeepActive", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        group = scheduler.ScheduleGroup(f"{name}-group", name=args.plan.group, opts=self._child)
        calls, shared, child = args.plan.group, args.shared, self._child
        does = "Calls the cell's functions once a day"
        role = schedule_role(f"{name}-role", LABEL, does, calls, shared, child)
        key_args = ScheduleKeyArgs(
            alias=LABEL,
            purpose="Schedules that call the cell's functions",
            role_arn=role.arn,
            group=calls,
            shared=shared,
        )
        key = schedule_key(name, key_args, child)
        policy = may_call(f"{name}-policy", role, list(args.functions.values()), child)
        for word, function in args.functions.items():
            self._schedule(word, function, group.name, role.arn, key.arn, policy)
        watched = Watched(
            label=LABEL,
            namespace="AWS/Scheduler",
            dimensions={"ScheduleGroup": group.name},
            seconds=DAY_SECONDS,
        )
        alarms(name, args.plan.alarms(len(args.functions)), watched, args.shared, self._child)
        self.group_arn = group.arn
        self.register_outputs({"groupArn": self.group_arn})

    def _schedule(
        self,
        word: str,
        function: Input[str],
        group: Input[str],
        role: Input[str],
        key: Input[str],
        policy: pulumi.Resource,
    ) -> None:
        plan, shared = self._args.plan, self._args.shared
        scheduler.Schedule(
            f"{self._name}-{word}",
            name=shared.names.label("schedule", word),
            group_name=group,
            description="Calls a function that would lose its place in the network if it were idle",
            schedule_expression=plan.every,
            flexible_time_window={
                "mode": "FLEXIBLE",
                "maximum_window_in_minutes": plan.within_minutes,
            },
            kms_key_arn=key,
            target={"arn": function, "role_arn": role, "input": plan.event},
            opts=ResourceOptions(parent=self, depends_on=[policy]),
        )
