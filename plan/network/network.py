"""Networks and subnets: their addresses, and what their ACLs allow.

A segment's address range comes from the tables of `plan.network.paths`, a subnet's from the letter of its
zone, never from a position in a list: adding a zone or a segment moves nothing.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from plan.network.acls import INTERNET_SIDE, AclRule, Flow, Side, acl_rules
from plan.network.endpoints import EndpointPlan, plan_gateway_endpoints, plan_interface_endpoints
from plan.network.paths import (
    CELL_GROUPS,
    CELL_PATHS,
    CELL_PREFIX,
    CELL_SEGMENTS,
    DEDICATED_GROUPS,
    DEDICATED_PREFIX,
    DEDICATED_SEGMENTS,
    GATEWAY_SEGMENTS,
    HTTPS,
    OUTSIDE,
    POSTGRES,
    PathPlan,
    PeeredPaths,
    SubnetRouting,
    follow_paths,
    peered_paths,
    peers_of,
)
from plan.settings import Settings
from tenants.states import PlacementKind


@dataclass(frozen=True, slots=True)
class SubnetPlan:
    zone: str
    cidr: str


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """Subnets of one purpose, one in each zone."""

    name: str
    reach: SubnetRouting
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
    arriving: tuple[PathPlan, ...] = ()  # over the peering, from groups of the cell to groups of this one
    leading: tuple[PathPlan, ...] = ()  # and from this one's to the cell's

    def segment(self, name: str) -> SegmentPlan:
        return next(s for s in self.segments if s.name == name)


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


Segments: TypeAlias = Mapping[str, tuple[int, SubnetRouting]]


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
    if reach is SubnetRouting.ISOLATED and name not in GATEWAY_SEGMENTS:
        return []
    served = [
        n for n, (_, r) in table.items() if reach is SubnetRouting.PUBLIC and r is SubnetRouting.PRIVATE
    ]
    return [Flow(sides[name], INTERNET_SIDE, HTTPS), *(Flow(sides[n], sides[name], HTTPS) for n in served)]


def _inner_flows(table: Iterable[PathPlan], sides: Mapping[str, Side]) -> list[Flow]:
    """The table of paths, from segment to segment, and a database's readers that follow it.

    RDS opens groups for replication by itself, and no ACL (RDS user guide, "Read replicas", 2026-11).
    """
    inner = [p for p in table if p.target not in OUTSIDE]
    paths = [Flow(sides[CELL_GROUPS[p.source]], sides[CELL_GROUPS[p.target]], p.port) for p in inner]
    return paths + [_replication(sides[CELL_GROUPS[p.target]]) for p in inner if p.port == POSTGRES]


def _replication(data: Side) -> Flow:
    return Flow(data, data, POSTGRES)


def _peered_flows(paths: PeeredPaths, cell: Mapping[str, Side], data: Side) -> list[Flow]:
    arriving = [Flow(cell[CELL_GROUPS[p.source]], data, p.port) for p in paths.arriving]
    return arriving + [Flow(data, cell[CELL_GROUPS[p.target]], p.port) for p in paths.leading]


def plan_cell_network(settings: Settings, moves: Iterable[frozenset[PlacementKind]] = ()) -> NetworkPlan:
    """The VPC of the cell: sixteen places of a /20 in its /16, a /23 in each zone.

    Its ACLs know dedicated networks as one block: which of them may be reached, and where, is said by
    routes and groups, so that a new tenant changes no ACL of the cell. `moves`: the two kinds of place of
    each move that is under way.
    """
    ends = tuple(moves)
    zones = tuple(sorted(settings.zones))
    sides = _sides(settings.network_cidr, CELL_SEGMENTS, CELL_PREFIX)
    block = Side(settings.tenant_networks, 3000)
    paths = (*CELL_PATHS, *follow_paths(ends))
    flows = _inner_flows(paths, sides) + _peered_flows(peered_paths(peers_of(ends)), sides, block)
    return NetworkPlan(
        name="cell",
        cidr=settings.network_cidr,
        zones=zones,
        segments=_segments(zones, CELL_SEGMENTS, sides, flows),
        nat_zones=zones if settings.nat_per_zone else zones[:1],
        groups=tuple(sorted(CELL_GROUPS)),
        endpoints=(*plan_gateway_endpoints(settings), *plan_interface_endpoints(settings)),
    )


def plan_dedicated_network(
    tenant_id: str, cidr: str, settings: Settings, peers: Iterable[PlacementKind] = ()
) -> NetworkPlan:
    """The VPC of a `dedicated` tenant: eight places of a /24 in its /21, a /27 in each zone.

    `peers`: the kind of place at the other end of the tenant's move, while it moves.
    """
    zones = tuple(sorted(settings.zones))
    cell = _sides(settings.network_cidr, CELL_SEGMENTS, CELL_PREFIX, 3000)
    sides = _sides(cidr, DEDICATED_SEGMENTS, DEDICATED_PREFIX + 3)
    data = sides[DEDICATED_GROUPS["silo-db"]]
    paths = peered_paths(peers)
    return NetworkPlan(
        name=f"tenant-{tenant_id}",
        cidr=cidr,
        zones=zones,
        segments=_segments(
            zones, DEDICATED_SEGMENTS, sides, [*_peered_flows(paths, cell, data), _replication(data)]
        ),
        nat_zones=zones if settings.nat_per_zone else zones[:1],
        groups=tuple(sorted(DEDICATED_GROUPS)),
        endpoints=plan_gateway_endpoints(settings),
        owner=tenant_id,
        arriving=paths.arriving,
        leading=paths.leading,
    )
