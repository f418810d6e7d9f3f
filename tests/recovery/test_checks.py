"""The wrong place, a lock of somebody alive, a cut-off file: refused or mended before anything changes."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from recovery import checks, copies
from recovery.checks import require_same_account_and_region
from recovery.engine import RecoveryError, Stack
from recovery.locks import dead_locks, release_locks
from recovery.mend import repair_state

NOBODY = 2**22 + 1  # above Linux's largest process id


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    (tmp_path / "Pulumi.yaml").write_text("name: p\n", encoding="utf-8")
    config = 'config: {"p:accountId": "111122223333", "p:region": eu-west-1}\n'
    (tmp_path / "Pulumi.dev.yaml").write_text(config, encoding="utf-8")
    backend = tmp_path / "backend"
    (backend / ".pulumi" / "stacks" / "p").mkdir(parents=True)
    return Stack("dev", tmp_path, {"PULUMI_BACKEND_URL": backend.as_uri()})


def state_of(account: str = "111122223333", region: str = "eu-west-1") -> dict[str, Any]:
    inputs = {"region": region, "allowedAccountIds": json.dumps([account])}
    urn = "urn:pulumi:dev::p::pulumi:providers:aws::aws"
    return {"resources": [{"urn": urn, "type": "pulumi:providers:aws", "inputs": inputs}]}


def test_the_right_place_is_let_through(stack: Stack) -> None:
    require_same_account_and_region(stack, state_of(), lambda: "111122223333")
    require_same_account_and_region(stack, {}, lambda: None)


@pytest.mark.parametrize(
    ("state", "caller", "message"),
    [
        (
            state_of("999999999999"),
            None,
            r"in account 999999999999, and Pulumi\.dev\.yaml names 111122223333",
        ),
        (state_of(region="us-east-1"), None, r"in Region us-east-1, and Pulumi\.dev\.yaml names eu-west-1"),
        (
            state_of(),
            "999999999999",
            r"expected the credentials of account 111122223333, found those of 9{12}",
        ),
    ],
)
def test_another_place_names_what_was_expected_and_what_was_found(
    stack: Stack, state: dict[str, Any], caller: str | None, message: str
) -> None:
    with pytest.raises(RecoveryError, match=message + r".*nothing was changed"):
        require_same_account_and_region(stack, state, lambda: caller)


def test_the_account_of_the_credentials_is_asked_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "eu-west-1"}
    for key, value in keys.items():
        monkeypatch.setenv(key, value)
    with mock_aws():
        assert checks.caller_account(keys) == boto3.client("sts").get_caller_identity()["Account"]
    assert checks.caller_account({}) is None


def put_lock(stack: Stack, pid: int, host: str) -> Path:
    path = Path(str(stack.files)) / "locks" / "organization" / "p" / "dev" / "x.json"
    path.parent.mkdir(parents=True)
    owner = {"pid": pid, "username": "kim", "hostname": host, "timestamp": "2026-11-23T10:00:00Z"}
    path.write_text(json.dumps(owner), encoding="utf-8")
    return path


def test_the_lock_of_a_dead_process_of_this_host_goes(stack: Stack) -> None:
    path = put_lock(stack, NOBODY, socket.gethostname())
    (result,) = release_locks(dead_locks(stack))
    assert f"process {NOBODY} of kim" in result
    assert not path.exists()


def test_the_lock_of_another_process_with_the_number_is_no_lock_of_it(stack: Stack) -> None:
    put_lock(stack, os.getpid(), socket.gethostname())  # this is no pulumi
    assert len(dead_locks(stack)) == 1


def test_the_lock_of_another_host_stays_and_its_owner_is_named(stack: Stack) -> None:
    path = put_lock(stack, NOBODY, "far-away")
    with pytest.raises(
        RecoveryError, match=rf"{NOBODY} of kim on far-away, since 2026.*pulumi cancel.*nothing"
    ):
        dead_locks(stack)
    assert path.exists()


def test_the_lock_of_a_run_stays(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.locks.is_running_engine", lambda pid: pid == 7)
    path = put_lock(stack, 7, socket.gethostname())
    with pytest.raises(RecoveryError, match=r"a run is on its way: process 7 of kim.*kill -INT 7"):
        dead_locks(stack)
    assert path.exists()


def test_attributes_that_were_cut_off_go_and_a_state_that_was_comes_from_its_backup(stack: Stack) -> None:
    folder = Path(str(stack.files)) / "stacks" / "p"
    whole, attributes = folder / "dev.json", folder / "dev.json.attrs"
    whole.write_text('{"a": 1}', encoding="utf-8")
    attributes.write_text("", encoding="utf-8")
    assert repair_state(stack) == ["removed dev.json.attrs, which was cut off; dev.json itself is whole"]
    assert not attributes.exists()
    assert repair_state(stack) == []
    (folder / "dev.json.bak").write_text('{"a": 0}', encoding="utf-8")
    whole.write_text('{"a": ', encoding="utf-8")
    assert "took the engine's backup" in repair_state(stack)[0]
    assert json.loads(whole.read_text(encoding="utf-8")) == {"a": 0}
    for path in (whole, folder / "dev.json.bak"):
        path.write_text("", encoding="utf-8")
    with pytest.raises(RecoveryError, match=r"is cut off, and so is .*recover restore dev"):
        repair_state(stack)


def put_state(stack: Stack, count: int) -> None:
    found = [{"urn": f"urn:pulumi:dev::p::t::{i}", "type": "t"} for i in range(count)]
    path = Path(str(stack.files)) / "stacks" / "p" / "dev.json"
    path.write_text(json.dumps({"checkpoint": {"latest": {"resources": found}}}), encoding="utf-8")


def test_copies_are_kept_in_order_for_their_owner_alone_and_the_oldest_go(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "KEPT", 3)
    for count in range(1, 6):
        put_state(stack, count)
        saved = copies.save_copy(stack, "up")
        assert saved
        assert saved.stat().st_mode & 0o077 == 0
    kept = copies.copies(stack)
    assert [copies.describe_copy(p).split("  ")[1] for p in kept] == [f"{n} resources" for n in (3, 4, 5)]
    assert copies.find_copy(stack, kept[0].stem) == kept[0]
    with pytest.raises(RecoveryError, match=r"there is no copy nope; the newest are: 2"):
        copies.find_copy(stack, "nope")


def test_an_empty_state_is_not_copied(stack: Stack) -> None:
    put_state(stack, 0)
    assert copies.save_copy(stack, "up") is None


def test_a_copy_of_another_stack_is_refused(stack: Stack) -> None:
    other = {"resources": [{"urn": "urn:pulumi:prod::p::t::x", "type": "t"}]}
    with pytest.raises(
        RecoveryError, match=r"expected a copy of urn:pulumi:dev::p::.*found urn:pulumi:prod::p"
    ):
        copies.require_copy_of_stack(stack, other)
