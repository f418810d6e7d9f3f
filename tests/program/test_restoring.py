"""What a restore registers: an instance beside the tenant's own, and nothing of anybody else."""

import json
import re
from functools import cache
from itertools import pairwise

import pytest

from devtools.mocks import Recording
from functions.tenant_data.request import parse
from plan import plan_cell
from plan.tenants.inventory import of_tenant
from tenants.lifecycle.registry_changes import TransitionOptions
from tenants.phases import transition_by
from tenants.states import PlacementKind
from tests.cells import settings_of
from tests.program.cell import belonging, deploy
from tests.program.test_moving import EVENTS, HELD, MOVER, SECRET, SHARED, instances, registered_of, start
from tests.strategies import World, committed_cell, take_step

AT = "2026-11-20T10:00:00Z"
INSTANCES = ("database", "restored shard")  # as the inventory calls them
KINDS = (PlacementKind.SILO, PlacementKind.DEDICATED)
of_each_kind = pytest.mark.parametrize("kind", [KINDS[0], pytest.param(KINDS[1], marks=pytest.mark.slow)])


def taken(world: World, tenant: str, event: str) -> World:
    arrow = transition_by(event, next(t for t in world.entries if t.id == tenant).phase)
    assert arrow
    return take_step(world, tenant, arrow, TransitionOptions(at=AT, soak_days=0)).run()


@cache
def worlds(kind: PlacementKind) -> tuple[World, ...]:
    found = [start()]
    for event in EVENTS[1:]:
        found.append(taken(found[-1], MOVER[kind], event))
    return tuple(found)


@cache
def journey(kind: PlacementKind) -> tuple[Recording, ...]:
    return tuple(deploy(plan_cell(settings_of("dev"), w.registry)) for w in worlds(kind))


@pytest.mark.slow
@of_each_kind
def test_a_stage_changes_nothing_of_anybody_else_and_opens_no_way(kind: PlacementKind) -> None:
    before, *rest = journey(kind)
    for stage in rest:
        for other in {None, *MOVER.values()} - {MOVER[kind]}:
            assert registered_of(stage, other) == registered_of(before, other)


@of_each_kind
def test_the_new_instance_begins_as_the_old_one_was_and_is_under_its_key(kind: PlacementKind) -> None:
    tenant = MOVER[kind]
    _, *moving, last = journey(kind)
    for stage in moving:
        old, new = (
            instances(stage, tenant)[f"{name}-{tenant}-instance"].inputs for name in ("silo", "silo2")
        )
        assert new["restoreToPointInTime"] == {
            "sourceDbInstanceIdentifier": f"tenantry-dev-silo-{tenant}",
            "restoreTime": AT,
        }
        assert "restoreToPointInTime" not in old
        assert ("dbName" in new, new["kmsKeyId"]) == (False, old["kmsKeyId"])
        assert new["dbSubnetGroupName"] == old["dbSubnetGroupName"]
        assert new["vpcSecurityGroupIds"] == old["vpcSecurityGroupIds"]
    assert set(instances(last, tenant)) == {f"silo2-{tenant}-instance"}


@of_each_kind
def test_nothing_that_holds_data_goes_before_the_end(kind: PlacementKind) -> None:
    stages = [belonging(r, MOVER[kind]) for r in journey(kind)]
    for before, after in pairwise(stages[:-1]):
        assert [key for key in before if key[0] in HELD and key not in after] == []
    gone = {key[1] for key in stages[-2] if key[0] in HELD and key not in stages[-1]}
    assert gone == {f"silo-{MOVER[kind]}-instance"}


@of_each_kind
def test_the_function_is_told_the_moment(kind: PlacementKind) -> None:
    tenant = MOVER[kind]
    for stage, recording in zip(EVENTS[1:-1], journey(kind)[1:-1], strict=True):
        call = recording.one("invocation:Invocation", f"{tenant}-tenant-move")
        event = json.loads(call.inputs["input"])
        real = {"tenantSecret": f"{SECRET}tenantry/dev/tenants/{tenant}/database-AbCdEf"}
        ends = {e: {**event[e], "masterSecret": f"{SECRET}rds!db-{e}"} for e in ("origin", "target")}
        request = parse({**event, **real, **ends})
        assert (request.restored_to, request.origin.host != request.target.host) == (AT, True), stage


