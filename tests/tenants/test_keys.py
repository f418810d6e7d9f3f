"""Keys of tenants: raised one at a time and never lowered, remembered, and what stays under earlier ones."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.tenants import app
from tenants import RegistryError, open_registry
from tenants.allocation import missing
from tenants.ledger import parse_ledger, render_ledger
from tenants.lifecycle import edit_checks
from tenants.lifecycle.keys import leftovers_of_earlier_keys
from tenants.lifecycle.registry_changes import TransitionOptions
from tenants.models import Placement, Tenant
from tenants.phases import Phase, transition_by
from tenants.states import Isolation, PlacementKind
from tests.registry.project import project
from tests.strategies import DAY, RefusedError, World, small_cell, take_step
from tests.tenants.test_allocation import pool

SILO = replace(pool("acme"), isolation=Isolation.SILO)


def world(tenant: Tenant) -> World:
    return World(
        small_cell(), (tenant,), parse_ledger(render_ledger(edit_checks.Ledger(), "prod"), "x")[0], DAY
    ).run()


def turned(world: World, key: int) -> World:
    return world.edit("acme", key=key).run()


def moved(world: World, to: PlacementKind) -> World:
    for event in ("move", "next", "next", "next", "next", "next"):
        arrow = transition_by(event, world.entries[0].phase)
        assert arrow
        world = take_step(world, "acme", arrow, TransitionOptions(to=to, soak_days=0)).run()
    return world


def home(world: World) -> Placement:
    return world.ledger.placements["acme"]


@pytest.mark.parametrize("key", [1, 2, 4, 5])
def test_a_key_is_followed_by_the_next_one_only(key: int) -> None:
    third = turned(turned(world(pool("acme")), 2), 3)
    if key == 4:
        assert home(turned(third, key)).key == 4
        return
    with pytest.raises(RefusedError, match=f"key goes from 3 to {key}"):
        turned(third, key)


def test_nobody_begins_with_another_key() -> None:
    with pytest.raises(RefusedError, match="begins with key 2"):
        world(replace(pool("acme"), key=2))


def test_no_key_changes_while_data_moves_or_leaves() -> None:
    start = world(pool("acme"))
    move = transition_by("move", Phase.ACTIVE)
    assert move
    moving = take_step(start, "acme", move, TransitionOptions(to=PlacementKind.SILO))
    for edited in (moving, moving.run()):
        with pytest.raises(RefusedError, match="key goes from 1 to 2"):
            turned(edited, 2)
    leaving = start.edit("acme", state=Phase.SUSPENDED).run().edit("acme", state=Phase.EXPORTED).run()
    with pytest.raises(RefusedError, match="key goes from 1 to 2"):
        turned(leaving, 2)


def test_an_instance_stays_under_the_key_with_which_it_was_made() -> None:
    second = turned(world(SILO), 2)
    assert (home(second).key, home(second).stored) == (2, 1)
    assert any(
        "move the tenant" in x.todo for x in leftovers_of_earlier_keys(second.entries[0], home(second))
    )
    there = moved(second, PlacementKind.DEDICATED)
    assert (home(there).key, home(there).stored, home(there).instance) == (2, 2, 2)
    assert [
        x.what for x in leftovers_of_earlier_keys(there.entries[0], home(there)) if "its database" in x.what
    ] == []
    assert (home(turned(there, 3)).stored, home(moved(turned(there, 3), PlacementKind.POOL)).stored) == (2, 3)


def test_an_aborted_move_leaves_the_instance_and_its_key() -> None:
    second = turned(world(SILO), 2)
    for event in ("move", "abort", "next"):
        arrow = transition_by(event, second.entries[0].phase)
        assert arrow
        second = take_step(second, "acme", arrow, TransitionOptions(to=PlacementKind.POOL)).run()
    assert (home(second).key, home(second).stored) == (2, 1)


def test_the_ledger_remembers_keys_and_says_nothing_of_first_ones() -> None:
    first, second = world(SILO), turned(world(SILO), 2)
    assert "key:" not in render_ledger(first.ledger, "prod")
    text = render_ledger(second.ledger, "prod")
    assert "{isolation: silo, key: 2, stored: 1}" in text
    assert parse_ledger(text, "x") == (second.ledger, [])
    assert missing(first.ledger, second.entries) == {"acme": "has key 1 in the ledger and 2 here"}


def test_the_command_writes_the_next_key_and_tells_what_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    root = project(tmp_path / "project")

    def call(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["rotate-key", "acme-pay", *words, "--root", str(root)])
        return result.exit_code, " ".join((result.stdout + result.stderr).replace("│", "").split())

    open_registry("dev", root=root, locked=False)
    assert "under key" not in call("--status")[1]
    code, result = call()
    assert (code, "+ key: 2" in result) == (0, True)
    assert call() == (2, call()[1])
    assert "was not run yet" in call()[1]
    assert "not run yet: the last run recorded key 1" in call("--status")[1]
    assert open_registry("dev", root=root, locked=False).ledger.placements["acme-pay"].key == 2
    code, result = call("--status")
    assert (code, "key 2 is in use" in result, "under key 1 earlier versions of artefacts" in result) == (
        0,
        True,
        True,
    )
    answer = json.loads(
        CliRunner().invoke(app, ["rotate-key", "acme-pay", "--status", "--json", "--root", str(root)]).stdout
    )
    assert (answer["key"], answer["recorded"], {x["key"] for x in answer["left"]}) == (2, 2, {1})
    file = root / "tenants/dev.yaml"
    file.write_text(file.read_text("utf-8").replace("key: 2", "key: 1"), "utf-8")
    with pytest.raises(RegistryError, match="key goes from 2 to 1"):
        open_registry("dev", root=root, locked=False)
