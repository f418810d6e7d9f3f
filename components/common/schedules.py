"""The role and the key of a group of schedules that call functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pulumi import Input, ResourceOptions
from pulumi_aws import iam

from components.common.context import CellContext
from components.common.iam_policy import Statement, document, trust
from components.common.key import EncryptionKey, EncryptionKeyArgs


def schedule_role(
    name: str, label: str, description: str, group: str, shared: CellContext, child: ResourceOptions
) -> iam.Role:
    """Scheduler's, for schedules of the group: it takes a group here, and no schedule (Scheduler user guide,
    "Confused deputy prevention", 2026-11).
    """
    return iam.Role(
        name,
        name=shared.names.label("role", label),
        description=description,
        assume_role_policy=trust(
            "scheduler",
            account_id=shared.settings.account_id,
            source_arns=[shared.arn("scheduler", f"schedule-group/{group}")],
        ),
        permissions_boundary=shared.boundary_arn,
        opts=child,
    )


def may_call(
    name: str, role: iam.Role, functions: Sequence[Input[str]], child: ResourceOptions
) -> iam.RolePolicy:
    """These functions, and nothing else."""
    statement = Statement(sid="CallFunctions", actions=["lambda:InvokeFunction"], resources=list(functions))
    return iam.RolePolicy(name, name="work", role=role.id, policy=document(statement), opts=child)


@dataclass(frozen=True, kw_only=True)
class ScheduleKeyArgs:
    alias: str
    purpose: str
    role_arn: Input[str]  # of the schedules
    group: str
    users: Mapping[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    via: Sequence[str] = ("scheduler",)
    shared: CellContext


def schedule_key(name: str, given: ScheduleKeyArgs, child: ResourceOptions) -> EncryptionKey:
    """Scheduler reads what it sends with the role of the schedule, and writes it as who makes one."""
    shared = given.shared
    schedules = shared.arn("scheduler", f"schedule/{given.group}/*")
    read = Statement(
        sid="ReadSchedules",
        actions=["kms:Decrypt"],
        resources=["*"],
        principals={"AWS": [given.role_arn]},
        condition={"StringLike": {"kms:EncryptionContext:aws:scheduler:schedule:arn": schedules}},
    )
    args = EncryptionKeyArgs(
        settings=shared.settings,
        alias=shared.names.path("alias", given.alias),
        purpose=given.purpose,
        users=given.users,
        via=given.via,
        extra=(read,),
    )
    return EncryptionKey(name, args, child)
