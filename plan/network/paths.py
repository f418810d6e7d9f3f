"""The table of allowed network paths (source, target, port), and the segment of each security group.

Every rule of every security group, every route of a peering and every line of a network ACL comes from here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tenants.states import PlacementKind

HTTPS: Final = 443
SERVICE: Final = 8443  # what both services listen on, TLS inside the task
POSTGRES: Final = 5432


class SubnetRouting(StrEnum):
    """Where a segment's default route leads."""

    PUBLIC = "public"  # an internet gateway; NAT gateways live here and nothing else
    PRIVATE = "private"  # a NAT gateway
    ISOLATED = "isolated"  # nowhere


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
CELL_SEGMENTS: Final[Mapping[str, tuple[int, SubnetRouting]]] = {
    "public": (0, SubnetRouting.PUBLIC),
    "monolith": (1, SubnetRouting.PRIVATE),
    "reports": (2, SubnetRouting.PRIVATE),
    "monolith-data": (3, SubnetRouting.ISOLATED),
    "reports-data": (4, SubnetRouting.ISOLATED),
    "pool-data": (5, SubnetRouting.ISOLATED),
    "silo-data": (6, SubnetRouting.ISOLATED),
    "endpoints": (7, SubnetRouting.ISOLATED),
    "functions": (8, SubnetRouting.ISOLATED),
}
DEDICATED_SEGMENTS: Final[Mapping[str, tuple[int, SubnetRouting]]] = {
    "public": (0, SubnetRouting.PUBLIC),
    "silo-data": (1, SubnetRouting.ISOLATED),
    "endpoints": (2, SubnetRouting.ISOLATED),
    "workload": (3, SubnetRouting.PRIVATE),
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
    PathPlan("starters", "endpoints", HTTPS, "AWS APIs without leaving the network"),
    PathPlan("functions", S3, HTTPS, "dumps and exports of tenants"),
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
    "starters": "functions",
    "monolith-db": "monolith-data",
    "reports-db": "reports-data",
    "pool-db": "pool-data",
    "silo-db": "silo-data",
    "endpoints": "endpoints",
}
DEDICATED_GROUPS: Final[Mapping[str, str]] = {"silo-db": "silo-data"}
# Segments that reach S3 through its gateway endpoint, whether or not they have a way out besides.
GATEWAY_SEGMENTS: Final = frozenset(CELL_GROUPS[p.source] for p in CELL_PATHS if p.target == S3)
# Paths that go on, over a peering, to the same group in a dedicated tenant's network.
PEERED_PATHS: Final[tuple[PathPlan, ...]] = tuple(p for p in CELL_PATHS if p.target == "silo-db")

# Which group a tenant's database is in. While a tenant moves, the databases at both ends follow one another.
DATA_GROUPS: Final[Mapping[PlacementKind, str]] = {
    PlacementKind.POOL: "pool-db",
    PlacementKind.SILO: "silo-db",
    PlacementKind.DEDICATED: "silo-db",
}
MOVING: Final = "rows of a tenant that moves"


@dataclass(frozen=True, slots=True)
class PeeredPaths:
    """Over peerings with dedicated networks: from groups of the cell, and to groups of the cell."""

    arriving: tuple[PathPlan, ...] = PEERED_PATHS
    leading: tuple[PathPlan, ...] = ()


def follow_paths(ends: Iterable[frozenset[PlacementKind]]) -> tuple[PathPlan, ...]:
    """What moves between places in the cell's network need for as long as they last; `ends` of each move.

    One rule serves all moves between the same groups, for AWS refuses a second one.
    """
    inside = {
        frozenset(DATA_GROUPS[k] for k in kinds) for kinds in ends if PlacementKind.DEDICATED not in kinds
    }
    return tuple(
        sorted(
            PathPlan(source, target, POSTGRES, MOVING)
            for groups in inside
            for source in groups
            for target in groups
            if source != target
        )
    )


def peered_paths(peers: Iterable[PlacementKind]) -> PeeredPaths:
    """Between the cell and dedicated networks; `peers`: kinds of place at the cell's end of moves."""
    groups = sorted({DATA_GROUPS[kind] for kind in peers})
    return PeeredPaths(
        arriving=(*PEERED_PATHS, *(PathPlan(g, "silo-db", POSTGRES, MOVING) for g in groups)),
        leading=tuple(PathPlan("silo-db", g, POSTGRES, MOVING) for g in groups),
    )


def peers_of(ends: Iterable[frozenset[PlacementKind]]) -> frozenset[PlacementKind]:
    """The kinds of place in the cell's network from or to which dedicated tenants move."""
    return frozenset(
        kind
        for kinds in ends
        if PlacementKind.DEDICATED in kinds
        for kind in kinds
        if kind is not PlacementKind.DEDICATED
    )
