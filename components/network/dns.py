"""The private DNS zone of a cell: names that exist only inside its network."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import route53


@dataclass(frozen=True, kw_only=True)
class PrivateZoneArgs:
    domain: str
    vpc_id: Input[str]


class PrivateZone(pulumi.ComponentResource):
    zone_id: Output[str]

    def __init__(self, name: str, args: PrivateZoneArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:network:PrivateZone", name, None, opts)
        zone = route53.Zone(
            f"{name}-zone",
            name=args.domain,
            comment="Services of the cell, for one another",
            vpcs=[route53.ZoneVpcArgs(vpc_id=args.vpc_id)],
            opts=ResourceOptions(parent=self),
        )
        self.zone_id = zone.zone_id
        self.register_outputs({"zoneId": self.zone_id})


@dataclass(frozen=True, kw_only=True)
class AliasArgs:
    """A name for an AWS endpoint (a balancer, a gateway's domain) in a public or private zone."""

    host: str
    zone_id: Input[str]
    target_host: Input[str]
    target_zone_id: Input[str]
    check_health: bool = True  # answer only while the endpoint says that it is well


def alias(name: str, args: AliasArgs, child: ResourceOptions) -> route53.Record:
    """An address record without addresses of its own: Route 53 asks the endpoint."""
    return route53.Record(
        name,
        zone_id=args.zone_id,
        name=args.host,
        type=route53.RecordType.A,
        aliases=[
            route53.RecordAliasArgs(
                name=args.target_host,
                zone_id=args.target_zone_id,
                evaluate_target_health=args.check_health,
            )
        ],
        opts=child,
    )
