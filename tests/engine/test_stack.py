"""The dev stack on the real engine: comes up, stays as it is, grows by one tenant, goes."""

import hashlib
import json
from pathlib import Path

import pytest

from sandbox.aws.parameters import AT_RUNTIME
from sandbox.data_plane.service import INVOCATION
from tests.engine.deployed import PROD, Copies
from tests.engine.workspace import Step, Workspace

NEW = """
{id}:
  name: New Tenant
  isolation: {isolation}
  network: {network}
  residency: eu
  plan: {plan}
  contacts: {{email: ops@{id}.example}}
"""
KINDS = {"pool": ("pool", "shared"), "silo": ("silo", "shared"), "dedicated": ("silo", "dedicated")}


def add_tenant(space: Workspace, kind: str) -> str:
    """Add a tenant of a kind to the registry; its id."""
    (isolation, network), id_ = KINDS[kind], f"harbour-{kind}"
    text = space.registry.read_text(encoding="utf-8").rstrip("\n") + "\n"
    plan = "premium" if isolation == "silo" else "standard"
    entry = NEW.format(id=id_, isolation=isolation, network=network, plan=plan)
    space.registry.write_text(text + entry, "utf-8")
    return id_


def committed_files(project: Path) -> dict[str, str]:
    return {
        str(p.relative_to(project)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in project.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }


@pytest.mark.slow
def test_the_whole_stack_comes_up_and_a_second_run_changes_nothing(whole: Workspace, checkout: Path) -> None:
    assert committed_files(whole.project) == committed_files(checkout)
    assert len(whole.state()) > 600
    assert_nothing_changes(whole, tenants=6)


def assert_nothing_changes(space: Workspace, tenants: int) -> None:
    """Neither a preview nor a run of a stack that is up has anything to do."""
    before = committed_files(space.project)
    preview, second = space.preview(), space.up()
    assert (preview.status, preview.changes) == (0, ()), preview.output
    assert (second.status, second.changes) == (0, ()), second.output
    found = space.outputs()["tenants"]
    assert len(found) == tenants
    for tenant in found.values():
        assert tenant["keyArn"].startswith("arn:aws:kms:eu-west-1:111122223333:key/")
        assert tenant["endpoint"].endswith(".rds.amazonaws.com:5432")
    assert committed_files(space.project) == before


def test_what_the_state_names_is_in_the_cloud_and_nothing_else(dev: Workspace) -> None:
    state = {(r["type"], r["id"]) for r in dev.state() if r["type"].startswith("aws:")}
    cloud = {(r.type, r.id) for r in dev.cloud().all() if r.urn != AT_RUNTIME}
    assert len(state) > 400
    assert state == cloud


def test_each_lifecycle_call_is_recorded_and_nothing_else_is_made_by_functions(dev: Workspace) -> None:
    calls = [json.loads(r["inputs"]["input"]) for r in dev.state() if r["type"] == INVOCATION]
    made = [r.id for r in dev.cloud().all() if r.urn == AT_RUNTIME]
    assert sorted(made) == sorted(call["record"]["parameter"] for call in calls) != []


@pytest.mark.slow
def test_new_tenants_are_all_that_is_created(whole: Workspace) -> None:
    """One of each kind, beside one of each kind: a run makes what is theirs, and touches nothing else."""
    ids = [add_tenant(whole, kind) for kind in sorted(KINDS)]
    run = whole.up()
    assert run.status == 0, run.output
    created = [s for s in run.changes if s.op == "create"]
    assert [s.name for s in created if not any(id_ in s.name for id_ in ids)] == []
    assert [id_ for id_ in ids if not any(id_ in s.name for s in created)] == []
    assert _touched(run.changes) == [], run.output
    again = whole.preview()
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


@pytest.mark.slow
def test_prod_is_not_destroyed_and_nothing_is_deleted(tmp_path: Path, copied: Copies) -> None:
    space = Workspace(copied(PROD, tmp_path / "prod"), "prod")
    before = len(space.cloud().all())
    run = space.destroy()
    assert run.status == 1
    assert "hold protected data" in run.output
    assert "nothing was deleted" in run.output
    assert run.steps == ()
    assert len(space.cloud().all()) == before > 1000
