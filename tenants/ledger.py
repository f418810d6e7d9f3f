"""Reads the ledger, checks that it is consistent, and writes it in one form.

Each allocation stands twice, by tenant and by place. Two branches that each give a place away thus
write the same line of the second section with different tenants, which git reports as a conflict;
and a merge that went wrong by hand shows as two sections that disagree.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from config.fields import WRONG, Choice, Fault, Problem, Record, Text, Whole, spec
from config.text_fields import DATE
from config.yaml_reader import compose
from config.yaml_tree import Finding, Map, Node, Scalar
from tenants.allocation import overlaps, slot_name
from tenants.cell import BLOCK_PREFIX
from tenants.field_types import MOMENT, TENANT_ID
from tenants.models import MOST_KEYS, Ledger, Placement
from tenants.phases import MOVE_STAGES, STATES, MoveMethod, Phase
from tenants.states import SOAK_DAYS, Isolation, Move, NetworkMode, PlacementKind

_SLOT: Final = re.compile(r"(shard-[a-z])/([0-9]{2,3})")
_BLOCK: Final = re.compile(r"[0-9.]{7,15}/[0-9]{1,2}")
_ANY_HOME: Final = "|".join(PlacementKind)
_MOVE: Final = re.compile(rf"(?:{_ANY_HOME})-to-(?:{_ANY_HOME})/(?:{'|'.join(MOVE_STAGES)})")
_REPAIR: Final = (
    "restore the file from git (of a merge take one side's), then run tenantry tenants ledger update"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A tenant's line in the ledger."""

    isolation: Isolation = field(metadata=spec(Choice(Isolation), "isolation"))
    network: NetworkMode = field(default=NetworkMode.SHARED, metadata=spec(Choice(NetworkMode), "network"))
    state: Phase = field(default=Phase.ACTIVE, metadata=spec(Choice(STATES), "state"))
    move: str | None = field(
        default=None, metadata=spec(Text(_MOVE, "a move such as pool-to-silo/soak", 40), "move")
    )
    at: str | None = field(default=None, metadata=spec(MOMENT, "moment that is restored"))
    by: MoveMethod = field(
        default=MoveMethod.REPLICATION, metadata=spec(Choice(MoveMethod), "how its rows get there")
    )
    soak_days: int = field(default=SOAK_DAYS, metadata=spec(Whole(0, 90), "days of its soak"))
    instance: int | None = field(default=None, metadata=spec(Whole(0, 999), "number of its instance"))
    issued: int | None = field(default=None, metadata=spec(Whole(0, 999), "the highest such number"))
    key: int = field(default=1, metadata=spec(Whole(1, MOST_KEYS), "number of its key"))
    stored: int | None = field(
        default=None, metadata=spec(Whole(1, MOST_KEYS), "number of the key that its instance is under")
    )
    since: date | None = field(default=None, metadata=spec(DATE, "when its state or stage began"))
    slot: str | None = field(
        default=None, metadata=spec(Text(_SLOT, "a place such as shard-a/01", 12), "place")
    )
    block: str | None = field(default=None, metadata=spec(Text(_BLOCK, "a CIDR block", 18), "addresses"))

    @property
    def placement(self) -> Placement:
        instance = int(self.isolation is Isolation.SILO) if self.instance is None else self.instance
        return Placement(
            isolation=self.isolation,
            network=self.network,
            state=self.state,
            move=self._move(self.move) if self.move else None,
            instance=instance,
            issued=instance if self.issued is None else self.issued,
            key=self.key,
            stored=self.key if self.stored is None else self.stored,
            since=self.since,
        )

    def _move(self, text: str) -> Move:
        way, _, stage = text.partition("/")
        origin, _, to = way.partition("-to-")
        ends, at = (PlacementKind(origin), PlacementKind(to)), self.at
        return Move(
            origin=ends[0], to=ends[1], stage=Phase(stage), at=at, by=self.by, soak_days=self.soak_days
        )


_SECTIONS: Final = ("tenants", "shards", "networks", "resting", "erased")


