"""Rules on security groups, and that their users are in the same network.

Sources: Amazon EC2 API reference (AuthorizeSecurityGroupIngress, CreateSecurityGroup, error codes); VPC
quotas (5 groups an interface); the services' own API references; 2026-11.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from sandbox.aws.refusals.network import ENDPOINT, PEERING, SUBNET, VPC, block, known_list, network_of, one
from sandbox.aws.refusals.rule import CREATE, INPUTS, Refusal, RuleContext, rule

GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
SOURCES: Final = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
PROTOCOLS: Final = {"tcp", "udp", "icmp", "icmpv6", "-1", *map(str, range(256))}
GROUPS_OF_AN_INTERFACE: Final = 5
# Who lies in subnets and groups: where its inputs name them, and what AWS answers where they differ.
USERS: Final[dict[str, tuple[str, str, str, str]]] = {
    "aws:lb/loadBalancer:LoadBalancer": (
        "subnets",
        "securityGroups",
        "InvalidConfigurationRequest",
        "One or more security groups are invalid",
    ),
    "aws:ecs/service:Service": (
        "networkConfiguration.subnets",
        "networkConfiguration.securityGroups",
        "InvalidParameterException",
        "Security group {group} does not appear to belong to the same VPC as the input subnets.",
    ),
    "aws:lambda/function:Function": (
        "vpcConfig.subnetIds",
        "vpcConfig.securityGroupIds",
        "InvalidParameterValueException",
        "Security Groups are required to be in the same VPC.",
    ),
    ENDPOINT: (
        "subnetIds",
        "securityGroupIds",
        "InvalidGroup.NotFound",
        "You have specified two resources that belong to different networks.",
    ),
    "aws:apigatewayv2/vpcLink:VpcLink": (
        "subnetIds",
        "securityGroupIds",
        "BadRequestException",
        "Security groups and subnets of a VPC link must be in one VPC",
    ),
}


def at_path(inputs: Any, path: str) -> list[str]:
    for part in path.split("."):
        inputs = cast("Mapping[str, Any]", inputs).get(part) if isinstance(inputs, dict) else None
    return known_list(inputs)


@rule(INPUTS, GROUP, checks=("description", "name"))
def check_security_group_texts(at: RuleContext) -> Iterator[Refusal]:
    for key in ("description", "name"):
        text = str(at.known(key) or "")
        allowed = all(c.isascii() and (c.isalnum() or c in " ._-:/()#,@[]+=&;{}!$*") for c in text)
        if not allowed or len(text) > 255:
            words = (
                f"Invalid security group {key}. Valid descriptions are strings less than 256 characters from"
            )
            yield Refusal("InvalidParameterValue", f"{words} a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*", key)
    if str(at.known("name") or "").startswith("sg-"):
        words = "invalid value for parameter groupName: group names must not begin with 'sg-'"
        yield Refusal("InvalidParameterValue", words, "name")
    if at.known("name") == "default":
        yield Refusal("InvalidParameterValue", "Cannot use reserved security group name: default", "name")


@rule(INPUTS, INGRESS, EGRESS, checks=("ipProtocol", "fromPort", "toPort", *SOURCES))
def check_rule_ports_and_source(at: RuleContext) -> Iterator[Refusal]:
    protocol = at.known("ipProtocol")
    if protocol is not None and str(protocol) not in PROTOCOLS:
        words = f"Invalid value '{protocol}' for IP protocol. Unknown protocol."
        yield Refusal("InvalidParameterValue", words, "ipProtocol")
    if str(protocol) in ("tcp", "udp", "6", "17"):
        yield from _ports(at)
    if not any(at.inputs.get(k) for k in SOURCES):
        words = "The request must contain one of CidrIpv4, CidrIpv6, PrefixListId, ReferencedGroupId"
        yield Refusal("MissingParameter", words, "securityGroupId")
    text = at.known("cidrIpv4")
    if text is not None and block(text) is None:
        yield Refusal("InvalidParameterValue", f"CIDR block {text} is malformed", "cidrIpv4")


def _ports(at: RuleContext) -> Iterator[Refusal]:
    low, high = at.known("fromPort"), at.known("toPort")
    for key, port in (("fromPort", low), ("toPort", high)):
        if at.inputs.get(key) is None:
            yield Refusal("MissingParameter", f"The request must contain the parameter {key}", key)
        elif port is not None and not 0 <= int(port) <= 65535:
            yield Refusal("InvalidParameterValue", f"TCP/UDP port ({port}) out of range", key)
    if low is not None and high is not None and int(low) > int(high):
        yield Refusal("InvalidParameterValue", f"Invalid TCP/UDP port range ({low}:{high})", "fromPort")


@rule(CREATE, INGRESS, EGRESS, checks=("referencedSecurityGroupId", "securityGroupId"))
def check_referenced_group(at: RuleContext) -> Iterator[Refusal]:
    """A group of another network can be named only through a peering of the two."""
    mine = network_of(at, GROUP, at.known("securityGroupId"))
    theirs = network_of(at, GROUP, at.known("referencedSecurityGroupId"))
    if None in (mine, theirs) or mine == theirs:
        return
    network = one(at, VPC, mine)
    ends = (("vpcId", "peerVpcId"), ("peerVpcId", "vpcId"))
    peerings = [
        p
        for here, there in ends
        if network
        for p in at.store.users(network, PEERING, here)
        if p.outputs.get(there) == theirs
    ]
    if not peerings:
        words = "You have specified two resources that belong to different networks."
        yield Refusal("InvalidGroup.NotFound", words, "referencedSecurityGroupId")


def check_groups_of_one_network(at: RuleContext) -> Iterator[Refusal]:
    subnets_at, groups_at, code, words = USERS[at.token]
    groups = at_path(at.inputs, groups_at)
    key = groups_at.split(".", maxsplit=1)[0]
    networks = {n for s in at_path(at.inputs, subnets_at) if (n := network_of(at, SUBNET, s))}
    for group in groups:
        theirs = network_of(at, GROUP, group)
        if networks and theirs and theirs not in networks:
            yield Refusal(code, words.format(group=group), key)
    if len(networks) > 1:
        yield Refusal("InvalidSubnet", "The subnets are not all in the same VPC", key)
    if len(groups) > GROUPS_OF_AN_INTERFACE:
        words = (
            f"You have exceeded the number of security groups allowed per interface: {GROUPS_OF_AN_INTERFACE}"
        )
        yield Refusal("SecurityGroupsPerInterfaceLimitExceeded", words, key)


for _token, (_subnets, _groups, _, _) in USERS.items():
    _keys = tuple({_subnets.split(".", maxsplit=1)[0], _groups.split(".", maxsplit=1)[0]})
    rule(CREATE, _token, checks=_keys)(check_groups_of_one_network)
