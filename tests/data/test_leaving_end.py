"""A tenant's key, rows, artefacts and backups go, and a certificate says so, and only then."""

import dataclasses
import json
from typing import Any

import pytest

from functions.common.events import RequestError
from functions.tenant_leaving.certificate import verify
from functions.tenant_leaving.tools import Backups, Instance, Key, OffboardingError, Snapshot, Upload
from tests.data.leaving import EARLIER, HOST, KEY, SHARD_KEY, Leaver, moved, of_moves
from tests.data.rich import RICH
from tests.data.shard import Shard


@pytest.fixture
def leaver(shard: Shard) -> Leaver:
    """Suspended, with rows, artefacts of several versions, backups of a silo that it once had."""
    found = Leaver(shard)
    for tenant in (shard.acme, shard.bolt):
        shard.run(tenant, *RICH)
    for n in range(7):
        found.objects.put(found.bucket, f"a{n % 3}.pdf", b"x")
    found.objects.put(found.bucket, "a1.pdf", None)
    found.objects.put(found.handover, "dump.sql.gz", b"x")
    found.objects.begun[found.bucket] = [Upload("half.pdf", "u1")]
    found.databases.kept = {
        found.own: [Snapshot(f"{found.own}-final", "manual", KEY), Snapshot("rds:x", "automated", KEY)],
        "shard": [Snapshot("before-upgrade", "manual", SHARD_KEY), Snapshot("rds:y", "automated", SHARD_KEY)],
    }
    found.databases.automated[found.own] = [Backups(found.own, KEY, found.clock.now, 14)]
    found.suspend()
    return found


def closed(leaver: Leaver) -> None:
    """The key's last day is over."""
    leaver.go("close")
    leaver.clock.pass_days(8)


def erased(leaver: Leaver, **changes: Any) -> Any:
    closed(leaver)
    return leaver.go("erase", instances=[leaver.own], **changes)


def deleted_by_the_program(leaver: Leaver) -> None:
    """What `pulumi up` deletes afterwards."""
    del leaver.objects.buckets[leaver.bucket], leaver.objects.buckets[leaver.handover]


# the key


def test_a_closed_key_can_be_kept_until_its_date(leaver: Leaver) -> None:
    assert leaver.go("keep")["cancelled"] is False
    answer = leaver.go("close")
    assert (answer["state"], answer["deletionDate"]) == ("PendingDeletion", "2026-11-09T12:00:00+00:00")
    leaver.clock.pass_days(3)
    assert leaver.go("close", keyDays=30)["deletionDate"] == answer["deletionDate"]
    assert leaver.go("keep")["cancelled"] is True
    assert leaver.keys.keys[KEY] == Key("Enabled")
    assert leaver.go("close", keyDays=30)["deletionDate"] == "2026-12-05T12:00:00+00:00"
    leaver.clock.pass_days(31)
    del leaver.keys.keys[KEY]
    answer = leaver.go("close")
    assert (answer["state"], answer["deletionDate"]) == ("Deleted", "2026-12-05T12:00:00+00:00")
    with pytest.raises(OffboardingError, match="is gone, and all that was encrypted under it"):
        leaver.go("keep")


@pytest.mark.parametrize("state", ["Unavailable", "PendingImport", "PendingReplicaDeletion"])
def test_a_key_in_another_state_is_left_to_a_person(leaver: Leaver, state: str) -> None:
    leaver.keys.keys[KEY] = Key(state)
    for stage in ("keep", "close", "erase"):
        with pytest.raises(OffboardingError, match=r"its key .*"):
            leaver.go(stage)
    assert leaver.keys.keys[KEY] == Key(state)


@pytest.mark.parametrize("stage", ["keep", "close"])
def test_killed_at_every_step_the_key_ends_as_asked(leaver: Leaver, stage: str) -> None:
    leaver.go("close")
    if stage == "close":
        leaver.go("keep")
        leaver.clock.pass_days(1)
    _, killed = leaver.through(stage)
    assert len(killed) == 2
    assert leaver.keys.keys[KEY].state == {"keep": "Enabled", "close": "PendingDeletion"}[stage]


# the keys before it


@pytest.fixture
def turned(leaver: Leaver) -> Leaver:
    """It was given another key twice."""
    leaver.keys.keys |= {arn: Key("Enabled") for arn in EARLIER}
    return leaver


EVERY = (KEY, *EARLIER)


