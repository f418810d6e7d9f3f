"""Places are given once, deterministically, and never to two tenants."""

import ipaddress
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tenants.allocation import REST_DAYS, CellFullError, extend, overlaps, slot_name
from tenants.cell import Cell
from tenants.ledger import parse_ledger, render_ledger
from tenants.models import Contacts, Ledger, Tenant
from tenants.phases import Phase
from tenants.states import Isolation, NetworkMode, PlacementKind
from tests.strategies import (
    DAY,
    Edit,
    RefusedError,
    World,
    edits,
    forbidden_edits,
    small_cell,
    tenants,
    worlds,
)


def cell(**changes: object) -> Cell:
    return replace(small_cell(), tenant_networks="10.96.0.0/20", shard_limit=2, **changes)


def pool(id_: str, state: Phase = Phase.ACTIVE) -> Tenant:
    return Tenant(
        id=id_,
        name=id_,
        isolation=Isolation.POOL,
        residency="eu",
        plan="starter",
        contacts=Contacts(email="ops@acme.example"),
        state=state,
    )


def dedicated(id_: str, state: Phase = Phase.ACTIVE) -> Tenant:
    return replace(pool(id_, state), isolation=Isolation.SILO, network=NetworkMode.DEDICATED)


def test_the_first_shard_with_room_is_filled_first() -> None:
    found = extend(Ledger(), map(pool, ["eee", "bbb", "aaa", "ddd"]), cell(), DAY)
    assert found.shards == {"aaa": "shard-a", "bbb": "shard-a", "ddd": "shard-b", "eee": "shard-b"}
    assert found.slots == {"aaa": 1, "bbb": 2, "ddd": 1, "eee": 2}


def test_blocks_are_given_from_the_lowest() -> None:
    found = extend(Ledger(), map(dedicated, ["bbb", "aaa"]), cell(), DAY)
    assert found.networks == {"aaa": "10.96.0.0/21", "bbb": "10.96.8.0/21"}
    assert found.shards == {}


def test_a_full_cell_names_everybody_who_does_not_fit_and_keeps_the_others() -> None:
    wanted = [*map(pool, ["p1x", "p2x", "p3x", "p4x", "p5x"]), *map(dedicated, ["d1x", "d2x", "d3x"])]
    with pytest.raises(
        CellFullError, match=r"^d3x: there is no address block left.*; p5x: there is no room"
    ) as full:
        extend(Ledger(), wanted, cell(), DAY)
    assert [u.tenant for u in full.value.unplaced] == ["d3x", "p5x"]
    assert set(full.value.ledger.placements) == {"p1x", "p2x", "p3x", "p4x", "d1x", "d2x"}


@pytest.mark.parametrize("make", [pool, dedicated])
def test_a_freed_place_rests_before_it_is_given_again(make: object) -> None:
    first = extend(Ledger(), [make("old")], cell(), DAY)  # type: ignore[operator]
    freed = extend(first, [make("old", Phase.ERASED)], cell(), DAY)  # type: ignore[operator]
    (place,) = freed.resting
    assert (freed.resting[place], freed.erased, freed.placements) == (DAY, {"old": DAY}, {})

    def place_of(ledger: Ledger) -> str:
        return ledger.networks.get("new") or slot_name(ledger.shards["new"], ledger.slots["new"])

    last_day = DAY + timedelta(days=REST_DAYS - 1)
    early = extend(freed, [make("new")], cell(), last_day)  # type: ignore[operator]
    assert place_of(early) != place
    assert early.resting == freed.resting
    late = extend(freed, [make("new")], cell(), last_day + timedelta(days=1))  # type: ignore[operator]
    assert place_of(late) == place
    assert late.resting == {}


def test_a_smaller_capacity_moves_nobody_and_takes_nobody_in() -> None:
    first = extend(Ledger(), map(pool, ["aaa", "bbb"]), cell(), DAY)
    found = extend(first, map(pool, ["aaa", "bbb", "ccc"]), cell(shard_capacity=1), DAY)
    assert found.shards == {"aaa": "shard-a", "bbb": "shard-a", "ccc": "shard-b"}


@given(worlds())
def test_nothing_overlaps_and_everything_lies_inside_its_parent(world: World) -> None:
    ledger = world.ledger
    places = [(shard, ledger.slots[id_]) for id_, shard in ledger.shards.items()]
    assert len(set(places)) == len(places)
    assert all(1 <= slot <= world.cell.shard_capacity for _, slot in places)
    blocks = [ipaddress.IPv4Network(b) for b in ledger.networks.values()]
    assert all(b.subnet_of(world.cell.parent) and b.prefixlen == 21 for b in blocks)
    assert not any(a.overlaps(b) for i, a in enumerate(blocks) for b in blocks[:i])
    assert {t.id for t in world.entries if t.isolation is Isolation.POOL} == set(ledger.shards)
    assert {t.id for t in world.entries if t.network is NetworkMode.DEDICATED} == set(ledger.networks)


@given(worlds(), st.data())
def test_the_order_of_the_file_means_nothing(world: World, data: st.DataObject) -> None:
    more = tuple(data.draw(tenants(i)) for i in ("new-one", "new-two", "new-six"))
    entries = world.entries + more
    one = replace(world, entries=entries).run().ledger
    other = replace(world, entries=tuple(data.draw(st.permutations(entries)))).run().ledger
    assert render_ledger(one, "x") == render_ledger(other, "x")


