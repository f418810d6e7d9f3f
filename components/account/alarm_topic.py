"""The encrypted topic for alarms, which only this account's alarms, rules and budgets may publish to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import sns

from components.common.iam_policy import EVERYONE, Statement, document
from components.common.key import EncryptionKey, EncryptionKeyArgs, ServiceUse
from plan.names import Names
from plan.settings import AccountSettings

# Services that publish, and what of this account's each may speak for.
PUBLISHERS: Final[Mapping[str, str]] = {
    "cloudwatch": "arn:aws:cloudwatch:{region}:{account}:alarm:*",
    "events": "arn:aws:events:{region}:{account}:rule/*",
    "budgets": "arn:aws:budgets::{account}:*",
}


@dataclass(frozen=True, kw_only=True)
class AlarmTopicArgs:
    settings: AccountSettings
    names: Names


class AlarmTopic(pulumi.ComponentResource):
    """The e-mail subscription stays pending until a person confirms it, so nothing waits for it."""

    arn: Output[str]
    key_arn: Output[str]

    def __init__(self, name: str, args: AlarmTopicArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:operations:AlarmTopic", name, None, opts)
        settings, child = args.settings, ResourceOptions(parent=self)
        label = args.names.label("topic", "alarms")
        planned = f"arn:aws:sns:{settings.region}:{settings.account_id}:{label}"
        key = EncryptionKey(f"{name}-key", _key(args, planned), child)
        topic = sns.Topic(
            f"{name}-topic", name=label, kms_master_key_id=key.arn, signature_version=2, opts=child
        )
        policy = sns.TopicPolicy(
            f"{name}-policy", arn=topic.arn, policy=document(*_publish(settings, planned)), opts=child
        )
        sns.TopicSubscription(
            f"{name}-email", topic=topic.arn, protocol="email", endpoint=settings.alarm_email, opts=child
        )
        self.arn, self.key_arn = policy.arn, key.arn
        self.register_outputs({"arn": self.arn, "keyArn": self.key_arn})


def _key(args: AlarmTopicArgs, topic_arn: str) -> EncryptionKeyArgs:
    """For this topic only. The source of an event cannot be asked for in a key's policy: SNS documents
    that deliveries of EventBridge then fail (SNS developer guide, "Key management", 2026-11).
    """
    of_topic: Mapping[str, Mapping[str, Input[str]]] = {
        "StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic_arn}
    }
    return EncryptionKeyArgs(
        settings=args.settings,
        alias=args.names.path("alias", "alarms"),
        purpose="alarms on their way to people",
        users={},
        services=[
            ServiceUse(service=s, actions=("kms:GenerateDataKey", "kms:Decrypt"), condition=of_topic)
            for s in PUBLISHERS
        ],
    )


def _publish(settings: AccountSettings, topic_arn: str) -> list[Statement]:
    where = {"region": settings.region, "account": settings.account_id}
    allowed = [
        Statement(
            sid=f"Publish{service.capitalize()}",
            actions=["sns:Publish"],
            resources=[topic_arn],
            principals={"Service": [f"{service}.amazonaws.com"]},
            condition={"ArnLike": {"aws:SourceArn": source.format(**where)}},
        )
        for service, source in PUBLISHERS.items()
    ]
    tls_only = Statement(
        sid="TlsOnly",
        effect="Deny",
        actions=["sns:Publish"],
        resources=[topic_arn],
        principals=EVERYONE,
        condition={"Bool": {"aws:SecureTransport": "false"}},
    )
    return [*allowed, tls_only]
