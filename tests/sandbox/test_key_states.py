"""Keys on their way out: who may send them there, what they refuse meanwhile, and what is left at the end."""

import datetime
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from cli.sandbox.app import app
from sandbox.aws.cloud import Cloud, CloudError
from sandbox.aws.key_lifecycle import KEY, keys_pending_deletion
from sandbox.cloud import clock
from sandbox.cloud.store import FILE, Row, Store
from sandbox.data_plane.endpoint.secrets_manager import SECRET
from sandbox.data_plane.secret_store import WrongCiphertext
from sandbox.data_plane.service import Service
from tests.sandbox.live import ACCOUNT, REGION, Live, refused
from tests.sandbox.test_endpoint import key_of, secret_of

A = "amber-pay"
MINE = {"tenant": A}
DAY = datetime.timedelta(days=1)


def row_of(live: Live) -> Row:
    return live.row(KEY, f"{A}-identity-key")


def scheduled(live: Live, **more: Any) -> Any:
    return live.administrator("kms").schedule_key_deletion(KeyId=key_of(live, A), **more)


def test_a_key_waits_thirty_days_unless_told_otherwise_and_is_told_once(live: Live) -> None:
    kms, arn = live.administrator("kms"), key_of(live, A)
    for days, words in ((6, "greater than or equal to 7"), (31, "less than or equal to 30")):
        with pytest.raises(ClientError, match=f"ValidationException.*{words}"):
            kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=days)
    result = kms.schedule_key_deletion(KeyId=arn)
    assert (result["KeyId"], result["KeyState"], result["PendingWindowInDays"]) == (
        arn,
        "PendingDeletion",
        30,
    )
    assert abs(result["DeletionDate"] - live.store.now() - 30 * DAY) < DAY / 24
    about = kms.describe_key(KeyId=arn)["KeyMetadata"]
    assert (about["KeyState"], about["Enabled"]) == ("PendingDeletion", False)
    assert about["DeletionDate"] == result["DeletionDate"]
    for again in (kms.schedule_key_deletion, kms.enable_key, kms.disable_key):
        with pytest.raises(ClientError, match=rf"KMSInvalidStateException.*{arn} is pending deletion\."):
            again(KeyId=arn)


def test_while_it_waits_it_opens_nothing_and_nothing_is_made_under_it(live: Live) -> None:
    kms, arn, secret = live.tenant("kms", A), key_of(live, A), secret_of(live, A)
    blob = kms.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext=MINE)["CiphertextBlob"]
    live.client("secretsmanager", "bootstrap").put_secret_value(SecretId=secret, SecretString="one")
    scheduled(live)
    for call in (
        lambda: kms.decrypt(CiphertextBlob=blob, EncryptionContext=MINE),
        lambda: kms.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext=MINE),
        lambda: live.tenant("secretsmanager", A).get_secret_value(SecretId=secret),
    ):
        with pytest.raises(ClientError, match=r"KMSInvalidStateException.*is pending deletion"):
            call()
    with pytest.raises(CloudError, match=r"KMSInvalidStateException: .* is pending deletion"):
        Cloud(live.store, {}).create(
            SECRET, f"urn:pulumi:dev::t::{SECRET}::s", {"name": "s", "kmsKeyId": arn}
        )


def test_what_is_taken_back_is_off_until_it_is_turned_on(live: Live) -> None:
    kms, arn, alias = live.administrator("kms"), key_of(live, A), f"alias/{row_of(live).id}"
    blob = live.tenant("kms", A).encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext=MINE)["CiphertextBlob"]
    with pytest.raises(ClientError, match=rf"KMSInvalidStateException.*{arn} is not pending deletion\."):
        kms.cancel_key_deletion(KeyId=arn)
    with pytest.raises(ClientError, match=r"NotFoundException.*Invalid keyId alias/"):
        kms.disable_key(KeyId=alias)
    scheduled(live)
    assert kms.cancel_key_deletion(KeyId=arn)["KeyId"] == arn
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    with pytest.raises(ClientError, match=r"DisabledException.*is disabled\."):
        live.tenant("kms", A).decrypt(CiphertextBlob=blob, EncryptionContext=MINE)
    kms.enable_key(KeyId=arn)
    opened = live.tenant("kms", A).decrypt(CiphertextBlob=blob, EncryptionContext=MINE)
    assert opened["Plaintext"] == b"x"


