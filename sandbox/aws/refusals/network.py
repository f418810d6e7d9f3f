"""Rules on networks: address blocks that contain or overlap, and what must be in one network.

Sources: Amazon EC2 API reference, error codes; VPC user guide (VPC and subnet sizing /16 to /28, peering
limitations, route tables); Elastic Load Balancing and RDS guides on subnets; 2026-11.
"""

import ipaddress
from collections.abc import Iterator
from typing import Any, Final, cast

from sandbox.aws.refusals.rule import CREATE, INPUTS, Refusal, RuleContext, rule
from sandbox.aws.templates import UNKNOWN
from sandbox.cloud.store import Row

VPC, SUBNET, ROUTE = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/route:Route"
TABLE, ASSOCIATION = "aws:ec2/routeTable:RouteTable", "aws:ec2/routeTableAssociation:RouteTableAssociation"
GATEWAY, NAT, EIP = (
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/natGateway:NatGateway",
    "aws:ec2/eip:Eip",
)
PEERING = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
Block = ipaddress.IPv4Network
TARGETS: Final = (
    "carrierGatewayId",
    "coreNetworkArn",
    "egressOnlyGatewayId",
    "gatewayId",
    "localGatewayId",
    "natGatewayId",
    "networkInterfaceId",
    "transitGatewayId",
    "vpcEndpointId",
    "vpcPeeringConnectionId",
)


def block(text: Any) -> Block | None:
    """An IPv4 block, None where it is none or not known yet."""
    try:
        return ipaddress.IPv4Network(str(text))
    except ValueError:
        return None


def one(at: RuleContext, kind: str, word: Any) -> Row | None:
    found = at.store.find(kind, str(word)) if word else []
    return found[0] if found else None


def network_of(at: RuleContext, kind: str, word: Any) -> str | None:
    """The VPC in which a resource is."""
    row = one(at, kind, word)
    return None if row is None else row.outputs.get("vpcId")


# -- blocks


@rule(INPUTS, VPC, SUBNET, checks=("cidrBlock",))
def check_cidr_block(at: RuleContext) -> Iterator[Refusal]:
    text = at.known("cidrBlock")
    if text is None:
        return
    found = block(text)
    if found is None:
        words = f"Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        yield Refusal("InvalidParameterValue", words, "cidrBlock")
    elif not 16 <= found.prefixlen <= 28:
        code = "InvalidVpc.Range" if at.token == VPC else "InvalidSubnet.Range"
        yield Refusal(code, f"The CIDR '{text}' is invalid.", "cidrBlock")


@rule(CREATE, SUBNET, checks=("cidrBlock", "vpcId"))
def check_subnet_within_vpc(at: RuleContext) -> Iterator[Refusal]:
    mine, network = block(at.known("cidrBlock")), one(at, VPC, at.known("vpcId"))
    whole = block(network.outputs.get("cidrBlock")) if network else None
    if mine is None or network is None or whole is None or at.before is not None:
        return
    if not mine.subnet_of(whole):
        yield Refusal("InvalidSubnet.Range", f"The CIDR '{mine}' is invalid.", "cidrBlock")
    for other in at.store.users(network, SUBNET, "vpcId"):
        theirs = block(other.outputs.get("cidrBlock"))
        if theirs and mine.overlaps(theirs):
            words = f"The CIDR '{mine}' conflicts with another subnet"
            yield Refusal("InvalidSubnet.Conflict", words, "cidrBlock")


@rule(CREATE, SUBNET, checks=("availabilityZone",))
def check_availability_zone(at: RuleContext) -> Iterator[Refusal]:
    zone, region = at.known("availabilityZone"), at.store.region
    if zone and not (
        str(zone).startswith(region) and str(zone)[len(region) :] in ("a", "b", "c", "d", "e", "f")
    ):
        words = (
            f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created"
            f" in the following availability zones: {', '.join(region + z for z in 'abc')}."
        )
        yield Refusal("InvalidParameterValue", words, "availabilityZone")


@rule(CREATE, PEERING, checks=("vpcId", "peerVpcId"))
def check_peered_blocks_do_not_overlap(at: RuleContext) -> Iterator[Refusal]:
    """VPC peering guide, limitations: AWS takes the request and lets it fail."""
    rows = [one(at, VPC, at.known(k)) for k in ("vpcId", "peerVpcId")]
    blocks = [b for row in rows if row and (b := block(row.outputs.get("cidrBlock")))]
    if at.before is None and len(blocks) == 2 and blocks[0].overlaps(blocks[1]):
        words = (
            "unexpected state 'failed', wanted target 'active, pending-acceptance'. last error: Failed due to"
            " incorrect VPC-ID, Account ID, or overlapping CIDR range"
        )
        yield Refusal("VpcPeeringConnection", words, "peerVpcId")


# -- routes


@rule(INPUTS, ROUTE, checks=TARGETS)
def check_route_has_one_target(at: RuleContext) -> Iterator[Refusal]:
    given = [k for k in TARGETS if at.inputs.get(k) not in (None, "")]
    if len(given) != 1:
        words = f"The request must contain exactly one of {', '.join(TARGETS)}; it contains {given}"
        yield Refusal("InvalidParameterCombination" if given else "MissingParameter", words, "routeTableId")


@rule(INPUTS, ROUTE, checks=("destinationCidrBlock",))
def check_route_destination(at: RuleContext) -> Iterator[Refusal]:
    text = at.known("destinationCidrBlock")
    if text is not None and block(text) is None:
        words = (
            f"Value ({text}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block."
        )
        yield Refusal("InvalidParameterValue", words, "destinationCidrBlock")


