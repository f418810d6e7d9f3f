"""A tenant's new key: all that can be re-encrypted where it is comes under it, and nothing else changes."""

import json
from functools import cache

import pytest

from devtools.mocks import Recording
from functions.tenant_rekey.request import parse
from plan import plan_cell
from plan.tenants.inventory import of_tenant
from tenants.states import PlacementKind
from tests.cells import settings_of
from tests.program.cell import belonging, deploy
from tests.program.test_moving import HELD, MOVER, start, taken
from tests.strategies import World, committed_cell

KEY = "aws:kms/key:Key"


@cache
def before() -> Recording:
    return deploy(plan_cell(settings_of("dev"), start().registry))


@cache
def turned(tenant: str, key: int = 2) -> World:
    world = start() if key == 2 else turned(tenant, key - 1)
    return world.edit(tenant, key=key).run()


@cache
def after(tenant: str, key: int = 2) -> Recording:
    return deploy(plan_cell(settings_of("dev"), turned(tenant, key).registry))


every_kind = pytest.mark.parametrize("tenant", MOVER.values())


@every_kind
def test_nothing_of_another_tenant_or_of_the_cell_changes(tenant: str) -> None:
    for other in {None, *MOVER.values()} - {tenant}:
        assert belonging(after(tenant), other) == belonging(before(), other)


@every_kind
def test_the_tenant_gains_a_key_and_loses_or_renames_nothing(tenant: str) -> None:
    old, new = belonging(before(), tenant), belonging(after(tenant), tenant)
    assert old.keys() <= new.keys()
    assert sorted(name for _, name in new.keys() - old.keys()) == [
        f"{tenant}-identity2",
        f"{tenant}-identity2-alias",
        f"{tenant}-identity2-key",
        f"{tenant}-tenant-rekey",
    ]
    first, second = (new[KEY, f"{tenant}-identity{n}-key"] for n in ("", "2"))
    assert {**first.inputs, "policy": ""} == {**old[KEY, f"{tenant}-identity-key"].inputs, "policy": ""}
    assert (first.protect, second.protect) == (old[KEY, first.name].protect,) * 2
    assert first.inputs["policy"] == second.inputs["policy"], "who may use what is under them is the same"


@every_kind
def test_what_holds_data_is_changed_in_nothing_that_would_replace_it(tenant: str) -> None:
    """Of the things that hold data the secrets alone differ, in the key, which AWS changes where they are."""
    old, new = belonging(before(), tenant), belonging(after(tenant), tenant)
    differs = {
        (key[0].rpartition(":")[2], field)
        for key in old
        if key[0] in HELD
        for field in old[key].inputs.keys() | new[key].inputs.keys()
        if old[key].inputs.get(field) != new[key].inputs.get(field)
    }
    assert differs == {("Key", "policy"), ("Secret", "kmsKeyId")}


@every_kind
def test_all_that_can_be_encrypted_anew_is_under_the_new_key(tenant: str) -> None:
    found = belonging(after(tenant), tenant)
    arn = f"arn:aws:mock:eu-west-1:111122223333:{tenant}-identity2-key"
    secrets = {r.inputs["kmsKeyId"] for r in found.values() if r.type.endswith("secret:Secret")}
    topic = found["aws:sns/topic:Topic", f"{tenant}-tenant-topic"].inputs["kmsMasterKeyId"]
    assert (secrets, topic) == ({arn}, arn)
    (encryption,) = [
        r for r in found.values() if "ServerSideEncryptionConfiguration" in r.type and "artefacts" in r.name
    ]
    default = encryption.inputs["rules"][0]["applyServerSideEncryptionByDefault"]
    assert default["kmsMasterKeyId"] == arn
    assert (
        arn in found["aws:s3/bucketPolicy:BucketPolicy", f"{tenant}-tenant-artefacts-policy"].inputs["policy"]
    )
    entry = json.loads(
        found["aws:ssm/parameter:Parameter", f"{tenant}-tenant-catalog"].inputs["insecureValue"]
    )
    assert entry["keyArn"] == arn
    role = json.loads(found["aws:iam/rolePolicy:RolePolicy", f"{tenant}-tenant-policy"].inputs["policy"])
    actions = {s["Sid"]: (s["Action"], s["Resource"]) for s in role["Statement"]}
    assert actions["EarlierKeys"] == (
        ["kms:Decrypt", "kms:DescribeKey"],
        [arn.replace("identity2", "identity")],
    )
    assert actions["Key"][1] == [arn]


