"""Addresses and allowed paths: which subnets exist, and who may talk to whom on which port.

A segment's place in its network comes from the tables below and a subnet's from its zone's letter,
never from a position in a list: adding a zone or a segment moves nothing.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from plan.acl import INTERNET_SIDE, AclRule, Flow, Side, acl_rules
from plan.endpoints import EndpointPlan, plan_gateway_endpoints, plan_interface_endpoints
from plan.settings import Settings

HTTPS: Final = 443
SERVICE: Final = 8443  # what both services listen on, TLS inside the task
POSTGRES: Final = 5432


class Reach(StrEnum):
    """Where a segment's default route leads."""

    PUBLIC = "public"  # an internet gateway; NAT gateways live here and nothing else
    PRIVATE = "private"  # a NAT gateway
    ISOLATED = "isolated"  # nowhere


@dataclass(frozen=True, slots=True)
class SubnetPlan:
    zone: str
    cidr: str


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """Subnets of one purpose, one in each zone."""

    name: str
    reach: Reach
    cidr: str  # of all its subnets together, and of zones to come
    subnets: tuple[SubnetPlan, ...]
    acl: tuple[AclRule, ...]

    @property
    def cidrs(self) -> tuple[str, ...]:
        return tuple(s.cidr for s in self.subnets)


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """One VPC. `name` is its identity: the cell's is `cell`, a dedicated one's `tenant-<id>`."""

    name: str
    cidr: str
    zones: tuple[str, ...]
    segments: tuple[SegmentPlan, ...]
    nat_zones: tuple[str, ...]
    groups: tuple[str, ...]
    endpoints: tuple[EndpointPlan, ...] = ()
    owner: str | None = None  # the tenant whose network it is; None: the cell's

    def segment(self, name: str) -> SegmentPlan:
        return next(s for s in self.segments if s.name == name)


@dataclass(frozen=True, slots=True, order=True)
class PathPlan:
    """One allowed way: from one security group to one other (or a named outside), on one TCP port.

    `why` becomes the description of its rules, for which AWS takes few signs: no apostrophe, for one.
    """

    source: str
    target: str
    port: int
    why: str

    @property
    def name(self) -> str:
        return f"{self.source}-to-{self.target}-{self.port}"


ENDPOINTS: Final = "endpoints"  # segment and group of the interface endpoints
INTERNET: Final = "internet"  # every address, reached through NAT
S3: Final = "s3"  # the prefix list of the Region's gateway endpoint

# segment → (place in the network, reach); places are for ever, new segments take new ones.
CELL_SEGMENTS: Final[Mapping[str, tuple[int, Reach]]] = {
    "public": (0, Reach.PUBLIC),
    "monolith": (1, Reach.PRIVATE),
    "reports": (2, Reach.PRIVATE),
    "monolith-data": (3, Reach.ISOLATED),
    "reports-data": (4, Reach.ISOLATED),
    "pool-data": (5, Reach.ISOLATED),
    "silo-data": (6, Reach.ISOLATED),
    "endpoints": (7, Reach.ISOLATED),
    "functions": (8, Reach.ISOLATED),
}
DEDICATED_SEGMENTS: Final[Mapping[str, tuple[int, Reach]]] = {
    "public": (0, Reach.PUBLIC),
    "silo-data": (1, Reach.ISOLATED),
    "endpoints": (2, Reach.ISOLATED),
    "workload": (3, Reach.PRIVATE),
}
CELL_PREFIX: Final = 20  # a segment of the cell
DEDICATED_PREFIX: Final = 21  # a dedicated network; the ledger hands these out