@rule(CREATE, ROUTE, checks=("routeTableId", "gatewayId", "natGatewayId", "vpcPeeringConnectionId"))
def check_route_within_one_vpc(at: RuleContext) -> Iterator[Refusal]:
    table, network = at.known("routeTableId"), network_of(at, TABLE, at.known("routeTableId"))
    nat = one(at, NAT, at.known("natGatewayId"))
    peering = one(at, PEERING, at.known("vpcPeeringConnectionId"))
    ends = {
        at.known("gatewayId"): [network_of(at, GATEWAY, at.known("gatewayId"))],
        at.known("natGatewayId"): [network_of(at, SUBNET, nat.outputs.get("subnetId")) if nat else None],
        at.known("vpcPeeringConnectionId"): [peering.outputs.get(k) for k in ("vpcId", "peerVpcId")]
        if peering
        else [None],
    }
    for target, networks in ends.items():
        if target and network and None not in networks and network not in networks:
            words = f"route table {table} and network gateway {target} belong to different networks"
            yield Refusal("InvalidParameterValue", words, "routeTableId")


@rule(CREATE, ROUTE, checks=("destinationCidrBlock",))
def check_route_spares_local_route(at: RuleContext) -> Iterator[Refusal]:
    table = one(at, TABLE, at.known("routeTableId"))
    network = one(at, VPC, table.outputs.get("vpcId")) if table else None
    text = at.known("destinationCidrBlock")
    if network and text and network.outputs.get("cidrBlock") == text:
        words = f"The route identified by {text} already exists."
        yield Refusal("RouteAlreadyExists", words, "destinationCidrBlock")


@rule(CREATE, ASSOCIATION, checks=("routeTableId", "subnetId"))
def check_route_table_of_subnet(at: RuleContext) -> Iterator[Refusal]:
    table, subnet = at.known("routeTableId"), one(at, SUBNET, at.known("subnetId"))
    if subnet is None:
        return
    if network_of(at, TABLE, table) not in (None, subnet.outputs.get("vpcId")):
        words = f"Route table {table} and subnet {subnet.id} belong to different networks"
        yield Refusal("InvalidParameterValue", words, "subnetId")
    if any(r.id != at.id for r in at.store.users(subnet, ASSOCIATION, "subnetId")):
        words = f"the specified association for route table {table} conflicts with an existing association"
        yield Refusal("Resource.AlreadyAssociated", words, "subnetId")


# -- gateways


@rule(CREATE, GATEWAY, checks=("vpcId",))
def check_one_internet_gateway(at: RuleContext) -> Iterator[Refusal]:
    network = one(at, VPC, at.known("vpcId"))
    if network and any(r.id != at.id for r in at.store.users(network, GATEWAY, "vpcId")):
        words = f"Network {network.id} already has an internet gateway attached"
        yield Refusal("Resource.AlreadyAssociated", words, "vpcId")


@rule(CREATE, NAT, checks=("allocationId", "subnetId"))
def check_nat_gateway(at: RuleContext) -> Iterator[Refusal]:
    if at.inputs.get("connectivityType", "public") != "public" or at.before is not None:
        return
    if at.inputs.get("allocationId") is None:
        words = "The request must include the AllocationId parameter. Add the required parameter and retry."
        yield Refusal("MissingParameter", words, "allocationId")
    address = one(at, EIP, at.known("allocationId"))
    if address and at.store.users(address, NAT, "allocationId"):
        words = f"Elastic IP address [{address.id}] is already associated"
        yield Refusal("Resource.AlreadyAssociated", words, "allocationId")
    network = one(at, VPC, network_of(at, SUBNET, at.known("subnetId")))
    if network and not at.store.users(network, GATEWAY, "vpcId"):
        words = f"Network {network.id} has no Internet gateway attached"
        yield Refusal("Gateway.NotAttached", words, "subnetId")


# -- endpoints


@rule(CREATE, ENDPOINT, checks=("serviceName", "privateDnsEnabled", "vpcId"))
def check_endpoint_private_dns(at: RuleContext) -> Iterator[Refusal]:
    network = one(at, VPC, at.known("vpcId"))
    if network is None or at.known("privateDnsEnabled") is not True:
        return
    attributes = [
        network.outputs.get(k, k == "enableDnsSupport") for k in ("enableDnsSupport", "enableDnsHostnames")
    ]
    if not all(attributes):
        words = (
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to"
            f" true for {network.id}"
        )
        yield Refusal("InvalidParameter", words, "privateDnsEnabled")
    for other in at.store.users(network, ENDPOINT, "vpcId"):
        is_same = other.outputs.get("serviceName") == at.known("serviceName")
        if other.id != at.id and is_same and other.outputs.get("privateDnsEnabled"):
            words = (
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for"
                f" {at.known('serviceName')} in the VPC {network.id}"
            )
            yield Refusal("InvalidParameter", words, "privateDnsEnabled")


@rule(CREATE, ENDPOINT, checks=("serviceName",))
def check_endpoint_service(at: RuleContext) -> Iterator[Refusal]:
    """The names of AWS's own services begin with its Region, those of others with `com.amazonaws.vpce`."""
    name = str(at.known("serviceName") or "")
    region = at.store.region
    starts = (f"com.amazonaws.{region}.", f"com.amazonaws.vpce.{region}.", f"aws.api.{region}.")
    if name and not name.startswith(starts):
        words = f"The Vpc Endpoint Service '{name}' does not exist"
        yield Refusal("InvalidServiceName", words, "serviceName")


def known_list(value: Any) -> list[str]:
    listed = cast("list[Any]", value) if isinstance(value, list) else []
    return [v for v in listed if isinstance(v, str) and v != UNKNOWN]