def states(leaver: Leaver) -> list[str]:
    return [leaver.keys.keys[arn].state for arn in EVERY]


def test_every_key_is_closed_and_all_are_taken_back(turned: Leaver) -> None:
    answer = turned.go("close", earlierKeys=EARLIER)
    assert answer["steps"][0] == "keys and dates written down", "what is scheduled is named before"
    until = "2026-11-09T12:00:00+00:00"
    assert [(k["key"], k["state"], k["deletionDate"]) for k in (answer, *answer["earlierKeys"])] == [
        (arn, "PendingDeletion", until) for arn in EVERY
    ]
    turned.clock.pass_days(3)
    assert turned.go("close", earlierKeys=EARLIER, keyDays=30)["earlierKeys"] == answer["earlierKeys"], (
        "the dates stay"
    )
    answer = turned.go("keep", earlierKeys=EARLIER)
    assert (answer["cancelled"], answer["earlierKeys"][1]) == (True, {"key": EARLIER[1], "state": "Enabled"})
    assert states(turned) == ["Enabled"] * 3
    assert turned.keys.keys[SHARD_KEY] == Key("Enabled")


FORGOTTEN = {"action": "update", "prev_input": {"stage": "erase"}}


def test_what_nobody_remembers_of_the_closing_is_read_where_it_was_written_down(turned: Leaver) -> None:
    """As after a call that was refused, and 90 days, after which Step Functions knows no closing either."""
    secrets = [turned.shard.secret_arn(turned.tenant)]
    turned.go("close", earlierKeys=EARLIER)
    turned.clock.pass_days(100)
    asked = turned.event("erase", instances=[turned.own], lifecycle=FORGOTTEN)
    del asked["keyArn"], asked["secrets"]
    turned.carry_out(asked)
    report = turned.document(turned.evidence, f"tenants/{turned.tenant}/erased.json")
    assert [report["key"]["arn"], *(k["arn"] for k in report["earlierKeys"])] == [*EVERY]
    assert [s["name"] for s in report["stores"] if s["kind"] == "secret"] == secrets


def test_a_closing_that_was_taken_back_lets_nothing_be_erased(turned: Leaver) -> None:
    turned.go("close", earlierKeys=EARLIER)
    turned.clock.pass_days(3)
    turned.go("keep", earlierKeys=EARLIER)
    before = everything(turned)
    asked = turned.event("erase", lifecycle=FORGOTTEN)
    del asked["keyArn"], asked["secrets"]
    with pytest.raises(OffboardingError, match=f"its key {KEY} exists and is not scheduled for deletion"):
        turned.carry_out(asked)
    assert everything(turned) == before


@pytest.mark.parametrize(
    "written",
    [None, {"tenant": "bolt", "key": KEY, "secrets": []}, {"tenant": ..., "key": KEY, "deletionDate": "x"}],
    ids=["nothing", "of-another", "from-before-secrets-were"],
)
def test_what_nobody_wrote_down_is_said_with_the_way_back(leaver: Leaver, written: Any) -> None:
    if written:
        document = {**written, "tenant": leaver.tenant if written["tenant"] is ... else written["tenant"]}
        place = f"tenants/{leaver.tenant}/closing.json"
        leaver.objects.put(leaver.evidence, place, json.dumps(document).encode())
    asked = leaver.event("erase", lifecycle=FORGOTTEN)
    del asked["keyArn"], asked["secrets"]
    with pytest.raises(RequestError, match=r"secrets unknown, .* take registry and ledger back to closing"):
        leaver.carry_out(asked)


@pytest.mark.parametrize("stage", ["keep", "close"])
def test_killed_at_every_step_no_key_is_left_behind(turned: Leaver, stage: str) -> None:
    turned.go("close", earlierKeys=EARLIER)
    if stage == "close":
        turned.go("keep", earlierKeys=EARLIER)
        turned.clock.pass_days(1)
    _, killed = turned.through(stage, earlierKeys=EARLIER)
    assert len(killed) == {"keep": 6, "close": 4}[stage]
    assert set(states(turned)) == {{"keep": "Enabled", "close": "PendingDeletion"}[stage]}


def test_who_was_closing_before_earlier_keys_counted_has_them_closed_by_the_next_run(turned: Leaver) -> None:
    first = turned.go("close")["deletionDate"]
    turned.clock.pass_days(8)
    del turned.keys.keys[KEY]
    answer = turned.go("close", earlierKeys=EARLIER)
    assert (answer["state"], answer["deletionDate"]) == ("Deleted", first)
    assert {k["deletionDate"] for k in answer["earlierKeys"]} == {"2026-11-17T12:00:00+00:00"}


