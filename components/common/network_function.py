"""A Lambda function inside the network: its log, its permissions, its code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import cloudwatch, iam, lambda_

from components.common.context import CellContext
from components.common.function_code import FunctionCode, function_archive
from components.common.function_policy import function_basics
from components.common.iam_policy import Statement, document, trust
from plan.services.services import FunctionPlan

RUNTIME: Final = "python3.13"


@dataclass(frozen=True, kw_only=True)
class NetworkFunctionArgs:
    """`statements` come on top of what every function in the network needs."""

    plan: FunctionPlan
    description: str
    role: iam.Role
    statements: Sequence[Statement]
    subnet_ids: Sequence[Input[str]]
    group_id: Input[str]
    key_arn: Input[str]  # encrypts its environment
    environment: Mapping[str, Input[str]]
    code: FunctionCode | None = None  # where it is more than the plan's folder
    policy: str = "work"  # name of its inline policy
    shared: CellContext


class NetworkFunction(pulumi.ComponentResource):
    arn: Output[str]
    name: Output[str]
    invoke_arn: Output[str]

    def __init__(self, name: str, args: NetworkFunctionArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:functions:NetworkFunction", name, None, opts)
        child = ResourceOptions(parent=self)
        plan, shared, code = args.plan, args.shared, args.code or FunctionCode(args.plan.folder)
        log = function_log(plan.name)
        logs = make_function_log(name, plan.name, shared, child)
        write = Statement(
            sid="WriteLogs",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[shared.arn("logs", f"log-group:{log}:log-stream:*")],
        )
        policy = iam.RolePolicy(
            f"{name}-policy",
            name=args.policy,
            role=args.role.id,
            policy=document(*args.statements, write, *function_basics(shared, plan.name)),
            opts=child,
        )
        function = lambda_.Function(
            f"{name}-function",
            name=plan.name,
            description=args.description,
            role=args.role.arn,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=code.handler,
            code=function_archive(code),
            memory_size=plan.memory_mib,
            ephemeral_storage={"size": plan.disk_mib},
            timeout=plan.timeout_seconds,
            reserved_concurrent_executions=plan.at_once,
            kms_key_arn=args.key_arn,
            environment={"variables": args.environment},
            vpc_config={"subnet_ids": args.subnet_ids, "security_group_ids": [args.group_id]},
            tracing_config={"mode": "Active"},
            logging_config={"log_format": "JSON", "log_group": logs.name},
            # Without its policy the function cannot get an address in the network.
            opts=ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.arn, self.name, self.invoke_arn = function.arn, function.name, function.invoke_arn
        self.register_outputs({"arn": self.arn})


def function_log(function_name: str) -> str:
    """The name of a function's log group."""
    return f"/aws/lambda/{function_name}"


def make_function_log(
    name: str, function_name: str, shared: CellContext, opts: ResourceOptions
) -> cloudwatch.LogGroup:
    """What a function logs, under the cell's key for logs, as long as applications' logs are kept."""
    return cloudwatch.LogGroup(
        f"{name}-logs",
        name=function_log(function_name),
        kms_key_id=shared.logs_key_arn,
        retention_in_days=shared.settings.application_log_days,
        opts=opts,
    )


def function_role(
    name: str, role: str, description: str, shared: CellContext, opts: ResourceOptions
) -> iam.Role:
    """The role of a function, made before what others let it do."""
    return iam.Role(
        name,
        name=shared.names.label("role", role),
        description=description,
        assume_role_policy=trust("lambda", account_id=shared.settings.account_id),
        permissions_boundary=shared.boundary_arn,
        opts=opts,
    )