def parse_ledger(
    data: bytes | str, file: str, parent: ipaddress.IPv4Network | None = None
) -> tuple[Ledger, list[Finding]]:
    """The ledger of a file, and all that is wrong with it.

    Proves that no two allocations overlap, that every block has the one size and lies inside `parent`
    (where given), and that both sections tell the same.
    """
    root, findings = compose(data, file)
    if findings:
        return Ledger(), [replace(f, right=_REPAIR) for f in findings]
    reading = _Reading(file, findings)
    sections = {key.text: value for key, value in root.pairs} if isinstance(root, Map) else {}
    if tuple(sections) != _SECTIONS:
        reading.say("", None, "this is not a whole ledger, which has the sections " + ", ".join(_SECTIONS))
        return Ledger(), findings
    lines: dict[str, _Line] = reading.section(sections["tenants"], TENANT_ID, Record(_Line).read)
    slots: dict[str, str] = reading.section(sections["shards"], Text(_SLOT, "a place", 12), TENANT_ID.read)
    blocks: dict[str, str] = reading.section(
        sections["networks"], Text(_BLOCK, "a block", 18), TENANT_ID.read
    )
    places = Text(re.compile(f"{_SLOT.pattern}|{_BLOCK.pattern}"), "a place or a block", 18)
    resting: dict[str, date] = reading.section(sections["resting"], places, DATE.read)
    erased: dict[str, date] = reading.section(sections["erased"], TENANT_ID, DATE.read)
    if not findings:
        _contradictions(reading, lines, slots, blocks)
        _addresses(reading, blocks, parent)
    ledger = Ledger(
        shards={id_: slot.split("/")[0] for slot, id_ in slots.items()},
        slots={id_: int(slot.split("/")[1]) for slot, id_ in slots.items()},
        networks={id_: block for block, id_ in blocks.items()},
        placements={i: x.placement for i, x in lines.items()},
        resting=resting,
        erased=erased,
    )
    if not findings:
        _still_taken(reading, ledger)
    return ledger, findings


