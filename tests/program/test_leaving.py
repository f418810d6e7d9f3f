"""What a tenant's leaving registers, state by state: nothing of anybody else, and nothing goes too early."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from devtools.mocks import Recording, Registered
from functions.tenant_leaving.stages import STAGES as OFFBOARDING_STAGES
from functions.tenant_leaving.stages import parse_request
from plan import plan_cell
from tenants.phases import Phase
from tenants.states import Leaving
from tests.cells import registry_of, settings_of
from tests.program.cell import belonging, deploy

POOLED, SILOED, OTHER = "amber-pay", "ember-cards", "birch-lending"
LEAVERS = (POOLED, SILOED)
STATES = (Phase.ACTIVE, Phase.EXPORTED, Phase.RETAINED, Phase.CLOSING, Phase.ERASING, Phase.ERASED)
SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d"
EARLIER = [KEY.replace("0a", n) for n in ("1a", "2a")]
# Its database is still under the first of its keys.
KEYS = {SILOED: ("ember-cards-identity-key", "ember-cards-identity2-key", "ember-cards-identity3-key")}
INSTANCE = "aws:rds/instance:Instance"


@cache
def programs() -> dict[Phase, Recording]:
    """The dev cell with two tenants that leave, one after its key was turned twice, and one that stays."""
    return {state: deploy(plan_cell(settings_of("dev"), _registry(state))) for state in STATES}


def _registry(state: Phase) -> Any:
    registry = registry_of("dev")
    leaving = Leaving(handed_over=state is not Phase.ACTIVE)
    kept = [t for t in registry.tenants if t.id in (*LEAVERS, OTHER)]
    now = [replace(t, state=state, leaving=leaving) if t.id in LEAVERS else t for t in kept]
    now = [replace(t, key=len(KEYS[t.id])) if t.id in KEYS else t for t in now]
    placements = registry.ledger.placements
    placements = {i: replace(h, key=len(KEYS[i])) if i in KEYS else h for i, h in placements.items()}
    registry = replace(registry, ledger=replace(registry.ledger, placements=placements))
    placed, gone = (tuple(t for t in now if t.phase.row.placed is is_) for is_ in (True, False))
    return replace(registry, tenants=placed, erased=gone)


def calls(state: Phase) -> dict[str, Registered]:
    found = programs()[state].of("lambda/invocation:Invocation")
    return {r.name.removesuffix("-leaving-step"): r for r in found if r.name.endswith("-leaving-step")}


def events() -> Iterator[tuple[Phase, str, dict[str, Any]]]:
    for state in STATES:
        for tenant, call in calls(state).items():
            yield state, tenant, json.loads(call.inputs["input"])


@pytest.mark.slow
def test_the_function_understands_what_it_is_sent() -> None:
    """As the resource sends it, with real ARNs in the place of the mocks', and what it said before."""
    before: dict[str, dict[str, Any]] = {}
    seen: list[tuple[Phase, str]] = []
    for state, tenant, event in events():
        real = {
            "keyArn": KEY,
            "earlierKeys": EARLIER,
            "tenantSecret": f"{SECRET}tenantry/dev/tenants/{tenant}/database-AbCdEf",
            "secrets": [f"{SECRET}tenantry/dev/tenants/{tenant}/database-AbCdEf"],
        }
        sent = {k: real.get(k, v) for k, v in event.items()}
        if sent.get("masterSecret"):
            sent["masterSecret"] = f"{SECRET}rds!db-1"
        request = parse_request({**sent, "lifecycle": {"action": "update", "prev_input": before.get(tenant)}})
        assert (request.tenant, state in STATES) == (tenant, True)
        if state is Phase.ERASING:
            assert (request.key, request.address is None) == (KEY, tenant == SILOED)
            assert request.earlier == (tuple(EARLIER) if tenant in KEYS else ())
            assert request.instances == (("tenantry-dev-silo-ember-cards",) if tenant == SILOED else ())
        before[tenant] = sent
        seen.append((state, tenant))
    assert len(seen) == 2 * (len(STATES) - 1), "one for each who leaves, in each state but the first"


@pytest.mark.parametrize("state", [Phase.RETAINED, Phase.CLOSING])
def test_every_key_that_there_ever_was_is_kept_or_closed(state: Phase) -> None:
    names = {**KEYS, POOLED: (f"{POOLED}-identity-key",)}
    for _, tenant, event in (e for e in events() if e[0] is state):
        arns = [*event.get("earlierKeys", ()), event["keyArn"]]
        assert [arn.rpartition(":")[2] for arn in arns] == list(names[tenant])
        waits = "\n".join(calls(state)[tenant].dependencies)
        assert [n for n in names[tenant] if n not in waits] == []
    assert [t for s, t, e in events() if s is state and "earlierKeys" not in e] == [POOLED], "as it was"


