"""Flow logs of a VPC, kept as long as audit logs are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_aws import cloudwatch, ec2, iam

from components.common.context import CellContext
from components.common.iam_policy import Statement, document, trust


@dataclass(frozen=True, kw_only=True)
class FlowLogArgs:
    network: str  # name of the network's plan
    vpc_id: Input[str]
    tags: Mapping[str, str]
    shared: CellContext


class FlowLog(pulumi.ComponentResource):
    """Every accepted and rejected connection, at the finest interval that AWS offers (60 s)."""

    def __init__(self, name: str, args: FlowLogArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:network:FlowLog", name, None, opts)
        shared, child = args.shared, ResourceOptions(parent=self)
        group_name = "/" + shared.names.path("log-group", "flow", args.network)
        group = cloudwatch.LogGroup(
            f"{name}-group",
            name=group_name,
            retention_in_days=shared.settings.audit_log_days,
            kms_key_id=shared.logs_key_arn,
            tags=args.tags,
            opts=child,
        )
        role = iam.Role(
            f"{name}-role",
            name=shared.names.label("role", "flow-log", args.network),
            description=f"VPC flow logs of the network {args.network} to CloudWatch Logs",
            assume_role_policy=trust(
                "vpc-flow-logs",
                account_id=shared.settings.account_id,
                source_arns=[shared.arn("ec2", "vpc-flow-log/*")],
            ),
            permissions_boundary=shared.boundary_arn,
            tags=args.tags,
            opts=child,
        )
        permission = iam.RolePolicy(
            f"{name}-write",
            name="write",
            role=role.id,
            policy=document(*_write(shared.arn("logs", f"log-group:{group_name}"))),
            opts=child,
        )
        ec2.FlowLog(
            f"{name}-log",
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=60,
            tags=args.tags,
            # The role is of no use to AWS before its policy is there, which the property does not say.
            opts=ResourceOptions(parent=self, depends_on=[permission]),
        )
        self.register_outputs({})


def _write(group_arn: str) -> list[Statement]:
    """What the flow log service asks of its role (VPC user guide, "Publish flow logs", 2026-11)."""
    streams = ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams")
    return [
        Statement(sid="Write", actions=streams, resources=[group_arn, f"{group_arn}:*"]),
        # AWS offers no resource for this one (service authorization reference, 2026-11)
        Statement(sid="Find", actions=["logs:DescribeLogGroups"], resources=["*"]),
    ]