# The whole of what may be said on the cell's network; every rule of every group comes from here.
CELL_PATHS: Final[tuple[PathPlan, ...]] = (
    PathPlan("vpc-link", "reports-alb", HTTPS, "requests of the API to the report service"),
    PathPlan("reports-alb", "reports", SERVICE, "the balancer to its tasks"),
    PathPlan("reports", "monolith-alb", HTTPS, "GET /api/data/reports over mutual TLS"),
    PathPlan("monolith-alb", "monolith", SERVICE, "the balancer to its tasks"),
    PathPlan("monolith", "monolith-db", POSTGRES, "own database of the monolith"),
    PathPlan("reports", "reports-db", POSTGRES, "own database of the report service, and its readers"),
    PathPlan("monolith", "pool-db", POSTGRES, "data of pooled tenants"),
    PathPlan("monolith", "silo-db", POSTGRES, "data of siloed tenants"),
    PathPlan("functions", "pool-db", POSTGRES, "roles and schemas of pooled tenants"),
    PathPlan("functions", "silo-db", POSTGRES, "roles and schemas of siloed tenants"),
    PathPlan("monolith", "endpoints", HTTPS, "AWS APIs without leaving the network"),
    PathPlan("reports", "endpoints", HTTPS, "AWS APIs without leaving the network"),
    PathPlan("functions", "endpoints", HTTPS, "AWS APIs without leaving the network"),
    PathPlan("monolith", S3, HTTPS, "objects and image layers"),
    PathPlan("reports", S3, HTTPS, "objects and image layers"),
    PathPlan("monolith", INTERNET, HTTPS, "payment partners"),
    PathPlan("callouts", "endpoints", HTTPS, "AWS APIs without leaving the network"),
    PathPlan("callouts", INTERNET, HTTPS, "deliveries to servers of tenants, keys of an issuer of tokens"),
)
OUTSIDE: Final = frozenset({INTERNET, S3})

# group → the segment that its members live in.
CELL_GROUPS: Final[Mapping[str, str]] = {
    "vpc-link": "reports",
    "reports-alb": "reports",
    "reports": "reports",
    "callouts": "reports",
    "monolith-alb": "monolith",
    "monolith": "monolith",
    "functions": "functions",
    "monolith-db": "monolith-data",
    "reports-db": "reports-data",
    "pool-db": "pool-data",
    "silo-db": "silo-data",
    "endpoints": "endpoints",
}
DEDICATED_GROUPS: Final[Mapping[str, str]] = {"silo-db": "silo-data"}
# Paths that go on, over a peering, to the same group in a dedicated tenant's network.
PEERED_PATHS: Final[tuple[PathPlan, ...]] = tuple(p for p in CELL_PATHS if p.target == "silo-db")


def zone_place(zone: str) -> int:
    """The letter of a zone as a number, so that a zone keeps its addresses whatever others there are."""
    return ord(zone[-1]) - ord("a")


def cut(parent: str, prefix: int, place: int) -> str:
    """The `place`-th network of length `prefix` inside `parent`; raises ValueError past its end."""
    network = ipaddress.IPv4Network(parent)
    if not 0 <= place < 2 ** (prefix - network.prefixlen):
        raise ValueError(f"{parent} has no /{prefix} number {place}")
    start = int(network.network_address) + place * 2 ** (32 - prefix)
    return str(ipaddress.IPv4Network((start, prefix)))


Segments: TypeAlias = Mapping[str, tuple[int, Reach]]


def _sides(parent: str, table: Segments, prefix: int, first_number: int = 100) -> dict[str, Side]:
    """Each segment as its neighbours' ACLs see it."""
    return {
        n: Side(cut(parent, prefix, place), first_number + 100 * place) for n, (place, _) in table.items()
    }


def _segments(
    zones: Iterable[str], table: Segments, sides: Mapping[str, Side], flows: Sequence[Flow]
) -> tuple[SegmentPlan, ...]:
    made: list[SegmentPlan] = []
    for name, (_, reach) in table.items():
        own = sides[name]
        rules = acl_rules(own, [*flows, *_outward(name, table, sides)])
        made.append(SegmentPlan(name, reach, own.cidr, _subnets(own.cidr, zones), rules))
    return tuple(made)


