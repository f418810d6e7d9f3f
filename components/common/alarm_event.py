"""EventBridge rules that send events which a person must see to the alarm topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ResourceOptions
from pulumi_aws import cloudwatch

from components.common.context import AccountContext
from components.common.json_text import json_text


@dataclass(frozen=True, kw_only=True)
class AlarmEventArgs:
    label: str
    description: str
    pattern: Mapping[str, object]  # of EventBridge
    shared: AccountContext


def alarm_event(name: str, args: AlarmEventArgs, child: ResourceOptions) -> None:
    """A rule of the default bus and its target, children of the caller."""
    rule = cloudwatch.EventRule(
        name,
        name=args.shared.names.label("any", args.label),
        description=args.description,
        event_pattern=json_text(args.pattern),
        opts=child,
    )
    cloudwatch.EventTarget(
        name, rule=rule.name, target_id="alarms", arn=args.shared.alarms_topic_arn, opts=child
    )