@given(worlds())
def test_a_second_run_changes_nothing_on_any_day(world: World) -> None:
    assert replace(world, day=world.day + timedelta(days=400)).run().ledger == world.ledger


@given(worlds(min_size=1), st.data())
def test_what_would_move_or_lose_data_is_refused(world: World, data: st.DataObject) -> None:
    edit = data.draw(forbidden_edits(world))
    with pytest.raises(
        RefusedError, match=r"data|(state|stage|key) goes|pool tenant cannot|silo tenants only"
    ):
        edit.apply(world).run()


@given(st.lists(st.integers(0, 255), min_size=2, max_size=20, unique=True), st.data())
def test_overlaps_are_found_wherever_they_are(starts: list[int], data: st.DataObject) -> None:
    sizes = st.integers(24, 30)
    blocks = {f"t{i}": f"10.0.{s}.0/{data.draw(sizes)}" for i, s in enumerate(starts)}
    assert overlaps(blocks) == []
    victim = data.draw(st.sampled_from(sorted(blocks)))
    inner = str(next(ipaddress.IPv4Network(blocks[victim]).subnets(new_prefix=31)))
    assert {frozenset(pair) for pair in overlaps(blocks | {"thief": inner})} == {frozenset({victim, "thief"})}


def test_a_block_far_inside_a_wide_one_is_found_behind_a_narrow_one() -> None:
    blocks = {"wide": "10.0.0.0/16", "near": "10.0.0.0/24", "far": "10.0.200.0/24"}
    assert {frozenset(p) for p in overlaps(blocks)} == {
        frozenset({"wide", "near"}),
        frozenset({"wide", "far"}),
    }


class Life(RuleBasedStateMachine):
    """Any sequence of edits keeps every surviving tenant where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(cell(), (), Ledger(), DAY)
        self.freed: dict[str, date] = {}

    def _places(self) -> dict[str, tuple[str | None, int | None, str | None]]:
        w = self.world.ledger
        return {i: (w.shards.get(i), w.slots.get(i), w.networks.get(i)) for i in w.placements}

    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        chosen = data.draw(edits(self.world))
        before = self._places()
        edited = chosen.apply(self.world)
        if not self._fits(chosen):
            with pytest.raises(RefusedError, match=r"there is no (room in the pool|address block left)"):
                edited.run()
            return
        self.world = edited.run()
        after = self._places()
        changed = {i for i in before.keys() | after.keys() if before.get(i) != after.get(i)}
        assert changed <= {chosen.tenant}
        assert changed == set() or chosen.what in ("add", "prepare", "active", "erased")

    def _fits(self, chosen: Edit) -> bool:
        """Whether the cell has a place, by counting: those taken, and those that still rest."""
        new = next((t for t in chosen.apply(self.world).entries if t.id == chosen.tenant), None)
        if chosen.what not in ("add", "prepare") or new is None:
            return True
        w, today = self.world.ledger, self.world.day
        resting = [p for p, day in w.resting.items() if (today - day).days < REST_DAYS]
        slots = len(w.shards) + sum("shard" in p for p in resting)
        blocks = len(w.networks) + sum("shard" not in p for p in resting)
        cell = self.world.cell
        in_pool = PlacementKind.POOL in new.placement_kinds and new.id not in w.shards
        alone = PlacementKind.DEDICATED in new.placement_kinds and new.id not in w.networks
        return (not in_pool or slots < cell.shard_limit * cell.shard_capacity) and (
            not alone or blocks < cell.blocks
        )

    @precondition(lambda self: self.world.ledger.placements)
    @rule(data=st.data())
    def refused_edit(self, data: st.DataObject) -> None:
        with pytest.raises(RefusedError, match=r"data|(state|stage|key) goes|pool tenant|silo tenants|move"):
            data.draw(forbidden_edits(self.world)).apply(self.world).run()

    @invariant()
    def places_are_never_shared_and_rest(self) -> None:
        w = self.world.ledger
        taken = [slot_name(s, w.slots[i]) for i, s in w.shards.items()] + list(w.networks.values())
        assert len(set(taken)) == len(taken)
        assert not set(taken) & set(w.resting)
        assert not set(w.placements) & set(w.erased)
        for place, day in self.freed.items():
            if place in taken:
                assert (self.world.day - day).days >= REST_DAYS
        self.freed = dict(w.resting)

    @invariant()
    def nobody_is_without_a_place_that_it_needs(self) -> None:
        w = self.world.ledger
        for id_, home in w.placements.items():
            assert (id_ in w.shards) is (PlacementKind.POOL in home.kinds)
            assert (id_ in w.networks) is (PlacementKind.DEDICATED in home.kinds)
            assert home.issued >= home.instance
            assert home.key >= home.stored
            assert (home.instance > 0) is (
                (home.move.origin if home.move else home.kind) is not PlacementKind.POOL
            )

    @invariant()
    def the_file_reads_back(self) -> None:
        text = render_ledger(self.world.ledger, "prod")
        assert parse_ledger(text, "x", self.world.cell.parent) == (self.world.ledger, [])


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
