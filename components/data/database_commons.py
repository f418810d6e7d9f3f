"""What databases share because AWS limits it: 50 subnet groups and 50 parameter groups per Region.

(RDS quotas, 2026-11. One of each per database would stop a cell at fewer tenants than its 40 instances.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import iam, rds

from components.common.context import CellContext
from components.common.iam_policy import trust
from components.common.waiting import after
from plan.data.databases import PARAMETER_FAMILY, PARAMETERS


class DatabaseCommons(pulumi.ComponentResource):
    """One parameter group and one role for enhanced monitoring, for all databases of a cell."""

    parameter_group: Output[str]
    monitoring_role_arn: Output[str]

    def __init__(self, name: str, shared: CellContext, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:data:DatabaseCommons", name, None, opts)
        child = ResourceOptions(parent=self)
        # The family is part of the name: a new major version is a new group beside the old one.
        parameters = rds.ParameterGroup(
            f"{name}-parameters",
            name=shared.names.label("parameter-group", PARAMETER_FAMILY),
            family=PARAMETER_FAMILY,
            description="TLS only, logical replication, audit logs without bound values",
            parameters=[
                rds.ParameterGroupParameterArgs(name=p.name, value=p.value, apply_method=p.apply_method)
                for p in PARAMETERS
            ],
            opts=child,
        )
        instances = shared.arn("rds", f"db:{shared.names.label('database', '*')}")
        role = iam.Role(
            f"{name}-monitoring-role",
            name=shared.names.label("role", "database-monitoring"),
            description="RDS writes the metrics of the operating system to CloudWatch Logs",
            assume_role_policy=trust(
                "monitoring.rds", account_id=shared.settings.account_id, source_arns=[instances]
            ),
            permissions_boundary=shared.boundary_arn,
            opts=child,
        )
        attached = iam.RolePolicyAttachment(
            f"{name}-monitoring-policy",
            role=role.name,
            policy_arn="arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
            opts=child,
        )
        self.parameter_group = parameters.name
        # An instance that names the role needs its policy too: wait for both.
        self.monitoring_role_arn = after(role.arn, [attached.id])
        self.register_outputs(
            {"parameterGroup": self.parameter_group, "monitoringRoleArn": self.monitoring_role_arn}
        )


@dataclass(frozen=True, kw_only=True)
class DatabaseSubnetsArgs:
    """Subnets of one segment of one network, in at least two Availability Zones."""

    network: str
    segment: str
    subnet_ids: Sequence[Input[str]]
    shared: CellContext

    def __post_init__(self) -> None:
        if len(self.subnet_ids) < 2:  # RDS, CreateDBSubnetGroup, 2026-11
            raise ValueError(
                f"DatabaseSubnetsArgs.subnet_ids: {self.network}/{self.segment} needs subnets in two zones,"
                f" got {len(self.subnet_ids)}"
            )


class DatabaseSubnets(pulumi.ComponentResource):
    """The subnet group of a segment; every database of the segment stands in it."""

    group_name: Output[str]

    def __init__(self, name: str, args: DatabaseSubnetsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:data:DatabaseSubnets", name, None, opts)
        group = rds.SubnetGroup(
            f"{name}-subnets",
            name=args.shared.names.label("subnet-group", args.network, args.segment),
            description=f"Segment {args.segment} of network {args.network}",
            subnet_ids=args.subnet_ids,
            opts=ResourceOptions(parent=self),
        )
        self.group_name = group.name
        self.register_outputs({"groupName": self.group_name})
