"""A queue of jobs and its dead-letter queue, both encrypted and with alarms."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import sqs

from components.common.alarms import Watched, alarms
from components.common.context import CellContext
from components.common.iam_policy import EVERYONE, Statement, document
from components.common.json_text import json_text
from components.common.waiting import after
from plan.services.services import QueuePlan


@dataclass(frozen=True, kw_only=True)
class JobQueueArgs:
    plan: QueuePlan
    key_arn: Input[str]
    shared: CellContext


class JobQueue(pulumi.ComponentResource):
    """Outputs wait for the policies, so that nothing is sent before them."""

    arn: Output[str]
    url: Output[str]
    name: str

    def __init__(self, name: str, args: JobQueueArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:messaging:JobQueue", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        plan, shared = args.plan, args.shared
        arn, dead_arn = (shared.arn("sqs", n) for n in (plan.name, plan.dead_letter_name))
        dead = sqs.Queue(
            f"{name}-dead",
            name=plan.dead_letter_name,
            message_retention_seconds=plan.keep_dead_seconds,
            visibility_timeout_seconds=plan.visible_again_seconds,
            kms_master_key_id=args.key_arn,
            redrive_allow_policy=json_text({"redrivePermission": "byQueue", "sourceQueueArns": [arn]}),
            opts=self._child,
        )
        queue = sqs.Queue(
            f"{name}-queue",
            name=plan.name,
            message_retention_seconds=plan.keep_seconds,
            visibility_timeout_seconds=plan.visible_again_seconds,
            receive_wait_time_seconds=20,  # the longest poll: fewest requests, no delay
            kms_master_key_id=args.key_arn,
            redrive_policy=json_text({"deadLetterTargetArn": dead.arn, "maxReceiveCount": plan.tries}),
            opts=self._child,
        )
        policies = [
            sqs.QueuePolicy(
                f"{name}-{role}-policy", queue_url=made.url, policy=_tls_only(made_arn), opts=self._child
            )
            for role, made, made_arn in (("dead", dead, dead_arn), ("queue", queue, arn))
        ]
        self._watch()
        ready = [p.id for p in policies]
        self.arn, self.url, self.name = after(queue.arn, ready), after(queue.url, ready), plan.name
        self.register_outputs({"arn": self.arn, "url": self.url})

    def _watch(self) -> None:
        plan = self._args.plan
        for label, queue, found in (
            ("queue", plan.name, {"age": plan.waiting}),
            ("dead", plan.dead_letter_name, {"filled": plan.failed}),
        ):
            watched = Watched(label=queue, namespace="AWS/SQS", dimensions={"QueueName": queue})
            alarms(f"{self._name}-{label}", found, watched, self._args.shared, self._child)


def _tls_only(arn: str) -> Output[str]:
    return document(
        Statement(
            sid="TlsOnly",
            effect="Deny",
            actions=["sqs:*"],
            principals=EVERYONE,
            resources=[arn],
            condition={"Bool": {"aws:SecureTransport": "false"}},
        )
    )
