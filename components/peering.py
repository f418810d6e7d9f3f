"""The one way between the cell and a dedicated tenant's network: PostgreSQL, over a peering."""

from dataclasses import dataclass
from itertools import product

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import ec2

from components.network import Network
from components.network_tags import network_tags
from components.path_rules import PathRules, PathRulesArgs
from components.shared import Shared
from components.waiting import after
from plan.network import CELL_GROUPS, DEDICATED_GROUPS, PEERED_PATHS, NetworkPlan


@dataclass(frozen=True, kw_only=True)
class PeeringArgs:
    """Both networks are in one account and Region, so that the connection accepts itself."""

    cell: Network
    cell_plan: NetworkPlan
    tenant: Network
    tenant_plan: NetworkPlan
    shared: Shared


class Peering(pulumi.ComponentResource):
    """Routes between the segments of `PEERED_PATHS` alone, and a rule at each end of each path.

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
        args = self._args
        services = sorted({CELL_GROUPS[p.source] for p in PEERED_PATHS})
        data = sorted({DEDICATED_GROUPS[p.target] for p in PEERED_PATHS})
        for here, there in product(services, data):
            self._route(args.cell, args.cell_plan, here, (there, args.tenant_plan))
            self._route(args.tenant, args.tenant_plan, there, (here, args.cell_plan))

    def _route(
        self, network: Network, plan: NetworkPlan, segment: str, target: tuple[str, NetworkPlan]
    ) -> None:
        """From every table of one segment to one segment of the other network."""
        there, other = target
        tables = network.route_table_ids[segment]
        zones = [s.zone for s in plan.segment(segment).subnets] if len(tables) > 1 else [""]
        for zone, table in zip(zones, tables, strict=True):
            ec2.Route(
                "-".join(filter(None, (self._name, segment, zone, "to", there))),
                route_table_id=table,
                destination_cidr_block=other.segment(there).cidr,
                vpc_peering_connection_id=self.connection_id,
                opts=self._child,
            )

    def _make_rules(self) -> None:
        """A group of the other network can be named only while the peering is there."""
        args, peering = self._args, [self.connection_id]
        rules = PathRulesArgs(
            plan=args.tenant_plan,
            paths=PEERED_PATHS,
            sources={p.source: after(args.cell.group_ids[p.source], peering) for p in PEERED_PATHS},
            targets={p.target: args.tenant.group_ids[p.target] for p in PEERED_PATHS},
            prefix_list_id=None,
            shared=args.shared,
        )
        PathRules(f"{self._name}-paths", rules, self._child)
