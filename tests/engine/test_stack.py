"""The dev stack on the real engine: comes up, stays as it is, grows by one tenant, goes."""

import hashlib
from pathlib import Path

import pytest

from tests.engine.workspace import Step, Workspace

NEW = """
harbour-pay:
  name: Harbour Pay
  isolation: {isolation}
  network: {network}
  residency: eu
  plan: {plan}
  contacts: {{email: ops@harbour-pay.example}}
"""
KINDS = {"pool": ("pool", "shared"), "silo": ("silo", "shared"), "dedicated": ("silo", "dedicated")}


def add_tenant(space: Workspace, kind: str) -> None:
    isolation, network = KINDS[kind]
    text = space.registry.read_text(encoding="utf-8").rstrip("\n") + "\n"
    plan = "premium" if isolation == "silo" else "standard"
    space.registry.write_text(text + NEW.format(isolation=isolation, network=network, plan=plan), "utf-8")


def committed_files(space: Workspace) -> dict[str, str]:
    return {
        str(p.relative_to(space.project)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in space.project.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }


def test_comes_up_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    space = Workspace(tmp_path, "dev")
    before = committed_files(space)
    first = space.up()
    assert first.status == 0, first.output
    assert first.counts["create"] == len(first.changes) > 600
    preview, second = space.preview(), space.up()
    assert (preview.status, preview.changes) == (0, ()), preview.output
    assert (second.status, second.changes) == (0, ()), second.output
    tenants = space.outputs()["tenants"]
    assert len(tenants) == 6
    for tenant in tenants.values():
        assert tenant["keyArn"].startswith("arn:aws:kms:eu-west-1:111122223333:key/")
        assert tenant["endpoint"].endswith(".rds.amazonaws.com:5432")
    assert committed_files(space) == before


def test_what_the_state_names_is_in_the_cloud_and_nothing_else(dev: Workspace) -> None:
    state = {(r["type"], r["id"]) for r in dev.state() if r["type"].startswith("aws:")}
    cloud = {(r.type, r.id) for r in dev.cloud().all()}
    assert len(state) > 500
    assert state == cloud


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_new_tenant_is_all_that_is_created(dev: Workspace, kind: str) -> None:
    add_tenant(dev, kind)
    run = dev.up()
    assert run.status == 0, run.output
    created = [s for s in run.changes if s.op == "create"]
    assert created
    assert [s.name for s in created if "harbour-pay" not in s.name] == []
    assert _touched(run.changes) == [], run.output
    again = dev.preview()
    assert again.changes == (), again.output


def _touched(changes: tuple[Step, ...]) -> list[tuple[str, str]]:
    """What was changed and is not the new tenant's; the cell's lists of tenants may gain its entry."""
    return [
        (s.op, s.name)
        for s in changes
        if s.op != "create" and not (s.op == "update" and s.type == "pulumi:pulumi:Stack")
    ]


def test_destroy_leaves_the_cloud_empty(dev: Workspace) -> None:
    run = dev.destroy()
    assert run.status == 0, run.output
    assert dev.cloud().all() == []
    assert dev.state() == []


def test_prod_is_not_destroyed_and_nothing_is_deleted(tmp_path: Path) -> None:
    space = Workspace(tmp_path, "prod")
    up = space.up()
    assert up.status == 0, up.output
    before = len(space.cloud().all())
    run = space.destroy()
    assert run.status == 1
    assert "hold protected data" in run.output
    assert "nothing was deleted" in run.output
    assert run.steps == ()
    assert len(space.cloud().all()) == before > 1000
