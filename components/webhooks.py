"""Deliveries to tenants' own servers: a queue of events and the function that empties it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import cloudwatch, iam, lambda_

from components.function_code import function_archive
from components.function_policy import function_basics
from components.job_queue import JobQueue, JobQueueArgs
from components.key import EncryptionKey, EncryptionKeyArgs
from components.policy import Statement, document, trust
from components.shared import Shared
from components.tenant_access import catalog_path, tenant_access
from plan.services import WebhooksPlan

FOLDER: Final = "webhook_delivery"
RUNTIME: Final = "python3.13"


@dataclass(frozen=True, kw_only=True)
class WebhooksArgs:
    """`senders` put events on the queue: what for → ARN of the role."""

    plan: WebhooksPlan
    subnet_ids: Sequence[Input[str]]
    group_id: Input[str]
    senders: Mapping[str, Input[str]]
    shared: Shared


class Webhooks(pulumi.ComponentResource):
    """The only thing beside the monolith with a way to the internet, and it holds no data.

    `role_arn` must be among the roles that a tenant lets act for it: signing keys are the tenants'.
    """

    role_arn: Output[str]
    queue_url: Output[str]
    key_arn: Output[str]

    def __init__(self, name: str, args: WebhooksArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:messaging:Webhooks", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        role = self._make_role()
        key = self._make_key(role)
        queue = JobQueue(
            f"{name}-events",
            JobQueueArgs(plan=args.plan.events, key_arn=key.arn, shared=args.shared),
            self._child,
        )
        function = self._make_function(role, key, queue)
        lambda_.EventSourceMapping(
            f"{name}-source",
            event_source_arn=queue.arn,
            function_name=function.arn,
            batch_size=args.plan.batch,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": args.plan.at_once},
            opts=self._child,
        )
        self.role_arn, self.queue_url, self.key_arn = role.arn, queue.url, key.arn
        self.register_outputs({"roleArn": self.role_arn, "queueUrl": self.queue_url})

    def _make_role(self) -> iam.Role:
        shared = self._args.shared
        return iam.Role(
            f"{self._name}-role",
            name=shared.names.label("role", "webhooks"),
            description="Delivers events to servers of tenants",
            assume_role_policy=trust("lambda", account_id=shared.settings.account_id),
            permissions_boundary=shared.boundary_arn,
            opts=self._child,
        )

    def _make_key(self, role: iam.Role) -> EncryptionKey:
        shared = self._args.shared
        args = EncryptionKeyArgs(
            settings=shared.settings,
            alias=shared.names.path("alias", "webhooks"),
            purpose="Events on their way to tenants",
            users={"function": role.arn, **self._args.senders},
            via=("lambda", "sqs"),
        )
        return EncryptionKey(self._name, args, self._child)

    def _make_function(self, role: iam.Role, key: EncryptionKey, queue: JobQueue) -> lambda_.Function:
        plan, shared = self._args.plan, self._args.shared
        logs = cloudwatch.LogGroup(
            f"{self._name}-logs",
            name=f"/aws/lambda/{plan.function}",
            kms_key_id=shared.logs_key_arn,
            retention_in_days=shared.settings.application_log_days,
            opts=self._child,
        )
        policy = iam.RolePolicy(
            f"{self._name}-policy",
            name="deliver",
            role=role.id,
            policy=document(*_statements(self._args, key.arn)),
            opts=self._child,
        )
        return lambda_.Function(
            f"{self._name}-function",
            name=plan.function,
            description="Delivers events to servers of tenants, signed",
            role=role.arn,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=f"{FOLDER}.handler.handle",
            code=function_archive(FOLDER, ()),
            memory_size=256,
            timeout=plan.timeout_seconds,
            reserved_concurrent_executions=plan.at_once,
            kms_key_arn=key.arn,
            environment={"variables": {"CATALOG_PATH": catalog_path(shared), "QUEUE_URL": queue.url}},
            vpc_config={"subnet_ids": self._args.subnet_ids, "security_group_ids": [self._args.group_id]},
            tracing_config={"mode": "Active"},
            logging_config={"log_format": "JSON", "log_group": logs.name},
            # Without its policy the function cannot get an address in the network.
            opts=ResourceOptions(parent=self, depends_on=[policy]),
        )


def _statements(args: WebhooksArgs, key_arn: Input[str]) -> list[Statement]:
    shared = args.shared
    log = f"log-group:/aws/lambda/{args.plan.function}:log-stream:*"
    return [
        *tenant_access(shared),
        Statement(
            sid="EmptyTheQueue",
            actions=[
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ],
            resources=[shared.arn("sqs", args.plan.events.name)],
        ),
        Statement(sid="ReadEvents", actions=["kms:Decrypt"], resources=[key_arn]),
        Statement(
            sid="WriteLogs",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[shared.arn("logs", log)],
        ),
        *function_basics(),
    ]
