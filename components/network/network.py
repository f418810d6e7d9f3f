"""A VPC: segments in zones, one rule per allowed path, endpoints, flow logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import ec2

from components.common.context import CellContext
from components.common.waiting import after
from components.network.endpoints import Endpoints, EndpointsArgs
from components.network.flow_log import FlowLog, FlowLogArgs
from components.network.network_tags import network_tags
from components.network.path_rules import PathRules, PathRulesArgs
from components.network.routes import Routes, RoutesArgs
from plan.network.acls import AclRule
from plan.network.network import NetworkPlan, SegmentPlan
from plan.network.paths import ENDPOINTS, GATEWAY_SEGMENTS, PathPlan, SubnetRouting


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """`paths` may name groups of other networks; those are passed over."""

    plan: NetworkPlan
    paths: Sequence[PathPlan]
    shared: CellContext


class Network(pulumi.ComponentResource):
    """Nothing in it talks to anything but as `paths` says.

    A subnet's id waits for its routes and a group's for its rules and for the endpoints that it may
    reach, so that nothing starts in a network that is half there.
    """

    vpc_id: Output[str]
    subnet_ids: Mapping[str, Sequence[Output[str]]]  # by segment, in the plan's order of zones
    route_table_ids: Mapping[str, Sequence[Output[str]]]  # by segment
    group_ids: Mapping[str, Output[str]]
    endpoint_ids: Mapping[str, Output[str]]  # by service

    def __init__(self, name: str, args: NetworkArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:network:Network", name, None, opts)
        self._name, self._plan, self._shared = name, args.plan, args.shared
        self._child = ResourceOptions(parent=self)
        self.vpc_id = self._make_vpc()
        subnets = {s.name: self._make_subnets(s) for s in args.plan.segments}
        for segment in args.plan.segments:
            self._make_acl(segment, list(subnets[segment.name].values()))
        routes = Routes(
            f"{name}-routes",
            RoutesArgs(plan=args.plan, vpc_id=self.vpc_id, subnet_ids=subnets, shared=args.shared),
            self._child,
        )
        self.subnet_ids, self.route_table_ids = routes.subnet_ids, routes.table_ids
        groups = {group: self._make_group(group) for group in args.plan.groups}
        endpoints = self._make_endpoints(list(subnets[ENDPOINTS].values()), groups)
        self.endpoint_ids = endpoints.ids
        self.group_ids = self._make_rules(args.paths, groups, endpoints)
        FlowLog(
            f"{name}-flow-log",
            FlowLogArgs(network=args.plan.name, vpc_id=self.vpc_id, tags=self._tags(), shared=args.shared),
            self._child,
        )
        self.register_outputs({"vpcId": self.vpc_id, "groupIds": self.group_ids})

    def _tags(self, *role: str) -> dict[str, str]:
        return network_tags(self._shared, self._plan, *role)

    def _make_vpc(self) -> Output[str]:
        vpc = ec2.Vpc(
            f"{self._name}-vpc",
            cidr_block=self._plan.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,  # private names of interface endpoints need it
            tags=self._tags(),
            opts=self._child,
        )
        # Adopting the group that AWS makes by itself, without rules, empties it.
        ec2.DefaultSecurityGroup(
            f"{self._name}-default-group", vpc_id=vpc.id, tags=self._tags("default"), opts=self._child
        )
        return vpc.id

    def _make_subnets(self, segment: SegmentPlan) -> Mapping[str, Output[str]]:
        return {
            subnet.zone: ec2.Subnet(
                f"{self._name}-{segment.name}-{subnet.zone}",
                vpc_id=self.vpc_id,
                availability_zone=subnet.zone,
                cidr_block=subnet.cidr,
                map_public_ip_on_launch=False,
                tags=self._tags(segment.name, subnet.zone),
                opts=self._child,
            ).id
            for subnet in segment.subnets
        }

    def _make_acl(self, segment: SegmentPlan, subnet_ids: Sequence[Output[str]]) -> None:
        ec2.NetworkAcl(
            f"{self._name}-{segment.name}-acl",
            vpc_id=self.vpc_id,
            subnet_ids=subnet_ids,
            ingress=[_acl_entry(r) for r in segment.acl if not r.egress],
            egress=[_acl_entry(r) for r in segment.acl if r.egress],
            tags=self._tags(segment.name),
            opts=self._child,
        )

    def _make_group(self, group: str) -> Output[str]:
        """Without rules of its own: inline rules and separate ones undo each other."""
        label = self._shared.names.label("security-group", self._plan.name, group)
        return ec2.SecurityGroup(
            f"{self._name}-{group}-group",
            name=label,
            description=f"{group} of the network {self._plan.name}",
            vpc_id=self.vpc_id,
            revoke_rules_on_delete=True,
            tags=self._tags(group),
            opts=self._child,
        ).id

    def _make_endpoints(
        self, subnet_ids: Sequence[Output[str]], groups: Mapping[str, Output[str]]
    ) -> Endpoints:
        """Gateways serve the segments that reach S3; interfaces stand in a segment of their own."""
        outward = [
            s.name
            for s in self._plan.segments
            if s.reach is SubnetRouting.PRIVATE or s.name in GATEWAY_SEGMENTS
        ]
        args = EndpointsArgs(
            plan=self._plan,
            vpc_id=self.vpc_id,
            route_table_ids=[table for segment in outward for table in self.route_table_ids[segment]],
            subnet_ids=subnet_ids,
            group_id=groups.get(ENDPOINTS),
            shared=self._shared,
        )
        return Endpoints(f"{self._name}-endpoints", args, self._child)

    def _make_rules(
        self, paths: Sequence[PathPlan], groups: Mapping[str, Output[str]], endpoints: Endpoints
    ) -> Mapping[str, Output[str]]:
        args = PathRulesArgs(
            plan=self._plan,
            paths=paths,
            sources=groups,
            targets=groups,
            prefix_list_id=endpoints.s3_prefix_list_id,
            shared=self._shared,
        )
        rules = PathRules(f"{self._name}-paths", args, self._child).rule_ids
        callers = {p.source for p in paths if p.target == ENDPOINTS}
        reached = list(endpoints.ids.values())
        return {
            group: after(made, [*rules[group], *(reached if group in callers else [])])
            for group, made in groups.items()
        }


def _acl_entry(rule: AclRule) -> ec2.NetworkAclIngressArgsDict:
    return {
        "rule_no": rule.number,
        "action": "allow",
        "protocol": "tcp",
        "cidr_block": rule.cidr,
        "from_port": rule.from_port,
        "to_port": rule.to_port,
    }
