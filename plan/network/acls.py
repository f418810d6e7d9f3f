"""Network ACLs, derived from the table of allowed paths, for whole subnets and stateless.

A security group is stateful; a network ACL is not, so it must allow the answers of each path too. A rule's
number encodes the peer (hundreds) and the port (tens): a new path renumbers no other rule, and a person can
read the number.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

ANYWHERE: Final = "0.0.0.0/0"
# Clients answer from these: Linux uses 32768-60999, load balancers and NAT gateways 1024-65535
# (VPC user guide, "Ephemeral ports", 2026-11).
EPHEMERAL: Final = (1024, 65535)
MAX_RULES: Final = 20  # each direction of one ACL (VPC quotas, 2026-11)

# The tens of a rule's number: one for each port that the table of paths may name.
_PORT_PLACE: Final[Mapping[int, int]] = {443: 0, 5432: 10, 8443: 20}
_ANSWER_PLACE: Final = 90


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a path as an ACL sees it: addresses, and the hundreds of the rules about them."""

    cidr: str
    number: int  # 100, 200, …


INTERNET_SIDE: Final = Side(ANYWHERE, 5000)


@dataclass(frozen=True, slots=True)
class Flow:
    """Connections from one side to the other on one TCP port."""

    source: Side
    target: Side
    port: int


@dataclass(frozen=True, slots=True, order=True)
class AclRule:
    """One allowed direction of TCP packets; whatever no rule allows is dropped."""

    egress: bool
    number: int
    cidr: str
    from_port: int
    to_port: int


def acl_rules(own: Side, flows: Iterable[Flow]) -> tuple[AclRule, ...]:
    """The rules of the ACL around `own` that let just `flows` through; ValueError past the quota."""
    found = sorted({rule for flow in flows for rule in _around(own, flow)})
    for egress in (True, False):
        count = sum(rule.egress is egress for rule in found)
        if count > MAX_RULES:
            raise ValueError(f"{own.cidr}: {count} ACL rules in one direction, AWS allows {MAX_RULES}")
    return tuple(found)


def _around(own: Side, flow: Flow) -> Iterator[AclRule]:
    """Both directions at each end of the flow that is `own`: the request, and its answer."""
    if flow.source == own:
        yield _request(flow.target, flow.port, egress=True)
        yield _answer(flow.target, egress=False)
    if flow.target == own:
        yield _request(flow.source, flow.port, egress=False)
        yield _answer(flow.source, egress=True)


def _request(other: Side, port: int, *, egress: bool) -> AclRule:
    return AclRule(egress, other.number + _PORT_PLACE[port], other.cidr, port, port)


def _answer(other: Side, *, egress: bool) -> AclRule:
    return AclRule(egress, other.number + _ANSWER_PLACE, other.cidr, *EPHEMERAL)
