"""VPC endpoints: AWS APIs without leaving the network, each with a policy for the platform's own use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import ec2

from components.common.context import CellContext
from components.common.iam_policy import EVERYONE, Statement, document
from components.network.network_tags import network_tags
from plan.network.endpoints import EndpointAccess, EndpointPlan
from plan.network.network import NetworkPlan
from plan.network.paths import S3


@dataclass(frozen=True, kw_only=True)
class EndpointsArgs:
    plan: NetworkPlan
    vpc_id: Input[str]
    route_table_ids: Sequence[Input[str]]  # that gateway endpoints are reached from
    subnet_ids: Sequence[Input[str]]  # that interface endpoints stand in
    group_id: Input[str] | None  # of the interface endpoints; None where the plan has none
    shared: CellContext


class Endpoints(pulumi.ComponentResource):
    """The planned endpoints of one network."""

    ids: Mapping[str, Output[str]]  # by service
    s3_prefix_list_id: Output[str]

    def __init__(self, name: str, args: EndpointsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:network:Endpoints", name, None, opts)
        self._name, self._args = name, args
        made = {plan.service: self._endpoint(plan) for plan in args.plan.endpoints}
        self.ids = {service: endpoint.id for service, endpoint in made.items()}
        self.s3_prefix_list_id = made[S3].prefix_list_id
        self.register_outputs({"ids": self.ids})

    def _endpoint(self, plan: EndpointPlan) -> ec2.VpcEndpoint:
        args, shared = self._args, self._args.shared
        return ec2.VpcEndpoint(
            f"{self._name}-{plan.service}",
            vpc_id=args.vpc_id,
            service_name=f"com.amazonaws.{shared.settings.region}.{plan.service}",
            vpc_endpoint_type="Gateway" if plan.gateway else "Interface",
            route_table_ids=args.route_table_ids if plan.gateway else None,
            subnet_ids=None if plan.gateway else args.subnet_ids,
            security_group_ids=None if plan.gateway or args.group_id is None else [args.group_id],
            private_dns_enabled=None if plan.gateway else True,
            policy=endpoint_policy(plan, shared.settings.account_id),
            tags=network_tags(shared, args.plan, plan.service),
            opts=ResourceOptions(parent=self),
        )


def endpoint_policy(plan: EndpointPlan, account_id: str) -> Output[str]:
    """Gateway endpoints take no principal but `*`; who may pass is a condition (VPC guide, 2026-11)."""
    return document(*(_statement(i, access, account_id) for i, access in enumerate(plan.access, start=1)))


def _statement(number: int, access: EndpointAccess, account_id: str) -> Statement:
    mine = {"StringEquals": {"aws:PrincipalAccount": account_id}}
    anybody = {"Bool": {"aws:SecureTransport": "true"}}
    return Statement(
        sid=f"Access{number}",
        actions=access.actions,
        resources=access.resources,
        principals=EVERYONE,
        condition=anybody if access.anybody else mine,
    )
