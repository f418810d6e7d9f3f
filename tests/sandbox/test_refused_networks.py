"""Networks that AWS refuses in the light of those that are there, in its own code and words."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.world import EIP, GROUP, INGRESS, REGION, ROUTE, SUBNET, VPC, World

TABLE, GATEWAY = "aws:ec2/routeTable:RouteTable", "aws:ec2/internetGateway:InternetGateway"
NAT, PEERING = "aws:ec2/natGateway:NatGateway", "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"


def _vpc_of_another(w: World) -> dict[str, Any]:
    w.network()
    return {"vpcId": "vpc-gone", "cidrBlock": "10.0.9.0/24"}


def _outside(w: World) -> dict[str, Any]:
    return {"vpcId": w.network()[0], "cidrBlock": "10.1.0.0/24"}


def _overlap(w: World) -> dict[str, Any]:
    return {"vpcId": w.network()[0], "cidrBlock": "10.0.0.128/25"}


def _zone(w: World) -> dict[str, Any]:
    return {"vpcId": w.network()[0], "cidrBlock": "10.0.9.0/24", "availabilityZone": "us-east-1a"}


def _overlapping_peers(w: World) -> dict[str, Any]:
    return {"vpcId": w.network()[0], "peerVpcId": w.make(VPC, cidrBlock="10.0.128.0/17"), "autoAccept": True}


def _foreign_gateway(w: World) -> dict[str, Any]:
    table = w.make(TABLE, vpcId=w.network()[0])
    gateway = w.make(GATEWAY, vpcId=w.network("10.2.0.0/16")[0])
    return {"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway}


def _no_gateway(w: World) -> dict[str, Any]:
    return {"subnetId": w.network()[1][0], "allocationId": w.make(EIP, domain="vpc")}


def _used_address(w: World) -> dict[str, Any]:
    vpc, subnets = w.network()
    w.make(GATEWAY, vpcId=vpc)
    address = w.make(EIP, domain="vpc")
    w.make(NAT, subnetId=subnets[0], allocationId=address)
    return {"subnetId": subnets[1], "allocationId": address}


def _gone_group(w: World) -> dict[str, Any]:
    group = w.make(GROUP, name="a", vpcId=w.network()[0])
    other = w.make(GROUP, name="b", vpcId=w.network("10.2.0.0/16")[0])
    w.cloud.delete(GROUP, other)
    given = {"securityGroupId": group, "referencedSecurityGroupId": other}
    return {**given, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443}


def _far_group(w: World) -> dict[str, Any]:
    group = w.make(GROUP, name="a", vpcId=w.network()[0])
    other = w.make(GROUP, name="b", vpcId=w.network("10.2.0.0/16")[0])
    given = {"securityGroupId": group, "referencedSecurityGroupId": other}
    return {**given, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443}


def _two_in_a_zone(w: World) -> dict[str, Any]:
    vpc, subnets = w.network()
    more = w.make(SUBNET, vpcId=vpc, cidrBlock="10.0.9.0/24", availabilityZone=f"{REGION}a")
    return {"name": "lb", "subnets": [*subnets, more]}


def _balancer_in_one_zone(w: World) -> dict[str, Any]:
    return {"name": "lb", "subnets": w.network()[1][:1]}


THERE: dict[str, tuple[str, Callable[[World], dict[str, Any]], str]] = {
    "a VPC that is gone": (
        SUBNET,
        _vpc_of_another,
        "InvalidVpcID.NotFound: The vpc ID 'vpc-gone' does not exist",
    ),
    "a subnet outside its network": (
        SUBNET,
        _outside,
        "InvalidSubnet.Range: The CIDR '10.1.0.0/24' is invalid.",
    ),
    "a subnet over another": (
        SUBNET,
        _overlap,
        "InvalidSubnet.Conflict: The CIDR '10.0.0.128/25' conflicts with another subnet",
    ),
    "a zone of another Region": (
        SUBNET,
        _zone,
        "Value (us-east-1a) for parameter availabilityZone is invalid.",
    ),
    "peers that overlap": (PEERING, _overlapping_peers, "overlapping CIDR range"),
    "a gateway of another network": (ROUTE, _foreign_gateway, "belong to different networks"),
    "NAT without an internet gateway": (NAT, _no_gateway, "Gateway.NotAttached"),
    "an address in use": (NAT, _used_address, "Resource.AlreadyAssociated: Elastic IP address"),
    "a group that is gone": (INGRESS, _gone_group, "InvalidGroup.NotFound: The security group"),
    "a group beyond a peering": (
        INGRESS,
        _far_group,
        "InvalidGroup.NotFound: You have specified two resources that belong to different networks.",
    ),
    "two subnets in a zone": (BALANCER, _two_in_a_zone, "multiple subnets in the same Availability Zone"),
    "a balancer in one zone": (
        BALANCER,
        _balancer_in_one_zone,
        "At least two subnets in two different Availability Zones must be specified",
    ),
}


@pytest.mark.parametrize("case", sorted(THERE))
def test_what_does_not_fit_the_networks_is_refused_and_leaves_nothing(world: World, case: str) -> None:
    token, before, words = THERE[case]
    world.refuses(token, before(world), words)
