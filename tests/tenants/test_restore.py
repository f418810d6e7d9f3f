"""A restore is a move to an instance that begins as the tenant's own one was at a moment."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.tenants import app
from tenants import open_registry
from tenants.ledger import parse_ledger, render_ledger
from tenants.lifecycle.registry_changes import TransitionOptions
from tenants.models import Tenant
from tenants.phases import MoveMethod, Phase, transition_by
from tenants.states import Isolation, NetworkMode, PlacementKind
from tests.registry.project import project
from tests.strategies import DAY, RefusedError, World, take_step
from tests.tenants.test_allocation import pool
from tests.tenants.test_keys import home, turned, world

AT = f"{DAY}T10:00:00Z"
SILO = replace(pool("acme"), isolation=Isolation.SILO)
DEDICATED = replace(SILO, network=NetworkMode.DEDICATED)
ENDS = {
    "done": ("move", "next", "next", "next", "next", "next"),
    "aborted": ("move", "next", "abort", "next"),
    "rolled back": ("move", "next", "next", "next", "rollback", "next", "next"),
}


def led(found: World, *events: str, at: str = AT) -> World:
    for event in events:
        arrow = transition_by(event, found.entries[0].phase)
        assert arrow
        found = take_step(found, "acme", arrow, TransitionOptions(at=at, soak_days=0)).run()
    return found


@pytest.mark.parametrize("tenant", [SILO, DEDICATED], ids=["silo", "dedicated"])
@pytest.mark.parametrize("end", ENDS)
def test_a_restore_ends_where_it_began_or_in_a_new_instance(tenant: Tenant, end: str) -> None:
    after = led(world(tenant), *ENDS[end])
    found = home(after)
    assert (found.move, found.kind, found.issued) == (None, tenant.placement_kind, 2)
    assert found.instance == (2 if end == "done" else 1)
    assert after.ledger.networks == world(tenant).ledger.networks
    assert after.ledger.resting == {}
    assert after.entries == (tenant,)


def test_the_ledger_remembers_the_moment_and_no_other_may_be_said() -> None:
    moving = led(world(SILO), "move", "next")
    text = render_ledger(moving.ledger, "prod")
    assert f'move: silo-to-silo/replicate, at: "{AT}"' in text
    assert parse_ledger(text, "x") == (moving.ledger, [])
    (tenant,) = moving.entries
    assert tenant.move
    for at in (None, f"{DAY}T11:00:00Z"):
        with pytest.raises(RefusedError, match=r"move is|from silo to silo|leads from silo to silo"):
            moving.edit("acme", move=replace(tenant.move, at=at)).run()


def test_a_restored_instance_is_under_the_key_of_its_source() -> None:
    after = led(turned(world(SILO), 2), *ENDS["done"])
    assert (home(after).key, home(after).stored) == (2, 1)


def test_nobody_restores_what_has_not_been() -> None:
    with pytest.raises(RefusedError, match="has not come yet"):
        led(world(SILO), "move", at="2099-01-01T00:00:00Z")


@pytest.mark.parametrize("end", ENDS)
def test_a_tenant_of_the_pool_is_restored_into_an_instance_of_its_own(end: str) -> None:
    """Its shard cannot go back without everybody else on it."""
    tenant = pool("acme")
    after = led(turned(world(tenant), 2), *ENDS[end])
    found, done = home(after), end == "done"
    assert (found.move, found.kind) == (None, PlacementKind.SILO if done else PlacementKind.POOL)
    assert (found.instance, found.issued, found.stored) == (int(done), 1, 2), "made under the key in use"
    back = ("move", *["next"] * 5)
    if done:
        for event in back:
            arrow = transition_by(event, after.entries[0].phase)
            assert arrow
            after = take_step(
                after, "acme", arrow, TransitionOptions(to=PlacementKind.POOL, soak_days=0)
            ).run()
        assert home(after).kind is PlacementKind.POOL


@pytest.mark.parametrize(
    ("tenant", "to"),
    [(pool("acme"), PlacementKind.DEDICATED), (SILO, PlacementKind.POOL), (SILO, PlacementKind.DEDICATED)],
)
def test_a_restore_leads_nowhere_else(tenant: Tenant, to: PlacementKind) -> None:
    first = transition_by("move", Phase.ACTIVE)
    assert first
    moving = take_step(world(tenant), "acme", first, TransitionOptions(to=to))
    (found,) = moving.entries
    assert found.move
    with pytest.raises(RefusedError, match=f"the move restores, from {tenant.placement_kind} to {to}"):
        moving.edit("acme", move=replace(found.move, at=AT)).run()


def test_a_restore_is_not_a_copy() -> None:
    moving = led(world(SILO), "move")
    (tenant,) = moving.entries
    assert tenant.move
    with pytest.raises(RefusedError, match="the move restores, by copy"):
        moving.edit("acme", move=replace(tenant.move, by=MoveMethod.OFFLINE_COPY)).run()


def test_how_rows_get_there_is_remembered_and_does_not_change_on_the_way() -> None:
    first = transition_by("move", Phase.ACTIVE)
    assert first
    moving = take_step(
        world(pool("acme")),
        "acme",
        first,
        TransitionOptions(to=PlacementKind.SILO, by=MoveMethod.OFFLINE_COPY),
    ).run()
    text = render_ledger(moving.ledger, "prod")
    assert "move: pool-to-silo/prepare, by: copy" in text
    assert parse_ledger(text, "x") == (moving.ledger, [])
    (tenant,) = moving.entries
    assert tenant.move
    with pytest.raises(RefusedError, match="and the one under way pool to silo by copy"):
        moving.edit("acme", move=replace(tenant.move, by=MoveMethod.REPLICATION)).run()


def test_the_command_begins_it_and_move_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    root = project(tmp_path / "project")
    file = root / "tenants/dev.yaml"
    file.write_text(file.read_text("utf-8").replace("isolation: pool", "isolation: silo"), "utf-8")

    def call(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, [*words, "--root", str(root)])
        return result.exit_code, " ".join((result.stdout + result.stderr).replace("│", "").split())

    open_registry("dev", root=root, locked=False)
    code, result = call("restore", "acme-pay", "--at", "yesterday")
    assert (code, "expected a moment in UTC" in result) == (2, True)
    code, result = call("restore", "acme-pay", "--at", "2026-02-30T10:00:00Z")
    assert (code, "is not a moment" in result) == (2, True)
    code, result = call("restore", "acme-pay", "--at", "2026-11-20T10:00:00Z")
    assert (code, '+ at: "2026-11-20T10:00:00Z"' in result or "at: " in result) == (0, True)
    assert open_registry("dev", root=root, locked=False).tenants[0].move
    assert call("move", "acme-pay")[0] == 0
    assert open_registry("dev", root=root, locked=False).ledger.placements["acme-pay"].move
    code, result = call("restore", "acme-pay", "--at", "2026-11-20T10:00:00Z")
    assert (code, "from which there is no move" in result) == (2, True)