def test_a_call_that_is_no_restore_says_nothing_of_a_moment() -> None:
    begin = transition_by("move", start().entries[0].phase)
    assert begin
    world = take_step(
        start(), MOVER[PlacementKind.POOL], begin, TransitionOptions(to=PlacementKind.SILO)
    ).run()
    call = deploy(plan_cell(settings_of("dev"), world.registry)).one(
        "invocation:Invocation", f"{MOVER[PlacementKind.POOL]}-tenant-move"
    )
    assert "restoredTo" not in json.loads(call.inputs["input"])


@pytest.mark.slow
def test_a_shard_is_restored_beside_it_for_the_move_alone() -> None:
    """Nobody lives in it: others' rows are there too. What the tenant gets is its own and new."""
    tenant, beside = MOVER[PlacementKind.POOL], f"restored-{MOVER[PlacementKind.POOL]}-instance"
    first, *moving, last = journey(PlacementKind.POOL)
    shard = first.one("rds/instance:Instance", "shard-a-instance").inputs
    for stage in moving:
        found = instances(stage, tenant)
        assert set(found) == {beside, f"silo-{tenant}-instance"}
        restored, new = found[beside].inputs, found[f"silo-{tenant}-instance"].inputs
        assert restored["restoreToPointInTime"] == {
            "sourceDbInstanceIdentifier": "tenantry-dev-shard-a",
            "restoreTime": AT,
        }
        for same in ("kmsKeyId", "dbSubnetGroupName", "vpcSecurityGroupIds"):
            assert restored[same] == shard[same]
        assert (restored["tags"]["released"], restored["tags"]["tenant"]) == ("restore", tenant)
        assert (restored["skipFinalSnapshot"], restored["deleteAutomatedBackups"]) == (True, True)
        assert ("restoreToPointInTime" in new, new["kmsKeyId"] == restored["kmsKeyId"]) == (False, False)
        key = stage.one("kms/key:Key", f"{tenant}-identity-key")
        assert key.name in str(new["kmsKeyId"])
    assert set(instances(first, tenant)) == set()
    assert set(instances(last, tenant)) == {f"silo-{tenant}-instance"}


def test_of_a_restore_from_the_pool_others_see_paths_alone() -> None:
    tenant = MOVER[PlacementKind.POOL]
    before, *rest = journey(PlacementKind.POOL)
    for stage in rest:
        for other in set(MOVER.values()) - {tenant}:
            assert registered_of(stage, other) == registered_of(before, other)
        was, now = registered_of(before, None), registered_of(stage, None)
        assert [n for k, n in was.keys() | now.keys() if was.get((k, n)) != now.get((k, n)) and not n.startswith(SHARED)] == []  # fmt: skip  # noqa: E501


def test_only_the_function_that_moves_gets_at_what_was_restored() -> None:
    policies = [
        r
        for r in journey(PlacementKind.POOL)[1].resources
        if r.type.endswith(("iam/rolePolicy:RolePolicy", "iam/policy:Policy"))
        and re.search(r"db:tenantry-dev-restored|databases/restored", r.inputs["policy"])
    ]
    assert [r.name for r in policies] == ["mover-worker-policy"]


def test_the_function_is_told_where_to_copy_from() -> None:
    tenant = MOVER[PlacementKind.POOL]
    for recording in journey(PlacementKind.POOL)[1:-1]:
        event = json.loads(recording.one("invocation:Invocation", f"{tenant}-tenant-move").inputs["input"])
        real = {"tenantSecret": f"{SECRET}tenantry/dev/tenants/{tenant}/database-AbCdEf"}
        ends = {
            e: {**event[e], "masterSecret": f"{SECRET}rds!db-{e}"} for e in ("origin", "target", "restored")
        }
        request = parse({**event, **real, **ends})
        assert request.restored
        assert len({request.origin.host, request.target.host, request.restored.host}) == 3
        assert request.restored_to == AT


def test_what_a_restore_from_the_pool_makes_is_listed() -> None:
    tenant = MOVER[PlacementKind.POOL]
    registry = worlds(PlacementKind.POOL)[1].registry
    listed = [e for e in of_tenant(registry, committed_cell("dev"), tenant) if e[0] in INSTANCES]
    assert listed == [
        ("database", f"tenantry-dev-silo-{tenant}"),
        ("restored shard", f"tenantry-dev-restored-{tenant}"),
    ]


@of_each_kind
def test_both_instances_are_listed(kind: PlacementKind) -> None:
    tenant = MOVER[kind]
    found = of_tenant(worlds(kind)[1].registry, committed_cell("dev"), tenant)
    assert [e for e in found if e[0] in INSTANCES] == [
        ("database", f"tenantry-dev-silo-{tenant}"),
        ("database", f"tenantry-dev-silo2-{tenant}"),
    ]