def test_nobody_else_notices() -> None:
    before = programs()[Phase.ACTIVE]
    for state in STATES[1:]:
        now = programs()[state]
        assert belonging(now, OTHER) == belonging(before, OTHER), state
        cell, was = belonging(now, None), belonging(before, None)
        changed = {key[1] for key in cell.keys() | was.keys() if cell.get(key) != was.get(key)}
        assert {name for name in changed if not name.startswith(LEAVERS)} == set(), state


def test_all_that_is_a_tenants_stands_until_it_is_erased() -> None:
    for tenant in LEAVERS:
        first = belonging(programs()[Phase.ACTIVE], tenant)
        for state in STATES[1:4]:
            assert [key for key in first if key not in belonging(programs()[state], tenant)] == [], state
        for state in STATES[4:]:
            assert belonging(programs()[state], tenant) == {}, state


def test_only_what_is_handed_over_comes_in_addition_and_lies_under_the_tenants_key() -> None:
    for tenant in LEAVERS:
        first = belonging(programs()[Phase.ACTIVE], tenant)
        new = belonging(programs()[Phase.EXPORTED], tenant).keys() - first.keys()
        assert {name for _, name in new if not name.startswith(f"{tenant}-tenant-handover")} == set()
        encryption = programs()[Phase.EXPORTED].one(
            "ServerSideEncryptionConfiguration", f"{tenant}-tenant-handover-encryption"
        )
        assert KEYS.get(tenant, (f"{tenant}-identity-key",))[-1] in json.dumps(encryption.inputs)


def test_a_key_that_waits_for_its_deletion_is_asked_for_nothing_else() -> None:
    """KMS takes neither tags nor a policy for it, so what is called off again must not need any."""
    for name in (f"{POOLED}-identity-key", *KEYS[SILOED]):
        kept, closing = (programs()[s].one("kms/key:Key", name) for s in (Phase.RETAINED, Phase.CLOSING))
        assert kept.inputs == closing.inputs
        assert kept.inputs["tags"]["leaving"] == "ending", "or nobody may delete it"
        assert kept.inputs["policy"].count("LeaverHandsOver") == 1


def test_what_is_under_the_key_waits_until_its_deletion_is_called_off() -> None:
    silo = programs()[Phase.RETAINED].one(INSTANCE, "silo-ember-cards-instance")
    assert any(d.endswith("ember-cards-leaving-step") for d in silo.dependencies)
    closing = calls(Phase.CLOSING)[SILOED]
    assert any("silo-ember-cards-instance" in d for d in closing.dependencies), "and it is closed after them"


def test_a_silo_whose_key_will_be_gone_leaves_no_snapshot_and_is_not_opened_again() -> None:
    released = {
        state: programs()[state].one(INSTANCE, "silo-ember-cards-instance").inputs["tags"].get("released")
        for state in (Phase.EXPORTED, Phase.RETAINED, Phase.CLOSING)
    }
    assert released == {Phase.EXPORTED: None, Phase.RETAINED: None, Phase.CLOSING: "leaving"}
    place = programs()[Phase.CLOSING].one(
        "lambda/invocation:Invocation", "ember-cards-tenant-place-silo-ember-cards"
    )
    assert json.loads(place.inputs["input"])["hold"] is True


@pytest.mark.parametrize("tenant", LEAVERS)
def test_the_function_gets_at_buckets_and_logins_only_of_who_leaves(tenant: str) -> None:
    for state in STATES[:4]:
        recording, leaves = programs()[state], state is not Phase.ACTIVE
        bucket = recording.one("bucketPolicy:BucketPolicy", f"{tenant}-tenant-artefacts-policy")
        secret = recording.one("secretsmanager/secret:Secret", f"{tenant}-tenant-secrets-database")
        assert ("leaver-role" in bucket.inputs["policy"]) is leaves
        assert ("NobodyLeaves" in secret.inputs["policy"]) is not leaves
        other = recording.one("bucketPolicy:BucketPolicy", f"{OTHER}-tenant-artefacts-policy")
        assert "leaver-role" not in other.inputs["policy"]


def test_the_function_is_given_what_its_stages_need_and_nothing_that_none_of_them_does() -> None:
    needed = {
        action for stage in OFFBOARDING_STAGES.values() for right in stage.rights for action in right.actions
    }
    policy = (
        programs()[Phase.EXPORTED].one("iam/rolePolicy:RolePolicy", "leaver-worker-policy").inputs["policy"]
    )
    given = {action for s in json.loads(policy)["Statement"] for action in s["Action"]}
    assert needed - given == set()
    # Of every lifecycle function: its log, its place in the network, its traces, the record of its calls.
    services = {action.partition(":")[0] for action in given - needed}
    assert services <= {"logs", "ec2", "xray", "sqs", "ssm"}, given - needed
