"""The bootstrap Lambda: creates tenants' roles, schemas and passwords in the network, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import cloudwatch, iam, lambda_, sqs

from components.common.alarms import Watched, alarms
from components.common.context import CellContext
from components.common.function_code import POSTGRES_DRIVER, FunctionCode, function_archive
from components.common.function_policy import function_basics
from components.common.iam_policy import EVERYONE, Statement, document, trust
from components.common.key import EncryptionKey, EncryptionKeyArgs
from components.common.waiting import after
from components.tenants.data_access import keys_of_secrets, master_secrets, tenant_secrets
from components.tenants.lifecycle_calls import CallRecords, record_calls
from plan.services.services import BOOTSTRAP_FAILED, bootstrap_dead_letters

CODE: Final = FunctionCode("tenant_bootstrap", POSTGRES_DRIVER)
RUNTIME: Final = "python3.13"
TIMEOUT: Final = 90  # seconds; waits up to half of it for a database that was just made
# So that a rotation never waits behind other functions. It is no lock: a database has one of its own.
AT_ONCE: Final = 10


@dataclass(frozen=True, kw_only=True)
class BootstrapArgs:
    subnet_ids: Sequence[Input[str]]  # of the segment `functions`
    group_id: Input[str]
    records: CallRecords
    shared: CellContext


class Bootstrap(pulumi.ComponentResource):
    """One function for the whole cell. Onboarding a tenant changes nothing of it."""

    function_name: Output[str]
    function_arn: Output[str]
    role_arn: Output[str]
    records: CallRecords  # of what it was called for
    rotation_arn: Output[str]  # the same function, once Secrets Manager may call it

    def __init__(self, name: str, args: BootstrapArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:functions:Bootstrap", name, None, opts)
        child = ResourceOptions(parent=self)
        shared = args.shared
        label = shared.names.label("function", "bootstrap")
        role = iam.Role(
            f"{name}-role",
            name=shared.names.label("role", "bootstrap"),
            description="Makes tenants' roles and schemas in the cell's databases",
            assume_role_policy=trust("lambda", account_id=shared.settings.account_id),
            permissions_boundary=shared.boundary_arn,
            opts=child,
        )
        key = EncryptionKey(
            name,
            EncryptionKeyArgs(
                settings=shared.settings,
                alias=shared.names.path("alias", "functions"),
                purpose="Environment and dead letters of the cell's functions",
                users={"function": role.arn},
                via=("lambda", "sqs"),
            ),
            child,
        )
        logs = cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/aws/lambda/{label}",
            retention_in_days=shared.settings.audit_log_days,  # who was given access to data, and when
            kms_key_id=shared.logs_key_arn,
            opts=child,
        )
        dead = _dead_letters(name, key, shared, child)
        policy = iam.RolePolicy(
            f"{name}-policy",
            role=role.name,
            policy=document(*_statements(shared, logs.arn, dead.arn, key.arn)),
            opts=child,
        )
        function = lambda_.Function(
            f"{name}-function",
            name=label,
            description="Makes, updates and closes a tenant's place in a database",
            role=role.arn,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=CODE.handler,
            code=function_archive(CODE),
            memory_size=256,
            timeout=TIMEOUT,
            reserved_concurrent_executions=AT_ONCE,
            kms_key_arn=key.arn,
            environment=lambda_.FunctionEnvironmentArgs(variables={"CELL": shared.settings.stack}),
            vpc_config=lambda_.FunctionVpcConfigArgs(
                subnet_ids=list(args.subnet_ids), security_group_ids=[args.group_id]
            ),
            tracing_config=lambda_.FunctionTracingConfigArgs(mode="Active"),
            logging_config=lambda_.FunctionLoggingConfigArgs(log_format="JSON", log_group=logs.name),
            dead_letter_config=lambda_.FunctionDeadLetterConfigArgs(target_arn=dead.arn),
            # Without its policy the function cannot get an address in the network.
            opts=ResourceOptions(parent=self, depends_on=[policy]),
        )
        permission = lambda_.Permission(
            f"{name}-rotation",
            statement_id="SecretsManagerRotates",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="secretsmanager.amazonaws.com",
            source_account=shared.settings.account_id,
            opts=child,
        )
        self.function_name, self.function_arn, self.role_arn = function.name, function.arn, role.arn
        self.records = args.records
        self.rotation_arn = after(function.arn, [permission.id])
        self.register_outputs({"functionName": self.function_name, "functionArn": self.function_arn})


def _dead_letters(name: str, key: EncryptionKey, shared: CellContext, child: ResourceOptions) -> sqs.Queue:
    """Of calls that nobody waits for, such as a rotation; onboarding waits and sees its error itself."""
    label = bootstrap_dead_letters(shared.names)
    queue = sqs.Queue(
        f"{name}-dead-letters",
        name=label,
        kms_master_key_id=key.arn,
        message_retention_seconds=14 * 24 * 3600,
        opts=child,
    )
    sqs.QueuePolicy(
        f"{name}-dead-letters-policy",
        queue_url=queue.id,
        policy=document(
            Statement(
                sid="TlsOnly",
                effect="Deny",
                actions=["sqs:*"],
                resources=[queue.arn],
                principals=EVERYONE,
                condition={"Bool": {"aws:SecureTransport": "false"}},
            )
        ),
        opts=child,
    )
    watched = Watched(label=label, namespace="AWS/SQS", dimensions={"QueueName": label})
    alarms(f"{name}-dead", {"filled": BOOTSTRAP_FAILED}, watched, shared, child)
    return queue


def _data_keys(shared: CellContext) -> Statement:
    """Make data keys under tenants' keys, whose policies say for whom."""
    alias = f"alias/{shared.names.path('alias', 'tenants', '*')}"
    return Statement(
        sid="MakeDataKeys",
        actions=["kms:GenerateDataKeyWithoutPlaintext"],
        resources=[shared.arn("kms", "key/*")],
        condition={
            "ForAnyValue:StringLike": {"kms:ResourceAliases": alias},
            "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant"]},
        },
    )


def _statements(
    shared: CellContext, log_group: Input[str], dead_letters: Input[str], key: Input[str]
) -> Sequence[Statement]:
    return (
        tenant_secrets(shared, ("database", "webhook")),
        *master_secrets(shared),
        keys_of_secrets(shared),
        _data_keys(shared),
        record_calls(shared),
        Statement(
            sid="WriteLogs",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[Output.concat(log_group, ":*")],
        ),
        Statement(sid="LeaveDeadLetters", actions=["sqs:SendMessage"], resources=[dead_letters]),
        Statement(sid="EncryptDeadLetters", actions=["kms:GenerateDataKey", "kms:Decrypt"], resources=[key]),
        *function_basics(shared, shared.names.label("function", "bootstrap")),
    )