def test_one_that_cannot_be_deleted_keeps_all_from_it(turned: Leaver) -> None:
    turned.keys.keys[EARLIER[1]] = Key("Unavailable")
    with pytest.raises(OffboardingError, match=f"its key {EARLIER[1]} is Unavailable and cannot be deleted"):
        turned.go("close", earlierKeys=EARLIER)
    assert states(turned) == ["Enabled", "Enabled", "Unavailable"]


def test_all_that_is_left_is_taken_back_before_one_that_is_gone_is_named(turned: Leaver) -> None:
    turned.go("close", earlierKeys=EARLIER)
    del turned.keys.keys[EARLIER[0]]
    with pytest.raises(OffboardingError, match=f"its key {EARLIER[0]} is gone"):
        turned.go("keep", earlierKeys=EARLIER)
    assert [turned.keys.keys[arn].state for arn in (KEY, EARLIER[1])] == ["Enabled"] * 2


def test_nothing_is_erased_while_an_earlier_key_can_come_back(turned: Leaver) -> None:
    turned.go("close")
    turned.clock.pass_days(5)
    turned.go("close", earlierKeys=EARLIER)
    turned.clock.pass_days(3)
    before = everything(turned)
    with pytest.raises(OffboardingError, match=f"its key {EARLIER[0]} exists until 2026-11-14.*, its key"):
        turned.go("erase", earlierKeys=EARLIER)
    assert everything(turned) == before
    assert turned.sessions == []


def test_the_certificate_names_every_key_with_its_date(turned: Leaver) -> None:
    turned.databases.automated[turned.own] = [Backups(turned.own, EARLIER[0], turned.clock.now, 14)]
    turned.go("close", earlierKeys=EARLIER)
    turned.clock.pass_days(8)
    del turned.keys.keys[EARLIER[1]]  # KMS knows nothing of it any more
    turned.go("erase", instances=[turned.own], earlierKeys=EARLIER)
    deleted_by_the_program(turned)
    turned.keys.keys[EARLIER[0]] = Key("Enabled")
    with pytest.raises(OffboardingError, match=f"there is still: key {EARLIER[0]}$"):
        turned.go("certify")
    del turned.keys.keys[EARLIER[0]]
    answer, found = turned.go("certify"), certificate(turned)
    assert verify(found)
    until = "2026-11-09T12:00:00+00:00"
    assert found["earlierKeys"] == [{"arn": a, "state": "Deleted", "deletionDate": until} for a in EARLIER]
    assert (found["key"]["arn"], found["key"]["deletionDate"]) == (KEY, until)
    assert answer["earlierKeys"] == found["earlierKeys"]
    assert [v["what"] for v in found["verified"] if v["what"].startswith("key ")] == [
        f"key {arn}" for arn in EVERY
    ]
    (silo,) = [b for b in found["remaining"] if b["name"] == turned.own]
    assert silo["readable"] is False, "it is under a key that is gone, though not the last one"


def test_a_report_from_before_earlier_keys_counted_is_certified_as_it_is(leaver: Leaver) -> None:
    erased(leaver)
    place = f"tenants/{leaver.tenant}/erased.json"
    report = leaver.document(leaver.evidence, place)
    del report["earlierKeys"]
    leaver.objects.put(leaver.evidence, place, json.dumps(report).encode())
    deleted_by_the_program(leaver)
    assert leaver.go("certify")["earlierKeys"] == []


# erased


def everything(leaver: Leaver) -> Any:
    return (
        leaver.peek(f"SELECT relname FROM pg_class WHERE relnamespace = '{leaver.role}'::regnamespace"),
        leaver.objects.content(leaver.bucket),
        leaver.databases.kept[leaver.own],
    )


@pytest.mark.parametrize("days", [None, 0, 6])
def test_nothing_is_erased_while_the_key_can_come_back(leaver: Leaver, days: int | None) -> None:
    if days is not None:
        leaver.go("close")
        leaver.clock.pass_days(days)
    before = everything(leaver)
    says = "is not scheduled" if days is None else r"exists until 2026-11-09T12:00:00\+00:00"
    with pytest.raises(OffboardingError, match=says):
        leaver.go("erase")
    assert everything(leaver) == before
    assert leaver.sessions == []