def _subnets(cidr: str, zones: Iterable[str]) -> tuple[SubnetPlan, ...]:
    """One in each zone, an eighth of the segment: more than any Region has zones."""
    prefix = int(cidr.split("/")[1]) + 3
    return tuple(SubnetPlan(z, cut(cidr, prefix, zone_place(z))) for z in sorted(zones))


def _outward(name: str, table: Segments, sides: Mapping[str, Side]) -> list[Flow]:
    """HTTPS to the outside, as the segment's ACL sees it: its own, or what NAT gateways in it pass on.

    A gateway endpoint's addresses are public ones too; an ACL cannot name a prefix list.
    """
    reach = table[name][1]
    if reach is Reach.ISOLATED:
        return []
    served = [n for n, (_, r) in table.items() if reach is Reach.PUBLIC and r is Reach.PRIVATE]
    return [Flow(sides[name], INTERNET_SIDE, HTTPS), *(Flow(sides[n], sides[name], HTTPS) for n in served)]


def _inner_flows(sides: Mapping[str, Side]) -> list[Flow]:
    """The table of paths, from segment to segment, and a database's readers that follow it.

    RDS opens groups for replication by itself, and no ACL (RDS user guide, "Read replicas", 2026-11).
    """
    inner = [p for p in CELL_PATHS if p.target not in OUTSIDE]
    paths = [Flow(sides[CELL_GROUPS[p.source]], sides[CELL_GROUPS[p.target]], p.port) for p in inner]
    return paths + [_replication(sides[CELL_GROUPS[p.target]]) for p in inner if p.port == POSTGRES]


def _replication(data: Side) -> Flow:
    return Flow(data, data, POSTGRES)


def _peered_flows(cell: Mapping[str, Side], data: Side) -> list[Flow]:
    return [Flow(cell[CELL_GROUPS[p.source]], data, p.port) for p in PEERED_PATHS]


def plan_cell_network(settings: Settings) -> NetworkPlan:
    """The VPC of the cell: sixteen places of a /20 in its /16, a /23 in each zone.

    Its ACLs know dedicated networks as one block: which of them may be reached, and where, is said by
    routes and groups, so that a new tenant changes no ACL of the cell.
    """
    zones = tuple(sorted(settings.zones))
    sides = _sides(settings.network_cidr, CELL_SEGMENTS, CELL_PREFIX)
    flows = _inner_flows(sides) + _peered_flows(sides, Side(settings.tenant_networks, 3000))
    return NetworkPlan(
        name="cell",
        cidr=settings.network_cidr,
        zones=zones,
        segments=_segments(zones, CELL_SEGMENTS, sides, flows),
        nat_zones=zones if settings.nat_per_zone else zones[:1],
        groups=tuple(sorted(CELL_GROUPS)),
        endpoints=(*plan_gateway_endpoints(settings), *plan_interface_endpoints(settings)),
    )


def plan_dedicated_network(tenant_id: str, cidr: str, settings: Settings) -> NetworkPlan:
    """The VPC of a `dedicated` tenant: eight places of a /24 in its /21, a /27 in each zone."""
    zones = tuple(sorted(settings.zones))
    cell = _sides(settings.network_cidr, CELL_SEGMENTS, CELL_PREFIX, 3000)
    sides = _sides(cidr, DEDICATED_SEGMENTS, DEDICATED_PREFIX + 3)
    data = sides[DEDICATED_GROUPS["silo-db"]]
    return NetworkPlan(
        name=f"tenant-{tenant_id}",
        cidr=cidr,
        zones=zones,
        segments=_segments(
            zones, DEDICATED_SEGMENTS, sides, [*_peered_flows(cell, data), _replication(data)]
        ),
        nat_zones=zones if settings.nat_per_zone else zones[:1],
        groups=tuple(sorted(DEDICATED_GROUPS)),
        endpoints=plan_gateway_endpoints(settings),
        owner=tenant_id,
    )
