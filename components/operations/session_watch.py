"""The watch of tenants' sessions: a function that looks at a shard, and a schedule for each that calls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import scheduler

from components.common.alarms import Watched, alarms
from components.common.context import CellContext
from components.common.function_code import POSTGRES_DRIVER, FunctionCode
from components.common.iam_policy import Statement
from components.common.json_text import json_text
from components.common.network_function import NetworkFunction, NetworkFunctionArgs, function_role
from components.common.schedules import ScheduleKeyArgs, may_call, schedule_key, schedule_role
from components.data.database import Database
from plan.data.tenant_limits import SessionLimits
from plan.services.session_watch import (
    ALARM_SECONDS,
    DATABASE_USER,
    LABEL,
    NAMESPACE,
    SessionWatchPlan,
    watch_alarms,
)


@dataclass(frozen=True, kw_only=True)
class SessionWatchArgs:
    plan: SessionWatchPlan
    shards: Mapping[str, Database]
    subnet_ids: Sequence[Input[str]]
    group_id: Input[str]
    shared: CellContext


class SessionWatch(pulumi.ComponentResource):
    """Its function may log in as one user, who may end tenants' sessions, and do nothing else."""

    function_arn: Output[str]

    def __init__(self, name: str, args: SessionWatchArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:operations:SessionWatch", name, None, opts)
        plan, shared, child = args.plan, args.shared, ResourceOptions(parent=self)
        role = function_role(
            f"{name}-function-role", LABEL, "Ends sessions of tenants over their limits", shared, child
        )
        group = scheduler.ScheduleGroup(f"{name}-group", name=plan.group, opts=child)
        does = "Has sessions of tenants looked at"
        caller = schedule_role(f"{name}-role", f"{LABEL}-schedule", does, plan.group, shared, child)
        key = schedule_key(
            name,
            ScheduleKeyArgs(
                alias=LABEL,
                purpose="Watch of tenants' sessions",
                role_arn=caller.arn,
                group=plan.group,
                users={"function": role.arn},
                via=("lambda", "scheduler"),
                shared=shared,
            ),
            child,
        )
        function = NetworkFunction(
            name,
            NetworkFunctionArgs(
                plan=plan.function,
                description="Ends sessions of tenants that take more than their limits",
                role=role,
                statements=[_log_in(shared)],
                subnet_ids=args.subnet_ids,
                group_id=args.group_id,
                key_arn=key.arn,
                environment={"CELL": shared.settings.stack},
                code=FunctionCode(plan.function.folder, POSTGRES_DRIVER),
                shared=shared,
            ),
            child,
        )
        policy = may_call(f"{name}-call", caller, [function.arn], child)
        for shard in plan.shards:
            scheduler.Schedule(
                f"{name}-{shard.name}",
                name=shared.names.label("schedule", shard.name),
                group_name=group.name,
                description="Has sessions of tenants looked at, all the time",
                schedule_expression=plan.every,
                flexible_time_window={"mode": "OFF"},
                kms_key_arn=key.arn,
                target={
                    "arn": function.arn,
                    "role_arn": caller.arn,
                    "input": _event(plan, shard.name, shard.limits, args.shards[shard.name]),
                    # A call that was not made is made by the next minute.
                    "retry_policy": {"maximum_retry_attempts": 0, "maximum_event_age_in_seconds": 60},
                },
                opts=ResourceOptions(parent=self, depends_on=[policy]),
            )
        self._alarms(name, args, child)
        self.function_arn = function.arn
        self.register_outputs({"functionArn": self.function_arn})

    def _alarms(self, name: str, args: SessionWatchArgs, child: ResourceOptions) -> None:
        cell = {"Cell": args.shared.settings.stack}
        for label, plans in watch_alarms(args.plan).items():
            shard = {} if label == LABEL else {"Shard": label}
            watched = Watched(
                label=label, namespace=NAMESPACE, dimensions={**cell, **shard}, seconds=ALARM_SECONDS
            )
            of = name if label == LABEL else f"{name}-{label}"
            alarms(of, plans, watched, args.shared, child)


def _log_in(shared: CellContext) -> Statement:
    """As one user of the cell's databases; only shards have such a user that may do anything."""
    return Statement(
        sid="LogInAsTheWatch",
        actions=["rds-db:connect"],
        resources=[shared.arn("rds-db", f"dbuser:*/{DATABASE_USER}")],
    )


def _event(plan: SessionWatchPlan, shard: str, limits: SessionLimits, database: Database) -> Output[str]:
    """As `functions/session_watch/request.py` reads it."""
    return json_text(
        {
            "shard": shard,
            "host": database.endpoint,
            "port": database.port,
            "database": database.database,
            "seconds": plan.seconds,
            "every": plan.between_looks,
            "limits": {
                "statementSeconds": limits.statement_seconds,
                "transactionSeconds": limits.transaction_seconds,
                "idleSeconds": limits.idle_seconds,
                "lockPercent": limits.lock_percent,
                "tempMib": limits.temp_mib,
                "active": limits.active,
                "activeLooks": limits.active_looks,
            },
        }
    )
