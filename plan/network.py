"""Addresses and allowed paths: which subnets exist, and who may talk to whom on which port.

A segment's place in its network comes from the tables below and a subnet's from its zone's letter,
never from a position in a list: adding a zone or a segment moves nothing.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

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
    subnets: tuple[SubnetPlan, ...]

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

    def segment(self, name: str) -> SegmentPlan:
        return next(s for s in self.segments if s.name == name)


@dataclass(frozen=True, slots=True, order=True)
class PathPlan:
    """One allowed way: from one security group to one other (or a named outside), on one TCP port."""

    source: str
    target: str
    port: int
    why: str

    @property
    def name(self) -> str:
        return f"{self.source}-to-{self.target}-{self.port}"


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
DEDICATED_PREFIX: Final = 21  # a dedicated network; the ledger hands these out

# The whole of what may be said on the cell's network; every rule of every group comes from here.
CELL_PATHS: Final[tuple[PathPlan, ...]] = (
    PathPlan("vpc-link", "reports-alb", HTTPS, "the API's requests to the report service"),
    PathPlan("reports-alb", "reports", SERVICE, "the balancer to its tasks"),
    PathPlan("reports", "monolith-alb", HTTPS, "GET /api/data/reports over mutual TLS"),
    PathPlan("monolith-alb", "monolith", SERVICE, "the balancer to its tasks"),
    PathPlan("monolith", "monolith-db", POSTGRES, "the monolith's own database"),
    PathPlan("reports", "reports-db", POSTGRES, "the report service's own database and its readers"),
    PathPlan("monolith", "pool-db", POSTGRES, "pooled tenants' data"),
    PathPlan("monolith", "silo-db", POSTGRES, "siloed tenants' data"),
    PathPlan("functions", "pool-db", POSTGRES, "roles and schemas of pooled tenants"),
    PathPlan("functions", "silo-db", POSTGRES, "roles and schemas of siloed tenants"),
    PathPlan("monolith", "endpoints", HTTPS, "AWS APIs without leaving the network"),
    PathPlan("reports", "endpoints", HTTPS, "AWS APIs without leaving the network"),
    PathPlan("functions", "endpoints", HTTPS, "AWS APIs without leaving the network"),
    PathPlan("monolith", S3, HTTPS, "objects and image layers, through the gateway endpoint"),
    PathPlan("reports", S3, HTTPS, "objects and image layers, through the gateway endpoint"),
    PathPlan("monolith", INTERNET, HTTPS, "payment partners, through NAT"),
    PathPlan("reports", INTERNET, HTTPS, "webhook deliveries, through NAT"),
)
OUTSIDE: Final = frozenset({INTERNET, S3})


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


def _segments(
    parent: str, zones: Iterable[str], table: Mapping[str, tuple[int, Reach]], segment_prefix: int
) -> tuple[SegmentPlan, ...]:
    zone_prefix = segment_prefix + 3  # eight zones a segment, more than any Region has
    return tuple(
        SegmentPlan(
            name,
            reach,
            tuple(
                SubnetPlan(z, cut(cut(parent, segment_prefix, place), zone_prefix, zone_place(z)))
                for z in sorted(zones)
            ),
        )
        for name, (place, reach) in table.items()
    )


def plan_cell_network(settings: Settings) -> NetworkPlan:
    """The VPC of the cell: sixteen places of a /20 in its /16, a /23 in each zone."""
    zones = tuple(sorted(settings.zones))
    groups = sorted({p.source for p in CELL_PATHS} | {p.target for p in CELL_PATHS} - OUTSIDE)
    return NetworkPlan(
        name="cell",
        cidr=settings.network_cidr,
        zones=zones,
        segments=_segments(settings.network_cidr, zones, CELL_SEGMENTS, 20),
        nat_zones=zones if settings.nat_per_zone else zones[:1],
        groups=tuple(groups),
    )


def plan_dedicated_network(tenant_id: str, cidr: str, settings: Settings) -> NetworkPlan:
    """The VPC of a `dedicated` tenant: eight places of a /24 in its /21, a /27 in each zone."""
    zones = tuple(sorted(settings.zones))
    return NetworkPlan(
        name=f"tenant-{tenant_id}",
        cidr=cidr,
        zones=zones,
        segments=_segments(cidr, zones, DEDICATED_SEGMENTS, 24),
        nat_zones=zones if settings.nat_per_zone else zones[:1],
        groups=("silo-db",),
    )
