"""The state machine of lifecycle work, and what starts its executions: one for the cell, in Step Functions.

docs/adr/0027: a lifecycle call outlasts what a call of Lambda may take, and is carried out once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Alias, Input, Output, ResourceOptions
from pulumi_aws import cloudwatch, iam, lambda_, sfn

from components.common.context import CellContext
from components.common.function_code import FunctionCode, function_archive
from components.common.function_policy import function_basics, tracing
from components.common.iam_policy import Statement, document, trust
from components.common.json_text import json_text
from components.common.key import EncryptionKey, EncryptionKeyArgs, ServiceUse
from components.common.network_function import RUNTIME, function_log, function_role, make_function_log
from components.tenants.lifecycle_calls import keep_call_records
from plan.tenants.lifecycle_machine import LifecyclePlan, definition

# Step Functions developer guide, "Logging to CloudWatch Logs", 2026-11: none of these can name a resource.
DELIVER_LOGS: Final = (
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
    *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"),
    "logs:DescribeLogGroups",
)


@dataclass(frozen=True, kw_only=True)
class LifecycleMachineArgs:
    plan: LifecyclePlan
    subnet_ids: Sequence[Input[str]]  # of its starters' segment
    group_id: Input[str]  # of its starters
    shared: CellContext


@dataclass(frozen=True, kw_only=True)
class StarterCommons:
    """What the starters of a machine have in common."""

    role_arn: Output[str]
    policy: pulumi.Resource
    vpc_config: lambda_.FunctionVpcConfigArgsDict


class LifecycleMachine(pulumi.ComponentResource):
    """It calls the workers and nothing else; inputs, which name what is a tenant's, are under its key."""

    plan: LifecyclePlan
    arn: Output[str]
    key_arn: Output[str]
    starters: StarterCommons

    def __init__(self, name: str, args: LifecycleMachineArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:functions:LifecycleMachine", name, None, opts)
        self.plan, self._name, self._shared = args.plan, name, args.shared
        self._child = ResourceOptions(parent=self)
        role, starter, policies = self._roles()
        key = self._key(role.arn, starter.arn)
        machine = sfn.StateMachine(
            f"{name}-machine",
            name=args.plan.name,
            type="STANDARD",
            role_arn=role.arn,
            definition=json_text(definition(), compact=True),
            encryption_configuration={
                "type": "CUSTOMER_MANAGED_KMS_KEY",
                "kms_key_id": key.arn,
                "kms_data_key_reuse_period_seconds": 300,
            },
            logging_configuration={
                "level": "ALL",
                "include_execution_data": False,
                "log_destination": Output.concat(self._logs().arn, ":*"),
            },
            tracing_configuration={"enabled": True},
            opts=ResourceOptions(parent=self, depends_on=list(policies)),
        )
        self.arn, self.key_arn = machine.arn, key.arn
        self.starters = StarterCommons(
            role_arn=starter.arn,
            policy=policies[-1],
            vpc_config={"subnet_ids": args.subnet_ids, "security_group_ids": [args.group_id]},
        )
        self.register_outputs({"arn": self.arn})

    def _machine_arn(self, kind: str = "stateMachine", more: str = "") -> str:
        return self._shared.arn("states", f"{kind}:{self.plan.name}{more}")

    def _roles(self) -> tuple[iam.Role, iam.Role, Sequence[iam.RolePolicy]]:
        """The machine's and the starters', with their policies."""
        name, shared = self._name, self._shared
        role = iam.Role(
            f"{name}-role",
            name=shared.names.label("role", "lifecycle"),
            description="Calls the functions that do lifecycle work",
            assume_role_policy=trust(
                "states", account_id=shared.settings.account_id, source_arns=[self._machine_arn()]
            ),
            permissions_boundary=shared.boundary_arn,
            opts=self._child,
        )
        starter = function_role(
            f"{name}-starter-role", "lifecycle-starter", "Starts lifecycle work", shared, self._child
        )
        statements = {role: self._calls_workers(), starter: self._starts_executions()}
        policies = [
            iam.RolePolicy(
                f"{name}{word}-policy",
                name="work",
                role=owner.id,
                policy=document(*statements[owner]),
                opts=self._child,
            )
            for word, owner in (("", role), ("-starter", starter))
        ]
        return role, starter, policies

    def _calls_workers(self) -> Sequence[Statement]:
        workers = [self._shared.arn("lambda", f"function:{name}") for name in self.plan.workers.values()]
        return (
            Statement(sid="CallWorkers", actions=["lambda:InvokeFunction"], resources=workers),
            Statement(sid="DeliverLogs", actions=DELIVER_LOGS, resources=["*"]),
            tracing("xray:GetSamplingRules", "xray:GetSamplingTargets"),
        )

    def _starts_executions(self) -> Sequence[Statement]:
        logs = [f"log-group:{function_log(name)}:log-stream:*" for name in self.plan.starters.values()]
        return (
            Statement(
                sid="StartExecutions",
                actions=["states:StartExecution", "states:ListExecutions"],
                resources=[self._machine_arn()],
            ),
            Statement(
                sid="FollowExecutions",
                actions=["states:DescribeExecution"],
                resources=[self._machine_arn("execution", ":*")],
            ),
            keep_call_records(self._shared),
            Statement(
                sid="WriteLogs",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[self._shared.arn("logs", log) for log in logs],
            ),
            *function_basics(self._shared, *self.plan.starters.values()),
        )

    def _key(self, machine: Input[str], starter: Input[str]) -> EncryptionKey:
        shared = self._shared
        # Step Functions encrypts what it logs of such a machine under its key (developer guide, "Data at rest
        # encryption", 2026-11).
        groups = f"arn:aws:logs:{shared.settings.region}:{shared.settings.account_id}:*"
        delivery = ServiceUse(
            service="delivery.logs",
            condition={"StringEquals": {"kms:EncryptionContext:SourceArn": groups}},
            actions=("kms:Decrypt",),
        )
        args = EncryptionKeyArgs(
            settings=shared.settings,
            alias=shared.names.path("alias", "lifecycle"),
            purpose="Executions of the state machine of lifecycle work",
            users={"machine": machine, "starter": starter},
            services=(delivery,),
            via=("states", "lambda"),
        )
        return EncryptionKey(self._name, args, self._child)

    def _logs(self) -> cloudwatch.LogGroup:
        """What was done to whose data, and when; not with which words."""
        return cloudwatch.LogGroup(
            f"{self._name}-logs",
            name=self.plan.log_group,
            kms_key_id=self._shared.logs_key_arn,
            retention_in_days=self._shared.settings.audit_log_days,
            opts=self._child,
        )


@dataclass(frozen=True, kw_only=True)
class LifecycleStarterArgs:
    word: str  # of the worker
    worker: Input[str]  # the function's name
    machine: LifecycleMachine
    shared: CellContext


class LifecycleStarter(pulumi.ComponentResource):
    """The function that the program calls for a worker. Its security group reaches AWS's APIs alone."""

    name: Output[str]
    arn: Output[str]

    def __init__(self, name: str, args: LifecycleStarterArgs, opts: ResourceOptions | None = None) -> None:
        # Its function was the worker itself, in the network, before there was a state machine.
        before = ResourceOptions(aliases=[Alias(type_="tenantry:functions:NetworkFunction")])
        super().__init__(
            "tenantry:functions:LifecycleStarter", name, None, ResourceOptions.merge(opts, before)
        )
        plan, shared, starters = args.machine.plan, args.shared, args.machine.starters
        function_name, code = plan.starters[args.word], FunctionCode(plan.starter_folder)
        logs = make_function_log(name, function_name, shared, ResourceOptions(parent=self))
        function = lambda_.Function(
            f"{name}-function",
            name=function_name,
            description=f"Starts and follows what the {args.word} does",
            role=starters.role_arn,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=code.handler,
            code=function_archive(code),
            memory_size=plan.starter_memory_mib,
            timeout=plan.starter_seconds,
            kms_key_arn=args.machine.key_arn,
            environment={"variables": _environment(args)},
            vpc_config=starters.vpc_config,
            tracing_config={"mode": "Active"},
            logging_config={"log_format": "JSON", "log_group": logs.name},
            # Without its policy the function cannot get an address in the network.
            opts=ResourceOptions(parent=self, depends_on=[starters.policy]),
        )
        self.name, self.arn = function.name, function.arn
        self.register_outputs({"name": self.name})


def _environment(args: LifecycleStarterArgs) -> Mapping[str, Input[str]]:
    return {"CELL": args.shared.settings.stack, "MACHINE": args.machine.arn, "WORKER": args.worker}
