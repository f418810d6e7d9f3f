"""Rules on security groups and network ACLs: nothing in from everywhere, out to everywhere by HTTPS only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final, cast

from policies.checks import listed
from policies.control_ids import NETWORK
from policies.model import PASS, UNKNOWN, Plan, Resource, Verdict, cannot_tell, fail, worst
from policies.rule import Made, Ref, Rule
from policies.rules.example_builders import example

INGRESS: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS: Final = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP: Final = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
OLD_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
ACL: Final = "aws:ec2/networkAcl:NetworkAcl"
HTTPS: Final = 443
WIDE: Final = 8  # a shorter prefix is more of the internet than anybody owns
# How the types spell one source or target; all are looked at.
_CIDRS: Final = ("cidrIpv4", "cidrIpv6", "cidrBlocks", "ipv6CidrBlocks", "cidrBlock", "ipv6CidrBlock")


@dataclass(frozen=True, slots=True)
class Opening:
    """One direction of one rule: where it stands, what it says."""

    place: str
    says: Mapping[str, Any]

    def cidrs(self) -> Iterator[object]:
        for name in _CIDRS:
            yield from listed(self.says.get(name) or ())

    def everywhere(self) -> Verdict:
        """Fails where it is about everybody; cannot tell where an address is not known."""
        found: list[Verdict] = []
        for cidr in self.cidrs():
            if cidr is UNKNOWN:
                found.append(
                    cannot_tell(f"{self.place} names an address that is not known before the update")
                )
            elif ip_network(str(cidr), strict=False).prefixlen < WIDE:
                found.append(fail(f"{self.place} names {cidr}"))
        return worst(found)

    def only(self, port: int) -> bool:
        return self.says.get("fromPort") == port == self.says.get("toPort")


def _openings(resource: Resource, direction: str) -> Iterator[Opening]:
    """What a resource of any of the types says of one direction, `ingress` or `egress`."""
    if resource.type in (INGRESS, EGRESS):
        if (resource.type == INGRESS) is (direction == "ingress"):
            yield Opening("it", resource.inputs)
    elif resource.type == OLD_RULE:
        if resource.get("type") == direction:
            yield Opening("it", resource.inputs)
    else:
        for i, one in enumerate(listed(resource.get(direction, ()))):
            known = cast("Mapping[str, Any]", one) if isinstance(one, Mapping) else {"cidrBlock": UNKNOWN}
            yield Opening(f"{direction}[{i}]", known)


def _not_from_everywhere(resource: Resource, _plan: Plan) -> Verdict:
    return worst(opening.everywhere() for opening in _openings(resource, "ingress"))


def _only_https_to_everywhere(resource: Resource, _plan: Plan) -> Verdict:
    return worst(o.everywhere() for o in _openings(resource, "egress") if not o.only(HTTPS))


def _empty(resource: Resource, _plan: Plan) -> Verdict:
    full = [d for d in ("ingress", "egress") if list(_openings(resource, d))]
    return fail(f"it has rules in {' and '.join(full)}") if full else PASS


def _acl(resource: Resource, _plan: Plan) -> Verdict:
    """From everywhere come answers to ports that clients use, and HTTPS; nothing else."""
    found: list[Verdict] = []
    for opening in _openings(resource, "ingress"):
        if opening.says.get("action") == "deny" or opening.only(HTTPS):
            continue
        low = opening.says.get("fromPort", 0)
        if opening.says.get("protocol") not in ("-1", "all") and isinstance(low, int | float) and low >= 1024:
            continue
        found.append(opening.everywhere())
    return worst(found)


_IN: Final = {"securityGroupId": Ref("group", "id"), "ipProtocol": "tcp", "fromPort": 443, "toPort": 443}
_OUT: Final = {**_IN, "cidrIpv4": "0.0.0.0/0"}
_VPC: Final = Made("aws:ec2/vpc:Vpc", "vpc", {"cidrBlock": "10.0.0.0/16"})
_GROUP: Final = Made(GROUP, "group", {"vpcId": Ref("vpc", "id"), "description": "Of an example"})
_ALL: Final = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["10.0.0.0/16"]}
_ACL_RULE: Final = {"ruleNo": 100, "action": "allow", "protocol": "tcp", "fromPort": 443, "toPort": 443}

RULES: Final = (
    Rule(
        id="ingress-not-from-everywhere",
        title="No security group admits every address",
        types=(INGRESS, GROUP, DEFAULT_GROUP, OLD_RULE),
        check=_not_from_everywhere,
        remedy="Name the security group that may come in, by a path in plan/network/network.py.",
        controls=NETWORK,
        good=example(INGRESS, {**_IN, "referencedSecurityGroupId": Ref("group", "id")}, _VPC, _GROUP),
        bad=example(INGRESS, {**_IN, "cidrIpv4": "0.0.0.0/0"}, _VPC, _GROUP),
    ),
    Rule(
        id="egress-by-https-only",
        title="Egress to every address is by HTTPS only",
        types=(EGRESS, GROUP, DEFAULT_GROUP, OLD_RULE),
        check=_only_https_to_everywhere,
        remedy="Name what is reached, or keep to port 443; an inline rule of all ports is AWS's default.",
        controls=NETWORK,
        good=example(EGRESS, _OUT, _VPC, _GROUP),
        bad=example(EGRESS, {**_OUT, "fromPort": 0, "toPort": 65535}, _VPC, _GROUP),
    ),
    Rule(
        id="default-group-empty",
        title="The default security group of a network allows nothing in or out",
        types=(DEFAULT_GROUP,),
        check=_empty,
        remedy="Leave `ingress` and `egress` of the default group empty.",
        controls=NETWORK,
        good=example(DEFAULT_GROUP, {"vpcId": Ref("vpc", "id")}, _VPC),
        bad=example(DEFAULT_GROUP, {"vpcId": Ref("vpc", "id"), "ingress": [_ALL]}, _VPC),
    ),
    Rule(
        id="acl-not-open",
        title="Network ACLs admit only HTTPS and answers from every address",
        types=(ACL,),
        check=_acl,
        remedy="Allow a path in plan/network/network.py; its ACL rules follow from it.",
        controls=NETWORK,
        good=example(
            ACL, {"vpcId": Ref("vpc", "id"), "ingress": [{**_ACL_RULE, "cidrBlock": "10.0.0.0/16"}]}, _VPC
        ),
        bad=example(
            ACL,
            {
                "vpcId": Ref("vpc", "id"),
                "ingress": [{**_ACL_RULE, "fromPort": 22, "toPort": 22, "cidrBlock": "0.0.0.0/0"}],
            },
            _VPC,
        ),
    ),
)