class _Reading:
    """Findings in one ledger, at the place of an entry's key."""

    def __init__(self, file: str, findings: list[Finding]) -> None:
        self.file, self.findings = file, findings
        self.keys: dict[str, Scalar] = {}

    def say(self, who: str, place: str | None, wrong: str, right: str = _REPAIR) -> None:
        key = self.keys.get(place or who)
        self.findings.append(
            Finding(self.file, key.line if key else 1, key.column if key else 1, who, wrong, right)
        )

    def section(self, node: Node, key_type: Text, read: Callable[[Node, str, Any], Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def report(problem: Problem) -> None:
            at, right = problem.node, f"{problem.right}: {_REPAIR}"
            self.findings.append(Finding(self.file, at.line, at.column, "", problem.wrong, right))

        if not isinstance(node, Map):
            wrong = "a section that is not a mapping"
            report(Problem(node, "", Fault.NOT_ALLOWED, wrong, "write {} for none"))
            return found
        for key, value in node.pairs:
            key_read, value_read = key_type.read(key, "key", report), read(value, key.text, report)
            if key_read is not WRONG and value_read is not WRONG:
                found[key.text] = value_read
                self.keys.setdefault(key.text, key)
        return found


def _contradictions(
    reading: _Reading, lines: Mapping[str, _Line], slots: Mapping[str, str], blocks: Mapping[str, str]
) -> None:
    """Where the section by tenant and those by place disagree."""
    for id_, line in lines.items():
        for wants, place, by_place, noun in (
            (PlacementKind.POOL in line.placement.kinds, line.slot, slots, "shard"),
            (PlacementKind.DEDICATED in line.placement.kinds, line.block, blocks, "block of addresses"),
        ):
            if wants is not (place is not None):
                still = f"is {line.isolation}, {line.network}"
                lives = f"is on the move {line.placement.move}" if line.placement.move else still
                reading.say(id_, None, f"{lives}, and has {place or 'no ' + noun}")
            elif place is not None and by_place.get(place) != id_:
                reading.say(
                    id_, None, f"has {place}, which the ledger gives to {by_place.get(place, 'nobody')}"
                )
    for by_place, attribute in ((slots, "slot"), (blocks, "block")):
        for place, id_ in by_place.items():
            if id_ not in lines or getattr(lines[id_], attribute) != place:
                reading.say(id_, place, f"is given {place}, which its own line does not say")


def _addresses(reading: _Reading, blocks: Mapping[str, str], parent: ipaddress.IPv4Network | None) -> None:
    """Blocks that are none, are not of the one size, leave the cell's tenant networks, or overlap."""
    sound: dict[str, str] = {}
    for block, id_ in blocks.items():
        try:
            network = ipaddress.IPv4Network(block)
        except ValueError:
            reading.say(id_, block, f"has {block}, which is not a block of addresses")
            continue
        sound[block] = block
        if network.prefixlen != BLOCK_PREFIX:
            reading.say(id_, block, f"has {block}, and every block is a /{BLOCK_PREFIX}")
        elif parent is not None and not network.subnet_of(parent):
            wrong = f"has {block}, which is not inside tenantry:tenantNetworks {parent}"
            reading.say(id_, block, wrong, "put the setting back; addresses in use never move")
    for one, other in overlaps(sound):
        reading.say(blocks[other], other, f"has {other}, which overlaps {one} of {blocks[one]}")


def _still_taken(reading: _Reading, ledger: Ledger) -> None:
    """Places that rest and are taken, ids that are erased and live."""
    taken = {slot_name(shard, ledger.slots[id_]): id_ for id_, shard in ledger.shards.items()}
    taken |= {block: id_ for id_, block in ledger.networks.items()}
    for place in sorted(ledger.resting.keys() & taken.keys()):
        reading.say(taken[place], place, f"has {place}, which is still resting")
    for id_ in sorted(ledger.erased.keys() & ledger.placements.keys()):
        reading.say(id_, None, "has a place and is erased at once")


def render_ledger(ledger: Ledger, stack: str) -> str:
    """The file's text: sorted, so that the same ledger is always the same text."""
    slots = {slot_name(shard, ledger.slots[id_]): id_ for id_, shard in ledger.shards.items()}
    blocks = {block: id_ for id_, block in ledger.networks.items()}
    by_tenant = {id_: slot for slot, id_ in slots.items()}
    sections: dict[str, list[str]] = {
        "tenants": [
            f"{i}: {_line(h, by_tenant.get(i), ledger.networks.get(i))}"
            for i, h in sorted(ledger.placements.items())
        ],
        "shards": [f"{slot}: {slots[slot]}" for slot in sorted(slots, key=_slot_order)],
        "networks": [f"{block}: {blocks[block]}" for block in sorted(blocks, key=ipaddress.IPv4Network)],
        "resting": [f"{place}: {ledger.resting[place]}" for place in sorted(ledger.resting)],
        "erased": [f"{id_}: {ledger.erased[id_]}" for id_ in sorted(ledger.erased)],
    }
    head = f"# Allocations of the stack {stack}: a lock file that the program writes and you commit.\n"
    # The empty line between sections keeps edits of different sections from touching, so that they merge.
    return head + "\n".join(
        f"{name}:\n" + "".join(f"  {row}\n" for row in rows) if rows else f"{name}: {{}}\n"
        for name, rows in sections.items()
    )


def _slot_order(slot: str) -> tuple[str, int]:
    shard, _, number = slot.partition("/")
    return shard, int(number)


def _line(placement: Placement, slot: str | None, block: str | None) -> str:
    parts = [f"isolation: {placement.isolation}"]
    parts += [f"network: {placement.network}"] if placement.network is not NetworkMode.SHARED else []
    parts += [f"state: {placement.state}"] if placement.state is not Phase.ACTIVE else []
    parts += [f"move: {placement.move}"] if placement.move else []
    parts += [f'at: "{placement.move.at}"'] if placement.move and placement.move.at else []
    parts += (
        [f"by: {placement.move.by}"]
        if placement.move and placement.move.by is not MoveMethod.REPLICATION
        else []
    )
    parts += (
        [f"soak_days: {placement.move.soak_days}"]
        if placement.move and placement.move.soak_days != SOAK_DAYS
        else []
    )
    own = int(placement.isolation is Isolation.SILO)
    parts += [f"instance: {placement.instance}"] if placement.instance != own else []
    parts += [f"issued: {placement.issued}"] if placement.issued != placement.instance else []
    parts += [f"key: {placement.key}"] if placement.key != 1 else []
    parts += [f"stored: {placement.stored}"] if placement.stored != placement.key else []
    parts += [f"since: {placement.since}"] if placement.since else []
    parts += [f"slot: {slot}"] if slot else []
    parts += [f"block: {block}"] if block else []
    return "{" + ", ".join(parts) + "}"
