"""How far a lifecycle call has come, read without an engine: from AWS by its command, or from the sandbox."""

import json
from pathlib import Path

import pytest

from cli.calls_in_progress import calls_in_progress
from sandbox.aws.parameters import put_parameter
from sandbox.cloud.store import FILE, Store

PATH = "/tenantry/dev/calls/harbour-pay"
GOING_ON = json.dumps({"goesOn": {"progress": "3 of 8 tables are copied", "at": "2026-11-29T09:30:00+00:00"}})
SAID = {"move": "3 of 8 tables are copied (2026-11-29T09:30:00+00:00)"}
DONE = json.dumps({"asked": "a" * 64, "attempt": "one", "result": {"goesOn": False}})


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program `aws` that answers with what lies beside it, and notes what it was asked."""
    monkeypatch.delenv("SANDBOX_DIR", raising=False)
    program = tmp_path / "aws"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncat {tmp_path}/answer\n', "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_aws_is_asked_for_the_records_of_the_tenant(aws: Path) -> None:
    records = {"move": GOING_ON, "offboarding": DONE, "rekey": "no record"}
    found = [{"Name": f"{PATH}/{call}", "Value": text} for call, text in records.items()]
    (aws / "answer").write_text(json.dumps({"Parameters": found}), "utf-8")
    assert calls_in_progress("dev", "harbour-pay") == SAID
    assert f"ssm get-parameters-by-path --path {PATH}" in (aws / "asked").read_text("utf-8")


@pytest.mark.parametrize("answer", ["", "An error occurred", '{"Parameters": []}'])
def test_what_aws_cannot_say_is_not_known(aws: Path, answer: str) -> None:
    (aws / "answer").write_text(answer, "utf-8")
    assert calls_in_progress("dev", "harbour-pay") == {}


def test_without_the_command_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANDBOX_DIR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert calls_in_progress("dev", "harbour-pay") == {}


def test_the_sandbox_is_read_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_DIR", str(tmp_path))
    assert calls_in_progress("dev", "harbour-pay") == {}
    store = Store(tmp_path / FILE, "111122223333", "eu-west-1")
    put_parameter(store, f"{PATH}/move", GOING_ON)
    put_parameter(store, f"{PATH}-two/move", GOING_ON)
    store.close()
    assert calls_in_progress("dev", "harbour-pay") == SAID
