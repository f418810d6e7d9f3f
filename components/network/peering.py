"""The peering between the cell and a dedicated tenant's network, for PostgreSQL only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import ec2

from components.common.context import CellContext
from components.common.waiting import after
from components.network.network import Network
from components.network.network_tags import network_tags
from components.network.path_rules import PathRules, PathRulesArgs
from plan.network.network import NetworkPlan
from plan.network.paths import CELL_GROUPS, DEDICATED_GROUPS, PathPlan


@dataclass(frozen=True, kw_only=True)
class PeeringArgs:
    """Both networks are in one account and Region, so that the connection accepts itself."""

    cell: Network
    cell_plan: NetworkPlan
    tenant: Network
    tenant_plan: NetworkPlan
    shared: CellContext


class Peering(pulumi.ComponentResource):
    """Routes between the segments of the network's paths alone, and a rule at each end of each path.

    A peering does not lead on: what the tenant's network reaches is the cell's segments with a route
    back, and never another tenant's network.
    """

    connection_id: Output[str]

    def __init__(self, name: str, args: PeeringArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:network:Peering", name, None, opts)
        self._name, self._args = name, args
        self._child = ResourceOptions(parent=self)
        connection = ec2.VpcPeeringConnection(
            f"{name}-connection",
            vpc_id=args.cell.vpc_id,
            peer_vpc_id=args.tenant.vpc_id,
            auto_accept=True,
            requester={"allow_remote_vpc_dns_resolution": True},
            accepter={"allow_remote_vpc_dns_resolution": True},
            tags=network_tags(args.shared, args.tenant_plan, "peering"),
            opts=self._child,
        )
        self.connection_id = connection.id
        self._make_routes()
        self._make_rules()
        self.register_outputs({"connectionId": self.connection_id})

    def _make_routes(self) -> None:
        """To whole segments: a route for each subnet would grow with the zones and say no more."""
        args, plan = self._args, self._args.tenant_plan
        ours = {p.source for p in plan.arriving} | {p.target for p in plan.leading}
        theirs = {p.target for p in plan.arriving} | {p.source for p in plan.leading}
        cell = sorted({CELL_GROUPS[group] for group in ours})
        data = sorted({DEDICATED_GROUPS[group] for group in theirs})
        for here, there in product(cell, data):
            self._route(args.cell, args.cell_plan, here, "to", (there, args.tenant_plan))
            # While a silo moves into the network, the segments at both ends are called alike.
            way = "back-to" if here == there else "to"
            self._route(args.tenant, args.tenant_plan, there, way, (here, args.cell_plan))

    def _route(
        self, network: Network, plan: NetworkPlan, segment: str, way: str, target: tuple[str, NetworkPlan]
    ) -> None:
        """From every table of one segment to one segment of the other network."""
        there, other = target
        tables = network.route_table_ids[segment]
        zones = [s.zone for s in plan.segment(segment).subnets] if len(tables) > 1 else [""]
        for zone, table in zip(zones, tables, strict=True):
            ec2.Route(
                "-".join(filter(None, (self._name, segment, zone, way, there))),
                route_table_id=table,
                destination_cidr_block=other.segment(there).cidr,
                vpc_peering_connection_id=self.connection_id,
                opts=self._child,
            )

    def _make_rules(self) -> None:
        """A group of the other network can be named only while the peering is there."""
        args, peering = self._args, [self.connection_id]
        cell = {group: after(id_, peering) for group, id_ in args.cell.group_ids.items()}
        self._rules("paths", args.tenant_plan.arriving, cell, args.tenant.group_ids)
        if args.tenant_plan.leading:
            theirs = {group: after(id_, peering) for group, id_ in args.tenant.group_ids.items()}
            self._rules("paths-back", args.tenant_plan.leading, theirs, args.cell.group_ids)

    def _rules(
        self,
        role: str,
        paths: Sequence[PathPlan],
        sources: Mapping[str, Output[str]],
        targets: Mapping[str, Output[str]],
    ) -> None:
        rules = PathRulesArgs(
            plan=self._args.tenant_plan,
            paths=paths,
            sources={p.source: sources[p.source] for p in paths},
            targets={p.target: targets[p.target] for p in paths},
            prefix_list_id=None,
            shared=self._args.shared,
        )
        PathRules(f"{self._name}-{role}", rules, self._child)
