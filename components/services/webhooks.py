"""Deliveries of webhooks: a queue of events, and the function that reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import iam, lambda_

from components.common.context import CellContext
from components.common.iam_policy import Statement
from components.common.key import EncryptionKey, EncryptionKeyArgs
from components.common.network_function import NetworkFunction, NetworkFunctionArgs, function_role
from components.services.job_queue import JobQueue, JobQueueArgs
from components.services.tenant_access import catalog_path, tenant_access
from plan.services.services import WebhooksPlan


@dataclass(frozen=True, kw_only=True)
class WebhooksArgs:
    """`senders` put events on the queue: what for → ARN of the role."""

    plan: WebhooksPlan
    subnet_ids: Sequence[Input[str]]
    group_id: Input[str]
    senders: Mapping[str, Input[str]]
    shared: CellContext


class Webhooks(pulumi.ComponentResource):
    """The only thing beside the monolith with a way to the internet, and it holds no data.

    `role_arn` must be among the roles that a tenant lets act for it: signing keys are the tenants'.
    """

    function_arn: Output[str]
    role_arn: Output[str]
    queue_url: Output[str]
    key_arn: Output[str]

    def __init__(self, name: str, args: WebhooksArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:messaging:Webhooks", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        role = function_role(
            f"{name}-role", "webhooks", "Delivers events to servers of tenants", args.shared, self._child
        )
        key = self._make_key(role)
        queue = JobQueue(
            f"{name}-events",
            JobQueueArgs(plan=args.plan.events, key_arn=key.arn, shared=args.shared),
            self._child,
        )
        function = NetworkFunction(name, self._function_args(role, key, queue), self._child)
        lambda_.EventSourceMapping(
            f"{name}-source",
            event_source_arn=queue.arn,
            function_name=function.arn,
            batch_size=args.plan.batch,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": args.plan.function.at_once},
            opts=self._child,
        )
        self.function_arn = function.arn
        self.role_arn, self.queue_url, self.key_arn = role.arn, queue.url, key.arn
        self.register_outputs({"roleArn": self.role_arn, "queueUrl": self.queue_url})

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

    def _function_args(self, role: iam.Role, key: EncryptionKey, queue: JobQueue) -> NetworkFunctionArgs:
        args = self._args
        return NetworkFunctionArgs(
            plan=args.plan.function,
            description="Delivers events to servers of tenants, signed",
            role=role,
            statements=_statements(args, key.arn),
            subnet_ids=args.subnet_ids,
            group_id=args.group_id,
            key_arn=key.arn,
            environment={"CATALOG_PATH": catalog_path(args.shared), "QUEUE_URL": queue.url},
            shared=args.shared,
        )


def _statements(args: WebhooksArgs, key_arn: Input[str]) -> list[Statement]:
    shared = args.shared
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
    ]
