"""The life of a tenant: the machine itself, and its commands, stage by stage with a run between them."""

import itertools
import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from typer.testing import CliRunner, Result

from cli.tenants import app
from devtools.generators import tenant_lifecycle
from tenants import RegistryError, examination, open_registry
from tenants.lifecycle.edit_checks import guard_facts
from tenants.lifecycle.registry_changes import TransitionError, TransitionOptions, take
from tenants.models import Ledger, Placement, Registry
from tenants.phases import DEPLOYABLE, EVENTS, MOVING, PHASES, TRANSITIONS, Phase, Transition
from tenants.states import Leaving, PlacementKind
from tests.registry.project import project
from tests.strategies import DAY, World, small_cell, take_step
from tests.tenants.test_allocation import pool

GRAPH: Any = nx.DiGraph([(a.before, a.after) for a in TRANSITIONS])


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CI", raising=False)
    found = project(tmp_path / "project")
    open_registry("dev", root=found, locked=False)
    return found


def call(root: Path, *words: str) -> Result:
    result = CliRunner().invoke(app, [*words, "--root", str(root)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def run(root: Path) -> Registry:
    """What a local `up` does before the engine starts."""
    return open_registry("dev", root=root, locked=False, phases=frozenset(Phase))


def home(root: Path) -> Placement:
    return run(root).ledger.placements["acme-pay"]


# ------------------------------------------------------------------ the machine


def test_every_phase_is_explained_and_reached_and_only_erased_is_an_end() -> None:
    assert set(PHASES) == set(Phase) == set(GRAPH)
    assert set(nx.descendants(GRAPH, Phase.ACTIVE)) | {Phase.ACTIVE} == set(Phase)
    assert [p for p in Phase if GRAPH.out_degree(p) == 0] == [Phase.ERASED]
    for phase in set(Phase) - {Phase.ERASING, Phase.ERASED}:
        assert nx.has_path(GRAPH, phase, Phase.ACTIVE), phase


def test_an_event_leads_from_a_phase_to_one_other() -> None:
    taken = [(a.before, a.event) for a in TRANSITIONS]
    assert len(set(taken)) == len(taken)


def test_nothing_is_erased_but_after_every_stage_of_leaving() -> None:
    """Take any stage away, and there is no way to the end."""
    for stage in (Phase.SUSPENDED, Phase.EXPORTED, Phase.RETAINED, Phase.CLOSING, Phase.ERASING):
        without = GRAPH.copy()
        without.remove_node(stage)
        assert not nx.has_path(without, Phase.ACTIVE, Phase.ERASED), stage


def test_no_move_ends_elsewhere_but_after_cutover_and_soak() -> None:
    for stage in (Phase.PREPARE, Phase.REPLICATE, Phase.CUTOVER, Phase.SOAK):
        without = GRAPH.copy()
        without.remove_node(stage)
        assert Phase.DONE not in nx.descendants(without, Phase.ACTIVE), stage


@pytest.mark.parametrize("arrow", TRANSITIONS, ids=lambda a: f"{a.before}-{a.event}")
def test_what_a_step_writes_is_the_phase_that_it_leads_to(arrow: Transition) -> None:
    world = at(arrow.before)
    (tenant,) = take_step(
        world, "acme", arrow, TransitionOptions(to=PlacementKind.SILO, retain_until=DAY)
    ).entries
    assert tenant.phase is arrow.after
    moved = {Phase.DONE: PlacementKind.SILO}
    assert tenant.placement_kind is moved.get(arrow.after, moved.get(arrow.before, PlacementKind.POOL))


def at(phase: Phase) -> World:
    """A pool tenant, led to a phase by the shortest way, on a day when all guards are open."""
    world = World(small_cell(), (pool("acme"),), run_ledger(), DAY).run()
    way = nx.shortest_path(GRAPH, Phase.ACTIVE, phase)
    for before, after in itertools.pairwise(way):
        arrow = next(a for a in TRANSITIONS if (a.before, a.after) == (before, after))
        world = take_step(world, "acme", arrow, TransitionOptions(to=PlacementKind.SILO, retain_until=DAY))
        world = replace(world, day=world.day + timedelta(days=60)).run()
    return world


def run_ledger() -> Any:
    return World(small_cell(), (), Ledger(), DAY).run().ledger


@pytest.mark.parametrize("arrow", [a for a in TRANSITIONS if a.guard], ids=lambda a: f"{a.before}-{a.event}")
def test_a_guard_opens_on_its_day_and_not_before(arrow: Transition) -> None:
    assert arrow.guard
    world = at(arrow.before)
    (tenant,), was = world.entries, world.ledger.placements["acme"]
    assert was.since is not None
    opens = {
        Phase.SOAK: was.since + timedelta(days=7),
        Phase.RETAINED: DAY + timedelta(days=1),
        Phase.CLOSING: was.since + timedelta(days=30),
    }[arrow.before]
    assert arrow.guard(guard_facts(tenant, was), opens - timedelta(days=1)) is not None
    assert arrow.guard(guard_facts(tenant, was), opens) is None


def test_an_event_that_does_not_lead_on_says_which_do() -> None:
    with pytest.raises(TransitionError, match=r"in active, from which there is no abort; .*move, suspend"):
        take(pool("acme"), "abort", TransitionOptions())
    with pytest.raises(TransitionError, match=r"acme is not moving; say where to: --to silo or --to ded"):
        take(pool("acme"), "move", TransitionOptions())
    with pytest.raises(TransitionError, match=r"acme lives there already: pool"):
        take(pool("acme"), "move", TransitionOptions(to=PlacementKind.POOL))


def test_numbers_of_instances_are_never_used_twice() -> None:
    """Identifiers of databases and of their last snapshots derive from them."""
    world = World(small_cell(), (pool("acme"),), run_ledger(), DAY).run()
    seen: list[int] = []
    for to in (
        PlacementKind.SILO,
        PlacementKind.DEDICATED,
        PlacementKind.POOL,
        PlacementKind.SILO,
        PlacementKind.POOL,
    ):
        for event in ("move", "next", "next", "next", "next", "next"):
            tenant = world.entries[0]
            arrow = next(a for a in TRANSITIONS if (a.before, a.event) == (tenant.phase, event))
            world = take_step(world, "acme", arrow, TransitionOptions(to=to))
            world = replace(world, day=world.day + timedelta(days=60)).run()
        now = world.ledger.placements["acme"]
        assert now.kind is to
        seen += [now.instance] if to.has_own_instance else []
        assert (now.instance == 0) is (not to.has_own_instance)
    assert seen == [1, 2, 3]


# ------------------------------------------------------------------ the commands


def test_a_move_is_a_stage_at_a_time(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "+  move:" in call(root, "move", "acme-pay", "--to", "silo").stdout
    refused = call(root, "move", "acme-pay")
    assert (refused.exit_code, "stage goes from active to replicate" in refused.stdout) == (1, True)
    assert "not run yet: the last run recorded active" in call(root, "move", "acme-pay", "--status").stdout
    assert (home(root).issued, home(root).instance) == (1, 0)
    for stage in ("replicate", "cutover", "soak"):
        assert call(root, "move", "acme-pay").exit_code == 0
        assert str(home(root).move) == f"pool-to-silo/{stage}"
    soaking = call(root, "move", "acme-pay")
    assert (soaking.exit_code, "soaks until" in soaking.stdout) == (1, True)
    monkeypatch.setattr(examination, "today", lambda: date(2100, 1, 1))
    assert "+  isolation: silo" in call(root, "move", "acme-pay").stdout
    assert run(root).ledger.shards == {"acme-pay": "shard-a"}  # the old place, until it is given up
    assert call(root, "move", "acme-pay").exit_code == 0
    registry = run(root)
    assert (registry.ledger.shards, set(registry.ledger.resting)) == ({}, {"shard-a/01"})
    assert registry.tenants[0].placement_kind is PlacementKind.SILO
    assert (root / "tenants/dev.yaml").read_text("utf-8").count("\n") == 6


def test_a_move_can_be_called_off_and_taken_back(root: Path) -> None:
    for event in ("--to=dedicated", "", "--abort", ""):
        assert call(root, "move", "acme-pay", *filter(None, [event])).exit_code == 0
        run(root)
    assert home(root).move is None
    assert set(run(root).ledger.resting) == {"10.64.0.0/21"}
    for event in ("--to=silo", "", "", "", "--rollback", "", ""):
        assert call(root, "move", "acme-pay", *filter(None, [event])).exit_code == 0
        run(root)
    assert (home(root).kind, home(root).issued) == (PlacementKind.POOL, 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("move", "acme-pay"), "say where to"),
        (("move", "acme-pay", "--to", "pool"), "lives there already"),
        (("move", "acme-pay", "--abort"), "no abort"),
        (("move", "acme-pay", "--abort", "--rollback"), "take one"),
        (("move", "acme-pai", "--to", "silo"), "did you mean 'acme-pay'"),
        (("move", "acme-pay", "--to", "sylo"), "sylo"),
        (("resume", "acme-pay"), "no resume"),
        (("offboard", "acme-pay", "--cancel"), "no cancel"),
        (("offboard", "acme-pay", "bolt-fx"), "add --many"),
        (("offboard", "acme-pay", "--retain-until", "soon"), "expected a date"),
        (("offboard", "acme-pay", "--key-days", "6"), "greater than or equal to 7"),
        (("move", "acme-pay", "--to", "silo", "--read-only-seconds", "0"), "greater than or equal to 1"),
        (("move", "acme-pay", "--to", "silo", "--read-only-seconds", "601"), "less than or equal to 600"),
    ],
)
def test_wrong_usage_is_one_sentence_and_writes_nothing(
    root: Path, words: tuple[str, ...], message: str
) -> None:
    before = (root / "tenants/dev.yaml").read_bytes()
    result = call(root, *words)
    assert (result.exit_code, message in " ".join(result.stderr.replace("│", "").split())) == (2, True), (
        result.stderr
    )
    assert (root / "tenants/dev.yaml").read_bytes() == before


def test_leaving_is_a_stage_at_a_time_and_can_be_called_off(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untouched = (root / "tenants/dev.yaml").read_bytes()
    assert call(root, "suspend", "acme-pay").exit_code == 0
    run(root)
    assert call(root, "resume", "acme-pay").exit_code == 0
    run(root)
    assert (root / "tenants/dev.yaml").read_bytes() == untouched
    for state in ("suspended", "exported"):
        assert call(root, "offboard", "acme-pay").exit_code == 0
        assert home(root).state == state
    unsaid = call(root, "offboard", "acme-pay")
    assert (unsaid.exit_code, "has no leaving.retain_until" in unsaid.stdout) == (1, True)
    assert call(root, "offboard", "acme-pay", "--retain-until", "2033-12-31").exit_code == 0
    run(root)
    kept = call(root, "offboard", "acme-pay")
    assert (kept.exit_code, "must be kept until 2033-12-31" in kept.stdout) == (1, True)
    for year, words in enumerate((("acme-pay",), ("acme-pay", "--cancel"), ("acme-pay",)), 2034):
        monkeypatch.setattr(examination, "today", lambda year=year: date(year, 1, 1))
        assert call(root, "offboard", *words).exit_code == 0
        run(root)
    gone = call(root, "offboard", "acme-pay")
    assert (gone.exit_code, "has a key that is deleted on 2036-01-31" in gone.stdout) == (1, True)
    monkeypatch.setattr(examination, "today", lambda: date(2037, 1, 1))
    for _ in ("erasing", "erased"):
        assert run(root).ledger.erased == {}
        assert call(root, "offboard", "acme-pay").exit_code == 0
    assert run(root).ledger.erased == {"acme-pay": date(2037, 1, 1)}


def test_several_leave_only_when_that_is_said(root: Path) -> None:
    fields = ("isolation=pool", "residency=eu", "plan=starter", "contacts.email=a@b.example", "name=Bolt")
    assert call(root, "add", "bolt-fx", *fields).exit_code == 0
    for id_ in ("acme-pay", "bolt-fx"):
        assert call(root, "suspend", id_).exit_code == 0
        run(root)
    text = (root / "tenants/dev.yaml").read_text("utf-8")
    (root / "tenants/dev.yaml").write_text(text.replace("suspended", "exported"), "utf-8")
    by_hand = call(root, "check")
    assert "leaves together with bolt-fx; one at a time, or" in by_hand.stdout
    (root / "tenants/dev.yaml").write_text(text, "utf-8")
    assert call(root, "offboard", "acme-pay", "bolt-fx", "--many").exit_code == 0
    assert {str(h.state) for h in run(root).ledger.placements.values()} == {"exported"}


def test_status_is_for_people_and_machines(root: Path) -> None:
    answer = json.loads(call(root, "move", "acme-pay", "--status", "--json").stdout)
    assert (answer["phase"], answer["recorded"], answer["move"]) == ("active", "active", None)
    assert {(n["event"], n["to"]) for n in answer["next"]} == {("move", "prepare"), ("suspend", "suspended")}
    assert "way back" in call(root, "move", "acme-pay", "--status").stdout


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("--read-only-seconds", "90"), "    read_only_seconds: 90\n"),
        (("--read-only-seconds", "60"), ""),  # as it is without
        (("--soak-days", "3"), "    soak_days: 3\n"),
    ],
)
def test_what_is_agreed_of_a_move_is_said_at_its_begin_or_later(
    root: Path, words: tuple[str, str], field: str
) -> None:
    text = text_of(root)
    call(root, "move", "acme-pay", "--to", "silo", *words)
    assert text_of(root) == f"{text}  move:\n    origin: pool\n    to: silo\n    stage: prepare\n{field}"
    run(root)
    call(root, "move", "acme-pay", words[0], "599" if "seconds" in words[0] else "89")
    assert ": 599\n" in text_of(root) or ": 89\n" in text_of(root)
    run(root)
    call(root, "move", "acme-pay", words[0], "60" if "seconds" in words[0] else "7")
    assert text_of(root) == f"{text}  move:\n    origin: pool\n    to: silo\n    stage: cutover\n"