def test_a_key_that_somebody_turned_off_is_turned_on_by_the_next_run(live: Live) -> None:
    cloud, before = Cloud(live.store, {}), row_of(live)
    live.administrator("kms").disable_key(KeyId=before.id)
    seen = row_of(live)
    assert cloud.diff(KEY, seen.inputs, seen.outputs, before.inputs, []).keys == {"isEnabled"}
    cloud.update(KEY, before.id, before.urn, before.inputs)
    assert row_of(live).outputs["isEnabled"] is True


def test_after_its_day_it_is_gone_with_its_aliases_and_all_that_lies_under_it(live: Live) -> None:
    kms, arn, row = live.tenant("kms", A), key_of(live, A), row_of(live)
    aliases = [r for r in live.store.all("aws:kms/alias:Alias") if r.inputs["targetKeyId"] == row.id]
    assert aliases
    blob = kms.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext=MINE)["CiphertextBlob"]
    sealed = live.vault.encrypt(arn, b"of amber", {})
    scheduled(live, PendingWindowInDays=7)
    live.store.move_clock(6.9)
    kms = live.tenant("kms", A)
    assert live.administrator("kms").describe_key(KeyId=str(aliases[0].outputs["name"]))["KeyMetadata"]
    assert live.vault.decrypt(arn, sealed, {}) == b"of amber"
    live.store.move_clock(0.2)
    with pytest.raises(ClientError, match=f"NotFoundException.*Key '{arn}' does not exist"):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext=MINE)
    with pytest.raises(ClientError, match="NotFoundException"):
        live.administrator("kms").cancel_key_deletion(KeyId=arn)
    with pytest.raises(WrongCiphertext, match=arn):
        live.vault.decrypt(arn, sealed, {})
    assert [live.store.get(a.type, a.id) for a in aliases] == [None] * len(aliases)


def test_for_the_provider_it_is_gone_at_once_and_its_day_stays(live: Live) -> None:
    cloud, row = Cloud(live.store, {}), row_of(live)
    first = scheduled(live, PendingWindowInDays=7)["DeletionDate"]
    assert cloud.read(KEY, row.id) is None
    cloud.delete(KEY, row.id)
    about = live.administrator("kms").describe_key(KeyId=row.id)["KeyMetadata"]
    assert about["DeletionDate"] == first


def test_what_the_provider_deletes_can_be_taken_back(live: Live) -> None:
    cloud, row, arn = Cloud(live.store, {}), row_of(live), key_of(live, A)
    sealed = live.vault.encrypt(arn, b"of amber", {})
    cloud.delete(KEY, row.id)
    about = live.administrator("kms").describe_key(KeyId=arn)["KeyMetadata"]
    assert abs(about["DeletionDate"] - live.store.now() - 30 * DAY) < DAY / 24
    live.administrator("kms").cancel_key_deletion(KeyId=arn)
    found = cloud.read(KEY, row.id)
    assert found is not None
    assert (found.urn, found.outputs["isEnabled"]) == (row.urn, False)
    assert live.vault.decrypt(arn, sealed, {}) == b"of amber"


def test_no_role_of_the_platform_ends_a_key_in_use(live: Live) -> None:
    """Whatever its own policies say: only one that its tenant leaves, at the stage that closes it, may go."""
    live.widen(f"tenant-{A}")
    kms, arn = live.tenant("kms", A), key_of(live, A)
    for call in (kms.schedule_key_deletion, kms.disable_key):
        assert "not authorized to perform: kms:" in refused(lambda call=call: call(KeyId=arn))
    assert row_of(live).outputs["isEnabled"] is True