def of_bolt(leaver: Leaver) -> Any:
    shard = leaver.shard
    role = shard.role(shard.bolt)
    made = (
        "SELECT c.relname, c.relacl::text FROM pg_class c"
        f" WHERE c.relnamespace = '{role}'::regnamespace ORDER BY 1"
    )
    return (
        leaver.peek(made),
        shard.run(shard.bolt, "SELECT (t.*)::text FROM customers t ORDER BY 1"),
        leaver.peek(f"SELECT nspacl::text FROM pg_namespace WHERE nspname = '{role}'"),
    )


def test_everything_goes_and_the_neighbour_notices_nothing(leaver: Leaver) -> None:
    before = of_bolt(leaver)
    moved(leaver, leaver.role)
    assert of_moves(leaver) == 6
    answer = erased(leaver)
    assert of_moves(leaver) == 0
    assert (
        leaver.peek(
            f"SELECT 1 FROM pg_roles WHERE rolname = '{leaver.role}' UNION ALL"
            f" SELECT 1 FROM pg_namespace WHERE nspname = '{leaver.role}'"
        )
        == []
    )
    assert leaver.objects.buckets[leaver.bucket] == leaver.objects.buckets[leaver.handover] == []
    assert leaver.objects.begun[leaver.bucket] == []
    assert [s.name for s in leaver.databases.kept[leaver.own]] == ["rds:x"]
    assert len(leaver.databases.kept["shard"]) == 2
    assert of_bolt(leaver) == before
    assert {k: answer[k] for k in ("stores", "objects", "snapshots", "remaining")} == {
        "stores": 5, "objects": 9, "snapshots": 1, "remaining": 3,
    }  # fmt: skip


def test_the_report_names_it_all(leaver: Leaver) -> None:
    erased(leaver)
    report = leaver.document(leaver.evidence, f"tenants/{leaver.tenant}/erased.json")
    now = "2026-11-10T12:00:00+00:00"
    assert report["complete"] is True
    assert report["key"] == {
        "arn": KEY, "state": "PendingDeletion", "deletionDate": "2026-11-09T12:00:00+00:00",
    }  # fmt: skip
    database = leaver.shard.database
    assert report["stores"] == [
        {
            "kind": "schema", "name": f"{HOST}:5432/{database}/{leaver.role}", "host": HOST,
            "database": database, "schema": leaver.role,
        },
        {"kind": "bucket", "name": leaver.bucket, "objects": 8},
        {"kind": "bucket", "name": leaver.handover, "objects": 1},
        {"kind": "instance", "name": leaver.own},
        {"kind": "secret", "name": leaver.shard.secret_arn(leaver.tenant)},
    ]  # fmt: skip
    assert [{k: b.get(k) for k in ("name", "deleted", "until", "readable")} for b in report["backups"]] == [
        {"name": "shard", "deleted": None, "until": "2026-11-17T12:00:00+00:00", "readable": True},
        {"name": "before-upgrade", "deleted": None, "until": None, "readable": True},
        {"name": f"{leaver.own}-final", "deleted": now, "until": None, "readable": None},
        {"name": leaver.own, "deleted": None, "until": "2026-11-16T12:00:00+00:00", "readable": False},
    ]
    assert {s["at"] for s in report["steps"]} == {now}
    assert [s["step"] for s in report["steps"]][:2] == ["key gone", "schema and role"]


def test_killed_at_every_step_all_is_gone_and_nothing_is_forgotten(leaver: Leaver) -> None:
    moved(leaver, leaver.role)
    before = of_bolt(leaver)
    closed(leaver)
    answer, killed = leaver.through("erase", instances=[leaver.own])
    assert len(killed) >= 8
    assert (answer["objects"], answer["snapshots"], answer["remaining"]) == (9, 1, 3)
    assert of_moves(leaver) == 0
    assert leaver.objects.buckets[leaver.bucket] == []
    assert of_bolt(leaver) == before


def test_erased_again_the_report_stays(leaver: Leaver) -> None:
    erased(leaver)
    before = leaver.objects.content(leaver.evidence)
    leaver.clock.pass_days(1)
    del leaver.keys.keys[KEY]
    leaver.go("erase", instances=[leaver.own])
    assert leaver.objects.content(leaver.evidence) == before
    late = Snapshot(f"{leaver.own}-late", "manual", KEY)
    leaver.databases.kept[leaver.own].append(late)
    assert leaver.go("erase", instances=[leaver.own])["snapshots"] == 2
    assert late not in leaver.databases.kept[leaver.own]


