"""Route tables of each segment, and the NAT gateways that they lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import ec2

from components.common.context import CellContext
from components.common.waiting import after
from components.network.network_tags import network_tags
from plan.network.acls import ANYWHERE
from plan.network.network import NetworkPlan, SegmentPlan
from plan.network.paths import SubnetRouting


@dataclass(frozen=True, kw_only=True)
class RoutesArgs:
    plan: NetworkPlan
    vpc_id: Input[str]
    subnet_ids: Mapping[str, Mapping[str, Output[str]]]  # by segment, then by zone
    shared: CellContext


class Routes(pulumi.ComponentResource):
    """An isolated segment has one table without a default route; a private one has a table in each zone.

    It has so too where one NAT gateway serves all zones: giving each its own then changes routes only.
    """

    subnet_ids: Mapping[str, Sequence[Output[str]]]  # by segment; they wait for their routes
    table_ids: Mapping[str, Sequence[Output[str]]]  # by segment

    def __init__(self, name: str, args: RoutesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:network:Routes", name, None, opts)
        self._name, self._args = name, args
        self._child = ResourceOptions(parent=self)
        self._ready: dict[str, list[Output[str]]] = {}
        tables: dict[str, Sequence[Output[str]]] = {}
        nat: dict[str, Output[str]] = {}
        # Public segments first: the NAT gateways that the others lead to stand there.
        for segment in sorted(args.plan.segments, key=lambda s: s.reach is not SubnetRouting.PUBLIC):
            if segment.reach is SubnetRouting.PRIVATE:
                tables[segment.name] = [self._private(segment, s.zone, nat) for s in segment.subnets]
            else:
                tables[segment.name] = [self._whole(segment)]
            if segment.reach is SubnetRouting.PUBLIC:
                nat = self._nat(segment, tables[segment.name][0])
        self.table_ids = tables
        self.subnet_ids = {s.name: [self._waiting(s, p.zone) for p in s.subnets] for s in args.plan.segments}
        self.register_outputs({"tableIds": self.table_ids})

    def _whole(self, segment: SegmentPlan) -> Output[str]:
        """One table for all zones of a segment."""
        table = self._table(segment.name)
        for subnet in segment.subnets:
            self._associate(segment, subnet.zone, table)
        return table

    def _private(self, segment: SegmentPlan, zone: str, nat: Mapping[str, Output[str]]) -> Output[str]:
        """The table of one zone, with a default route to the zone's NAT gateway, or else the only one."""
        role = f"{segment.name}-{zone}"
        table = self._table(segment.name, zone)
        self._associate(segment, zone, table)
        route = ec2.Route(
            f"{self._name}-{role}-default",
            route_table_id=table,
            destination_cidr_block=ANYWHERE,
            nat_gateway_id=nat.get(zone, nat[self._args.plan.nat_zones[0]]),
            opts=self._child,
        )
        self._ready[role].append(route.id)
        return table

    def _nat(self, segment: SegmentPlan, table: Output[str]) -> dict[str, Output[str]]:
        """The internet gateway, and a NAT gateway in each planned zone."""
        gateway = ec2.InternetGateway(
            f"{self._name}-internet", vpc_id=self._args.vpc_id, tags=self._tags(), opts=self._child
        )
        way_out = ec2.Route(
            f"{self._name}-{segment.name}-default",
            route_table_id=table,
            destination_cidr_block=ANYWHERE,
            gateway_id=gateway.id,
            opts=self._child,
        )
        return {zone: self._nat_gateway(segment, zone, way_out) for zone in self._args.plan.nat_zones}

    def _nat_gateway(self, segment: SegmentPlan, zone: str, way_out: ec2.Route) -> Output[str]:
        """It works only once its subnet leads outwards, which its properties do not say."""
        tags = self._tags("nat", zone)
        address = ec2.Eip(f"{self._name}-nat-{zone}", domain="vpc", tags=tags, opts=self._child)
        return ec2.NatGateway(
            f"{self._name}-nat-{zone}",
            subnet_id=self._args.subnet_ids[segment.name][zone],
            allocation_id=address.allocation_id,
            tags=tags,
            opts=ResourceOptions(parent=self, depends_on=[way_out]),
        ).id

    def _table(self, *role: str) -> Output[str]:
        return ec2.RouteTable(
            f"{self._name}-{'-'.join(role)}",
            vpc_id=self._args.vpc_id,
            tags=self._tags(*role),
            opts=self._child,
        ).id

    def _associate(self, segment: SegmentPlan, zone: str, table: Output[str]) -> None:
        role = f"{segment.name}-{zone}"
        association = ec2.RouteTableAssociation(
            f"{self._name}-{role}",
            route_table_id=table,
            subnet_id=self._args.subnet_ids[segment.name][zone],
            opts=self._child,
        )
        self._ready[role] = [association.id]

    def _waiting(self, segment: SegmentPlan, zone: str) -> Output[str]:
        ready = self._ready[f"{segment.name}-{zone}"]
        return after(self._args.subnet_ids[segment.name][zone], ready)

    def _tags(self, *role: str) -> dict[str, str]:
        return network_tags(self._args.shared, self._args.plan, *role)
