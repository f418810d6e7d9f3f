"""Allocates shards and address blocks: pure functions from a ledger and the tenants to the next ledger.

A tenant keeps its allocation until it has moved away or is erased; then the slot or block rests before it
is given to another tenant. New tenants get theirs in the order of their ids, so the order in the file means
nothing.
"""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, TypeVar

from tenants.cell import BLOCK_PREFIX, Cell
from tenants.lifecycle.edit_checks import placement_of
from tenants.models import Ledger, Tenant
from tenants.states import PlacementKind

# Days that a freed place rests: as long as RDS can keep a backup at most (35, AWS RDS user guide, 2026-11),
# so that nobody restores a database into addresses or a schema that are somebody else's by then.
REST_DAYS: Final = 35


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A tenant that found no room, and what would make some."""

    tenant: str
    wrong: str
    right: str


class CellFullError(ValueError):
    """Not everybody fits; `unplaced` says who, in order, and `ledger` is what the others got."""

    def __init__(self, unplaced: tuple[Unplaced, ...], ledger: Ledger) -> None:
        super().__init__("; ".join(f"{u.tenant}: {u.wrong}" for u in unplaced))
        self.unplaced, self.ledger = unplaced, ledger


def shard_name(index: int) -> str:
    """`shard-a` for 0."""
    return f"shard-{chr(ord('a') + index)}"


def slot_name(shard: str, slot: int) -> str:
    """A place on a shard as the ledger writes it: `shard-a/01`."""
    return f"{shard}/{slot:02d}"


def extend(ledger: Ledger, tenants: Iterable[Tenant], cell: Cell, today: date) -> Ledger:
    """The ledger with a place for every tenant, and without those of erased ones.

    `today` is the date of the run (UTC): it marks what is freed now, and decides what has rested enough.
    Raises `CellFullError` where the cell is full.
    """
    draft = _Draft(ledger, today)
    unplaced: list[Unplaced] = []
    for tenant in sorted(tenants, key=lambda t: t.id):
        if tenant.id in ledger.erased:
            continue
        if not tenant.phase.row.placed:
            draft.free(tenant.id)
            continue
        draft.leave(tenant.id, tenant.placement_kinds)
        for kind, give in _KINDS:
            problem = give(draft, tenant.id, cell) if kind in tenant.placement_kinds else None
            if problem:
                unplaced.append(Unplaced(tenant.id, *problem))
                break
        else:
            draft.placements[tenant.id] = placement_of(tenant, ledger.placements.get(tenant.id), today)
    if unplaced:
        raise CellFullError(tuple(unplaced), draft.ledger())
    return draft.ledger()


class _Draft:
    """A ledger while it is being extended."""

    def __init__(self, ledger: Ledger, today: date) -> None:
        self.today = today
        self.shards, self.slots = dict(ledger.shards), dict(ledger.slots)
        self.networks, self.placements = dict(ledger.networks), dict(ledger.placements)
        self.resting, self.erased = dict(ledger.resting), dict(ledger.erased)

    def ledger(self) -> Ledger:
        return Ledger(
            shards=self.shards,
            networks=self.networks,
            slots=self.slots,
            placements=self.placements,
            resting=self.resting,
            erased=self.erased,
        )

    def free(self, tenant: str) -> None:
        """Let an erased tenant's places rest from today; one that never had any leaves no trace."""
        if tenant not in self.placements:
            return
        self.leave(tenant, frozenset())
        del self.placements[tenant]
        self.erased[tenant] = self.today

    def leave(self, tenant: str, kinds: frozenset[PlacementKind]) -> None:
        """Let those places rest from today that no placement of the tenant's needs any more."""
        if PlacementKind.POOL not in kinds and tenant in self.shards:
            self.resting[slot_name(self.shards.pop(tenant), self.slots.pop(tenant))] = self.today
        if PlacementKind.DEDICATED not in kinds and tenant in self.networks:
            self.resting[self.networks.pop(tenant)] = self.today

    def rested(self, place: str) -> bool:
        freed = self.resting.get(place)
        return freed is None or freed + timedelta(days=REST_DAYS) <= self.today

    def slot(self, tenant: str, cell: Cell) -> tuple[str, str] | None:
        """Give a pool tenant the first free place of the first shard that has one."""
        if tenant in self.shards:
            return None
        taken = {slot_name(shard, self.slots[id_]) for id_, shard in self.shards.items()}
        for shard, slot in _all_slots(cell):
            place = slot_name(shard, slot)
            if place not in taken and self.rested(place):
                self.shards[tenant], self.slots[tenant] = shard, slot
                self.resting.pop(place, None)
                return None
        full = f"there is no room in the pool: {cell.shard_limit} shards of {cell.shard_capacity} are full"
        return full, f"raise tenantry:shardLimit in Pulumi.{cell.stack}.yaml, or onboard into another cell"

    def block(self, tenant: str, cell: Cell) -> tuple[str, str] | None:
        """Give a dedicated tenant the lowest free block of addresses."""
        if tenant in self.networks:
            return None
        taken = set(self.networks.values())
        for block in map(str, cell.parent.subnets(new_prefix=BLOCK_PREFIX)):
            if block not in taken and self.rested(block):
                self.networks[tenant] = block
                self.resting.pop(block, None)
                return None
        full = f"there is no address block left: {cell.blocks} in {cell.tenant_networks} are taken or resting"
        return full, "onboard into another cell"


def _all_slots(cell: Cell) -> Iterator[tuple[str, int]]:
    for index in range(cell.shard_limit):
        for slot in range(1, cell.shard_capacity + 1):
            yield shard_name(index), slot


_Giver = Callable[[_Draft, str, Cell], tuple[str, str] | None]
_KINDS: Final[tuple[tuple[PlacementKind, _Giver], ...]] = (
    (PlacementKind.POOL, _Draft.slot),
    (PlacementKind.DEDICATED, _Draft.block),
)


def missing(ledger: Ledger, tenants: Iterable[Tenant]) -> Mapping[str, str]:
    """What a locked run lacks: tenant → what the ledger does not say of it yet."""
    found: dict[str, str] = {}
    for tenant in tenants:
        if tenant.id in ledger.erased:
            continue
        placement = ledger.placements.get(tenant.id)
        if placement is None:
            found[tenant.id] = "has no place in the ledger yet"
        elif placement.phase is not tenant.phase:
            found[tenant.id] = f"is {placement.phase} in the ledger and {tenant.phase} here"
        elif placement.key != tenant.key:
            found[tenant.id] = f"has key {placement.key} in the ledger and {tenant.key} here"
    return found


Owner = TypeVar("Owner", str, tuple[str, str])


def overlaps(blocks: Mapping[Owner, str]) -> list[tuple[Owner, Owner]]:
    """Pairs of owners whose blocks overlap; `blocks` maps owner → CIDR.

    Sorted by address, a block overlaps an earlier one exactly if it begins before the furthest end so far.
    """
    ordered = sorted((ipaddress.IPv4Network(cidr), owner) for owner, cidr in blocks.items())
    found: list[tuple[Owner, Owner]] = []
    last: tuple[ipaddress.IPv4Network, Owner] | None = None
    for network, owner in ordered:
        if last and network.network_address <= last[0].broadcast_address:
            found.append((last[1], owner))
        if last is None or network.broadcast_address > last[0].broadcast_address:
            last = (network, owner)
    return found
