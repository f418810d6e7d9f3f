"""What a restore registers: an instance beside the tenant's own, and nothing of anybody else."""

import json
from functools import cache
from itertools import pairwise

import pytest

from functions.tenant_data.request import parse
from plan import plan_cell
from plan.inventory import of_tenant
from tenants.phases import follow, phase_of
from tenants.standing import HomeKind
from tenants.steps import Wish
from tests.cells import settings_of
from tests.harness import Recording
from tests.program.cell import belonging, deploy
from tests.program.test_moving import EVENTS, HELD, MOVER, SECRET, instances, said, start
from tests.strategies import World, take_step

AT = "2026-11-20T10:00:00Z"
KINDS = (HomeKind.SILO, HomeKind.DEDICATED)
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def taken(world: World, tenant: str, event: str) -> World:
    arrow = follow(phase_of(next(t for t in world.entries if t.id == tenant)), event)
    assert arrow
    return take_step(world, tenant, arrow, Wish(at=AT, soak_days=0)).run()


@cache
def worlds(kind: HomeKind) -> tuple[World, ...]:
    found = [start()]
    for event in EVENTS[1:]:
        found.append(taken(found[-1], MOVER[kind], event))
    return tuple(found)


@cache
def journey(kind: HomeKind) -> tuple[Recording, ...]:
    return tuple(deploy(plan_cell(settings_of("dev"), w.registry)) for w in worlds(kind))


@of_each_kind
def test_a_stage_changes_nothing_of_anybody_else_and_opens_no_way(kind: HomeKind) -> None:
    before, *rest = journey(kind)
    for stage in rest:
        for other in {None, *MOVER.values()} - {MOVER[kind]}:
            assert said(stage, other) == said(before, other)


@of_each_kind
def test_the_new_instance_begins_as_the_old_one_was_and_is_under_its_key(kind: HomeKind) -> None:
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
def test_nothing_that_holds_data_goes_before_the_end(kind: HomeKind) -> None:
    stages = [belonging(r, MOVER[kind]) for r in journey(kind)]
    for before, after in pairwise(stages[:-1]):
        assert [key for key in before if key[0] in HELD and key not in after] == []
    gone = {key[1] for key in stages[-2] if key[0] in HELD and key not in stages[-1]}
    assert gone == {f"silo-{MOVER[kind]}-instance"}


@of_each_kind
def test_the_function_is_told_the_moment(kind: HomeKind) -> None:
    tenant = MOVER[kind]
    for stage, recording in zip(EVENTS[1:-1], journey(kind)[1:-1], strict=True):
        call = recording.one("invocation:Invocation", f"{tenant}-tenant-move")
        event = json.loads(call.inputs["input"])
        real = {"tenantSecret": f"{SECRET}tenantry/dev/tenants/{tenant}/database-AbCdEf"}
        ends = {e: {**event[e], "masterSecret": f"{SECRET}rds!db-{e}"} for e in ("origin", "target")}
        request = parse({**event, **real, **ends})
        assert (request.restored_to, request.origin.host != request.target.host) == (AT, True), stage


def test_a_call_that_is_no_restore_says_nothing_of_a_moment() -> None:
    world = take_step(
        start(), MOVER[HomeKind.POOL], follow(phase_of(start().entries[0]), "move"), Wish(to=HomeKind.SILO)
    ).run()  # fmt: skip
    call = deploy(plan_cell(settings_of("dev"), world.registry)).one(
        "invocation:Invocation", f"{MOVER[HomeKind.POOL]}-tenant-move"
    )
    assert "restoredTo" not in json.loads(call.inputs["input"])


@of_each_kind
def test_both_instances_are_listed(kind: HomeKind) -> None:
    tenant = MOVER[kind]
    listed = dict.fromkeys(n for k, n in of_tenant(worlds(kind)[1].registry, "1", tenant) if k == "database")
    assert list(listed) == [f"tenantry-dev-silo-{tenant}", f"tenantry-dev-silo2-{tenant}"]
