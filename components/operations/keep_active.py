"""One schedule for each function in the network, which calls it once a day so that it stays active, and the
alarms for when that is not so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import iam, scheduler

from components.common.alarms import Watched, alarms
from components.common.context import CellContext
from components.common.iam_policy import Statement, document, trust
from components.common.key import EncryptionKey, EncryptionKeyArgs
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
        role = self._role()
        key = self._key(role.arn)
        policy = iam.RolePolicy(
            f"{name}-policy",
            name="work",
            role=role.id,
            policy=document(
                Statement(
                    sid="CallFunctions",
                    actions=["lambda:InvokeFunction"],
                    resources=list(args.functions.values()),
                )
            ),
            opts=self._child,
        )
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

    def _role(self) -> iam.Role:
        plan, shared = self._args.plan, self._args.shared
        return iam.Role(
            f"{self._name}-role",
            name=shared.names.label("role", "keep-active"),
            description="Calls the cell's functions once a day",
            # Scheduler takes a group here, and no schedule (Scheduler user guide, "Confused deputy
            # prevention", 2026-11).
            assume_role_policy=trust(
                "scheduler",
                account_id=shared.settings.account_id,
                source_arns=[shared.arn("scheduler", f"schedule-group/{plan.group}")],
            ),
            permissions_boundary=shared.boundary_arn,
            opts=self._child,
        )

    def _key(self, role: Input[str]) -> EncryptionKey:
        """Scheduler reads what it sends with the role of the schedule, and writes it as who makes one."""
        plan, shared = self._args.plan, self._args.shared
        schedules = shared.arn("scheduler", f"schedule/{plan.group}/*")
        read = Statement(
            sid="ReadSchedules",
            actions=["kms:Decrypt"],
            resources=["*"],
            principals={"AWS": [role]},
            condition={"StringLike": {"kms:EncryptionContext:aws:scheduler:schedule:arn": schedules}},
        )
        args = EncryptionKeyArgs(
            settings=shared.settings,
            alias=shared.names.path("alias", "keep-active"),
            purpose="Schedules that call the cell's functions",
            users={},
            via=("scheduler",),
            extra=(read,),
        )
        return EncryptionKey(self._name, args, self._child)

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