def test_of_a_database_of_its_own_only_backups_are_left_to_erase(leaver: Leaver) -> None:
    """It cannot be opened any more: its storage was encrypted under the key that is gone."""
    nothing = dict.fromkeys(("host", "port", "database", "masterSecret"))
    answer = erased(leaver, **nothing)
    assert leaver.sessions == []
    assert (answer["stores"], answer["snapshots"], answer["remaining"]) == (4, 1, 1)


def test_an_object_that_stays_ends_the_stage(leaver: Leaver) -> None:
    closed(leaver)
    leaver.objects.purge = lambda _bucket, _versions: None  # type: ignore[method-assign]
    with pytest.raises(
        OffboardingError, match=f"bucket {leaver.bucket} still holds 3 versions that do not go"
    ):
        leaver.go("erase")
    with pytest.raises(OffboardingError, match="was not erased to the end"):
        leaver.go("certify")


# certified


def test_what_is_still_there_is_named_and_nothing_certified(leaver: Leaver) -> None:
    erased(leaver)
    leaver.keys.keys[KEY] = Key("Enabled")
    leaver.databases.instances[leaver.own] = Instance(leaver.own, KEY, 7)
    leaver.databases.kept[leaver.own].append(Snapshot("one-more", "manual", KEY))
    secret = leaver.shard.secret_arn(leaver.tenant)
    leaver.secrets.arns.add(secret)
    with pytest.raises(OffboardingError, match="is not gone, there is still: ") as refused:
        leaver.go("certify")
    names = (
        f"key {KEY}", f"bucket {leaver.bucket}", f"bucket {leaver.handover}", f"instance {leaver.own}",
        "snapshot one-more", f"secret {secret}",
    )  # fmt: skip
    assert str(refused.value).partition("still: ")[2] == ", ".join(names)
    assert f"tenants/{leaver.tenant}/certificate.json" not in leaver.objects.content(leaver.evidence)


def certificate(leaver: Leaver) -> dict[str, Any]:
    return leaver.document(leaver.evidence, f"tenants/{leaver.tenant}/certificate.json")


def test_a_certificate_says_what_is_gone_and_what_remains(leaver: Leaver) -> None:
    erased(leaver)
    deleted_by_the_program(leaver)
    answer = leaver.go("certify")
    found = certificate(leaver)
    assert verify(found)
    assert answer["sha256"] == found["sha256"]
    assert (found["tenant"], found["key"]["arn"]) == (leaver.tenant, KEY)
    assert [b["name"] for b in found["backups"]] == [f"{leaver.own}-final"]
    assert [b["name"] for b in answer["remaining"]] == ["shard", "before-upgrade", leaver.own]
    assert {v["what"].partition(" ")[0] for v in found["verified"]} == {
        "key", "schema", "bucket", "instance", "secret",
    }  # fmt: skip


def test_a_certificate_is_given_once(leaver: Leaver) -> None:
    erased(leaver)
    deleted_by_the_program(leaver)
    answer, killed = leaver.through("certify")
    assert len(killed) == 3
    leaver.clock.pass_days(100)
    before = leaver.objects.content(leaver.evidence)
    assert {**leaver.go("certify"), "steps": None} == {**answer, "steps": None}
    assert leaver.objects.content(leaver.evidence) == before


def test_a_certificate_that_was_changed_is_not_taken_for_one(leaver: Leaver) -> None:
    erased(leaver)
    deleted_by_the_program(leaver)
    leaver.go("certify")
    changed = {**certificate(leaver), "remaining": []}
    leaver.objects.put(
        leaver.evidence, f"tenants/{leaver.tenant}/certificate.json", json.dumps(changed).encode()
    )
    with pytest.raises(OffboardingError, match="was changed after it was written"):
        leaver.go("certify")
    assert certificate(leaver) == changed


def test_a_stage_that_ends_does_nothing(leaver: Leaver) -> None:
    before = dataclasses.replace(leaver.keys)
    for stage in ("export", "keep", "close", "erase", "certify"):
        answer = leaver.go(stage, lifecycle={"action": "delete"}, forgotten=1)
        assert answer == {"tenant": leaver.tenant, "stage": stage, "deleted": True}
    assert leaver.keys == before