@every_kind
def test_the_function_is_told_and_waits_for_keys_and_bucket(tenant: str) -> None:
    call = after(tenant).one("invocation:Invocation", f"{tenant}-tenant-rekey")
    event = json.loads(call.inputs["input"])
    real = f"arn:aws:kms:eu-west-1:111122223333:key/{tenant}-2"
    request = parse({**event, "keyArn": real, "lifecycle": {"action": "create"}})
    assert (request.tenant, request.bucket) == (tenant, f"tenantry-dev-t-{tenant}-111122223333")
    waits = "\n".join(call.dependencies)
    for needed in (
        "identity-key",
        "identity2-key",
        "artefacts-encryption",
        "artefacts-policy",
        "rekeyer-function",
    ):
        assert needed in waits, waits


def test_the_function_is_let_in_only_where_there_is_another_key() -> None:
    tenant = MOVER[PlacementKind.POOL]
    for recording, turned_ones in ((before(), set[str]()), (after(tenant), {tenant})):
        for one in MOVER.values():
            for kind, name in (
                (KEY, "identity-key"),
                ("bucketPolicy:BucketPolicy", "tenant-artefacts-policy"),
            ):
                policy = recording.one(kind, f"{one}-{name}").inputs["policy"]
                assert ("rekeyer-role" in policy) is (one in turned_ones)


def test_an_instance_stays_under_its_key_and_the_next_one_has_the_new_one() -> None:
    tenant = MOVER[PlacementKind.SILO]
    world = turned(tenant)
    for event in ("move", "next"):
        world = taken(world, tenant, event, PlacementKind.DEDICATED)
    found = belonging(deploy(plan_cell(settings_of("dev"), world.registry)), tenant)
    keys = {
        r.inputs["identifier"]: r.inputs["kmsKeyId"].rpartition(":")[2]
        for r in found.values()
        if r.type.endswith("rds/instance:Instance")
    }
    assert keys == {
        f"tenantry-dev-silo-{tenant}": f"{tenant}-identity-key",
        f"tenantry-dev-silo2-{tenant}": f"{tenant}-identity2-key",
    }


def test_every_key_that_there_ever_was_stays() -> None:
    tenant = MOVER[PlacementKind.DEDICATED]
    found = belonging(after(tenant, 4), tenant)
    names = [n for n in (f"{tenant}-identity{x}-key" for x in ("", "2", "3", "4")) if (KEY, n) in found]
    assert len(names) == 4
    listed = [
        name
        for kind, name in of_tenant(turned(tenant, 4).registry, committed_cell("dev"), tenant)
        if kind == "key"
    ]
    made = [r.inputs["name"] for r in found.values() if r.type.endswith("kms/alias:Alias")]
    assert sorted(f"alias/{name}" for name in listed) == sorted(made)


def test_the_stack_tells_what_stays_under_which_key() -> None:
    tenant = MOVER[PlacementKind.SILO]
    answer = after(tenant).exports["keys"]
    assert answer.keys() == {tenant}
    assert (answer[tenant]["inUse"], answer[tenant]["keys"].keys()) == (2, {"1", "2"})
    assert {x["key"] for x in answer[tenant]["left"]} == {1}
    assert [x["todo"] for x in answer[tenant]["left"]][-1].endswith(f"tenants move {tenant} --to KIND")
