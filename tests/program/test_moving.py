"""What a move registers, stage by stage: both places, the paths between them, and nothing of anybody else."""

import json
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from devtools.mocks import Recording, Registered
from functions.tenant_bootstrap.request import parse as parse_place
from functions.tenant_data.request import parse as parse_move
from plan import plan_cell
from tenants.lifecycle.registry_changes import TransitionOptions
from tenants.phases import MoveMethod, transition_by
from tenants.states import PlacementKind
from tests.cells import registry_of, settings_of
from tests.program.cell import TODAY, belonging, deploy
from tests.strategies import World, committed_cell, take_step

MOVER = {
    PlacementKind.POOL: "amber-pay",
    PlacementKind.SILO: "ember-cards",
    PlacementKind.DEDICATED: "fjord-custody",
}
# Each kind of place once as the origin and once as the target.
WAYS = tuple(pairwise((*PlacementKind, PlacementKind.POOL)))
STAGES = ("active", "prepare", "replicate", "cutover", "soak", "done", "active again")
EVENTS = ("", "move", "next", "next", "next", "next", "next")
SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
SHARED = ("cell-paths-", "cell-pool-data-acl", "cell-silo-data-acl")
HELD = (
    "aws:rds/instance:Instance",
    "aws:kms/key:Key",
    "aws:s3/bucket:Bucket",
    "aws:secretsmanager/secret:Secret",
)


def start() -> World:
    """One tenant of each kind."""
    registry = registry_of("dev")
    kept = tuple(t for t in registry.tenants if t.id in MOVER.values())
    placements = {t.id: registry.ledger.placements[t.id] for t in kept}
    return World(committed_cell("dev"), kept, replace(registry.ledger, placements=placements), TODAY)


def taken(world: World, id_: str, event: str, to: PlacementKind) -> World:
    tenant = next(t for t in world.entries if t.id == id_)
    arrow = transition_by(event, tenant.phase)
    assert arrow is not None, (tenant.phase, event)
    return take_step(world, id_, arrow, TransitionOptions(to=to, soak_days=0)).run()


@cache
def journey(origin: PlacementKind, to: PlacementKind) -> tuple[Recording, ...]:
    """The program at each stage."""
    world, found = start(), list[Recording]()
    for event in EVENTS:
        world = taken(world, MOVER[origin], event, to) if event else world
        found.append(deploy(plan_cell(settings_of("dev"), world.registry)))
    return tuple(found)


def instances(recording: Recording, tenant: str) -> dict[str, Registered]:
    return {
        name: r
        for (kind, name), r in belonging(recording, tenant).items()
        if kind.endswith("rds/instance:Instance")
    }


def registered_of(recording: Recording, tenant: str | None) -> dict[tuple[str, str], Registered]:
    """Without who waits for whom: a database waits for the paths to it, of which a move adds some."""
    return {key: replace(r, dependencies=()) for key, r in belonging(recording, tenant).items()}


def a_stage_changes_nobody_else(origin: PlacementKind, to: PlacementKind) -> None:
    before, *rest = journey(origin, to)
    others = set(MOVER.values()) - {MOVER[origin]}
    for stage in rest:
        for other in others:
            assert registered_of(stage, other) == registered_of(before, other)
        cell, now = registered_of(before, None), registered_of(stage, None)
        changed = [
            name for kind, name in cell.keys() | now.keys() if cell.get((kind, name)) != now.get((kind, name))
        ]
        assert [name for name in changed if not name.startswith(SHARED)] == []


def nothing_that_holds_data_goes_before_the_end(origin: PlacementKind, to: PlacementKind) -> None:
    """Both places stand until the move is over; the key, the bucket and the login stay for ever."""
    stages = [belonging(r, MOVER[origin]) for r in journey(origin, to)]
    for before, after in pairwise(stages[:-1]):
        assert [key for key in before if key[0] in HELD and key not in after] == []
    gone = {key for key in stages[-2] if key[0] in HELD and key not in stages[-1]}
    assert (
        {kind for kind, _ in gone} <= {"aws:rds/instance:Instance"} if origin.has_own_instance else not gone
    )
    assert len(instances(journey(origin, to)[-1], MOVER[origin])) == int(to.has_own_instance)


def a_number_of_an_instance_is_never_given_again(origin: PlacementKind, to: PlacementKind) -> None:
    tenant = MOVER[origin]
    at_most = {name for stage in journey(origin, to) for name in instances(stage, tenant)}
    assert len(at_most) == origin.has_own_instance + to.has_own_instance
    if origin.has_own_instance and to.has_own_instance:
        assert f"silo2-{tenant}-instance" in at_most


def the_functions_understand_what_they_are_sent(origin: PlacementKind, to: PlacementKind) -> None:
    tenant = MOVER[origin]
    for recording in journey(origin, to)[1:-1]:
        calls = [r for r in belonging(recording, tenant).values() if r.type.endswith("invocation:Invocation")]
        assert len(calls) == 3, "two places and a move"
        for call in calls:
            event = json.loads(call.inputs["input"])
            real = {"tenantSecret": f"{SECRET}tenantry/dev/tenants/{tenant}/database-AbCdEf"}
            if call.name.endswith("-move"):
                ends = {e: {**event[e], "masterSecret": f"{SECRET}rds!db-{e}"} for e in ("origin", "target")}
                request = parse_move({**event, **real, **ends})
                assert (request.origin.host != request.target.host, request.budget) == (True, 60)
            else:
                hook = event["webhookSecret"] and f"{SECRET}tenantry/dev/tenants/{tenant}/webhook-AbCdEf"
                master = {"masterSecret": f"{SECRET}rds!db-1", "webhookSecret": hook}
                place = parse_place({**event, **real, **master, "lifecycle": {"action": "create"}})
                assert place.hold