def test_what_the_runbook_says_to_change_under_way_may_be_changed(root: Path) -> None:
    call(root, "set", "acme-pay", "plan=premium")
    call(root, "move", "acme-pay", "--to", "silo")
    run(root)
    assert call(root, "set", "acme-pay", "overrides.storage_gib=200").exit_code == 0
    for _ in ("replicate", "cutover"):
        call(root, "move", "acme-pay")
        run(root)
    assert call(root, "set", "acme-pay", "move.read_only_seconds=120").exit_code == 0
    tenant = run(root).tenants[0]
    assert (tenant.move and tenant.move.read_only_seconds, tenant.overrides.storage_gib) == (120, 200)


def text_of(root: Path) -> str:
    return (root / "tenants/dev.yaml").read_text("utf-8")


def test_the_page_is_what_the_machine_says() -> None:
    assert tenant_lifecycle.PAGE.read_text("utf-8") == tenant_lifecycle.render()
    assert set(EVENTS) == {a.event for a in TRANSITIONS}


def test_a_phase_that_a_run_cannot_make_so_is_refused_and_records_nothing(root: Path) -> None:
    before = (root / "tenants/ledger/dev.yaml").read_bytes()
    assert call(root, "move", "acme-pay", "--to", "silo").exit_code == 0
    with pytest.raises(RegistryError, match=r"dev\.yaml:10:12: acme-pay: this version cannot deploy prepare"):
        open_registry("dev", root=root, locked=False, phases=DEPLOYABLE - {Phase.PREPARE})
    assert (root / "tenants/ledger/dev.yaml").read_bytes() == before


def test_moving_and_leaving_do_not_mix() -> None:
    assert not any(a.before in MOVING and a.after is Phase.SUSPENDED for a in TRANSITIONS)
    assert Leaving(retain_until=DAY).key_days == 30