def test_a_policy_may_ask_for_a_longer_wait(live: Live) -> None:
    """Service authorization reference, AWS KMS, condition keys."""
    longer = {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}}
    deny = {"Sid": "Slow", "Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion"}
    deny |= {"Resource": "*", "Condition": longer}
    live.edit(row_of(live), "policy", lambda statements: [*statements, deny])
    assert "explicit deny" in refused(lambda: scheduled(live, PendingWindowInDays=29))
    assert scheduled(live, PendingWindowInDays=30)["KeyState"] == "PendingDeletion"


def test_a_run_that_ends_well_keeps_what_a_waiting_key_may_still_open(tmp_path: Path) -> None:
    service = Service(tmp_path)
    store = Store(tmp_path / FILE, ACCOUNT, REGION)
    cloud = Cloud(store, {})
    made, outputs = cloud.create(KEY, f"urn:pulumi:dev::t::{KEY}::k", {"deletionWindowInDays": 7})
    sealed = service.secret_store.encrypt(outputs["arn"], b"x", {})
    cloud.delete(KEY, made)
    service.sweep()
    assert service.secret_store.decrypt(outputs["arn"], sealed, {}) == b"x"
    store.move_clock(7.1)
    service.sweep()
    with pytest.raises(WrongCiphertext, match="key/"):
        service.secret_store.decrypt(outputs["arn"], sealed, {})
    assert keys_pending_deletion(store) == []


def test_a_key_that_a_killed_run_gave_back_outlives_its_day(tmp_path: Path) -> None:
    """Undone, the cloud has the key's row again, beside the trace of its deletion."""
    service, store = Service(tmp_path), Store(tmp_path / FILE, ACCOUNT, REGION)
    cloud = Cloud(store, {})
    made, outputs = cloud.create(KEY, f"urn:pulumi:dev::t::{KEY}::k", {})
    row = store.get(KEY, made)
    assert row is not None
    cloud.delete(KEY, made)
    store.put(row, handles=(row.id, outputs["arn"]))
    sealed = service.secret_store.encrypt(outputs["arn"], b"x", {})
    store.move_clock(31)
    service.sweep()
    assert service.secret_store.decrypt(outputs["arn"], sealed, {}) == b"x"
    given = {"name": "s", "kmsKeyId": outputs["arn"]}
    made, _ = cloud.create(SECRET, f"urn:pulumi:dev::t::{SECRET}::s", given)
    assert store.get(SECRET, made)


def test_the_command_lets_days_go_by_and_ends_what_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANTRY_SANDBOX_DIR", str(tmp_path))
    run = CliRunner().invoke
    assert "there is no sandbox yet" in run(app, ["clock"]).stderr
    store, vault = Store(tmp_path / FILE, ACCOUNT, REGION), Service(tmp_path).secret_store
    made, outputs = Cloud(store, {}).create(KEY, f"urn:pulumi:dev::t::{KEY}::k", {})
    sealed = vault.encrypt(outputs["arn"], b"x", {})
    Cloud(store, {}).delete(KEY, made)
    before = datetime.datetime.now(datetime.UTC)
    assert run(app, ["clock", "+31"]).stdout.startswith(f"{before + 31 * DAY:%Y-%m-%d}")
    assert run(app, ["clock"]).stdout.startswith(f"{before + 31 * DAY:%Y-%m-%d}")
    with pytest.raises(WrongCiphertext, match="key/"):
        vault.decrypt(outputs["arn"], sealed, {})


def test_the_clock_goes_forward_and_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    db = sqlite3.connect(":memory:")
    db.executescript(clock.SCHEMA)
    machine = [1000.0]
    monkeypatch.setattr("sandbox.cloud.clock.time.time", lambda: machine[0])

    def at(seconds: float) -> float:
        """The machine's time at this of the sandbox."""
        when = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
        return clock.of_the_machine(db, when).timestamp()

    clock.move(db, 7)
    machine[0] = 2000.0
    clock.move(db, 1)
    assert clock.now(db).timestamp() == 2000 + 8 * clock.DAY
    assert [at(900), at(1500 + 7 * clock.DAY), at(2500 + 8 * clock.DAY)] == [900, 1500, 2500]
    assert [at(5000), at(5000 + 7 * clock.DAY)] == [1000, 2000], "what was skipped"
    with pytest.raises(ValueError, match="forward only"):
        clock.move(db, -1)