def the_catalog_leads_to_where_the_data_is_after_the_stage(origin: PlacementKind, to: PlacementKind) -> None:
    tenant = MOVER[origin]
    for stage, recording in zip(STAGES, journey(origin, to), strict=True):
        catalog = recording.one("ssm/parameter:Parameter", f"{tenant}-tenant-catalog")
        entry = json.loads(catalog.inputs["insecureValue"])
        lives = to if stage in ("cutover", "soak", "done", "active again") else origin
        assert entry["isolation"] == lives.isolation
        assert ("silo" in entry["database"]["host"]) is lives.has_own_instance
        moving = {"stage": stage, "readOnlySeconds": 60} if not stage.startswith("active") else None
        assert entry["move"] == moving
        waits = any(d.endswith(f"{tenant}-tenant-move") for d in catalog.dependencies)
        assert waits is (moving is not None), "the catalog follows the move and never goes before it"


def the_function_gets_at_key_and_bucket_only_meanwhile(origin: PlacementKind, to: PlacementKind) -> None:
    tenant = MOVER[origin]
    for stage, recording in zip(STAGES, journey(origin, to), strict=True):
        moving = not stage.startswith("active")
        key = recording.one("kms/key:Key", f"{tenant}-identity-key").inputs["policy"]
        bucket = recording.one("bucketPolicy:BucketPolicy", f"{tenant}-tenant-artefacts-policy").inputs[
            "policy"
        ]
        assert ("mover-role" in key, "mover-role" in bucket) == (moving, moving)
        secret = recording.one("secretsmanager/secret:Secret", f"{tenant}-tenant-secrets-database")
        assert ("NoMoveIsOn" in secret.inputs["policy"]) is not moving
        for other in set(MOVER.values()) - {tenant}:
            assert "mover-role" not in recording.one("kms/key:Key", f"{other}-identity-key").inputs["policy"]


def databases_reach_one_another_only_meanwhile(origin: PlacementKind, to: PlacementKind) -> None:
    first, *between, last = journey(origin, to)

    def between_databases(recording: Recording) -> set[str]:
        rules = [r for r in recording.resources if "securityGroupEgressRule" in r.type]
        return {r.name for r in rules if "-pool-db-to-" in r.name or "-silo-db-to-" in r.name}

    assert between_databases(first) == between_databases(last) == set()
    assert [len(between_databases(stage)) for stage in between] == [2] * 5, "there and back"


def only_what_was_left_behind_is_let_go(origin: PlacementKind, to: PlacementKind) -> None:
    """An old instance, from the stage on that has dumped it."""
    for stage, recording in zip(STAGES, journey(origin, to), strict=True):
        found = instances(recording, MOVER[origin])
        gone = [name for name, r in found.items() if "released" in r.inputs["tags"]]
        expected = [f"silo-{MOVER[origin]}-instance"] if stage == "done" and origin.has_own_instance else []
        assert gone == expected


CHECKS = (
    a_stage_changes_nobody_else,
    nothing_that_holds_data_goes_before_the_end,
    a_number_of_an_instance_is_never_given_again,
    the_functions_understand_what_they_are_sent,
    the_catalog_leads_to_where_the_data_is_after_the_stage,
    the_function_gets_at_key_and_bucket_only_meanwhile,
    only_what_was_left_behind_is_let_go,
    databases_reach_one_another_only_meanwhile,
)


@pytest.mark.parametrize(
    ("origin", "to"), [WAYS[0], *(pytest.param(*way, marks=pytest.mark.slow) for way in WAYS[1:])]
)
def test_each_stage_of_a_move_is_as_it_should_be(origin: PlacementKind, to: PlacementKind) -> None:
    """In one test: the seven programs take longer than what is asked of them."""
    assert len(CHECKS) == 8
    for check in CHECKS:
        check(origin, to)


@pytest.mark.parametrize("to", [PlacementKind.SILO, PlacementKind.DEDICATED])
def test_a_move_by_copy_opens_no_way_between_databases(to: PlacementKind) -> None:
    """The function carries the rows; the one word more is all that it is told."""
    arrow = transition_by("move", start().entries[0].phase)
    assert arrow
    found = []
    for by in MoveMethod:
        world = take_step(start(), "amber-pay", arrow, TransitionOptions(to=to, by=by)).run()
        recording = deploy(plan_cell(settings_of("dev"), world.registry))
        rules = [r.name for r in recording.resources if "securityGroupEgressRule" in r.type]
        event = json.loads(recording.one("invocation:Invocation", "amber-pay-tenant-move").inputs["input"])
        found.append((len([n for n in rules if "-pool-db-to-" in n or "-silo-db-to-" in n]), event.get("by")))
    assert found == [(2, None), (0, "copy")]


def test_an_aborted_move_lets_the_new_instance_go() -> None:
    world = taken(start(), "amber-pay", "move", PlacementKind.SILO)
    world = taken(world, "amber-pay", "abort", PlacementKind.SILO)
    (new,) = instances(deploy(plan_cell(settings_of("dev"), world.registry)), "amber-pay").values()
    assert new.inputs["tags"]["released"] == "move"
