"""A change whose plan nobody could look at is not made."""

import json
from pathlib import Path

import pytest

from devtools import engine, policy_preview

URN, KIND = "urn:pulumi:dev::tenantry::aws:rds/instance:Instance::it", "aws:rds/instance:Instance"
HELD = json.dumps({"urn": URN, "type": KIND, "inputs": {}})
STEP = (
    f'{{"sequence": 1, "resourcePreEvent": {{"metadata": {{"op": "%s", "urn": "{URN}", "type": "{KIND}",'
    f' "old": {HELD}, "new": {HELD}}}}}}}\n'
)


@pytest.fixture(autouse=True)
def planned_in_checkout(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger that a refused plan must not change is that of the tests' checkout."""
    monkeypatch.setattr(policy_preview, "ROOT", checkout)


@pytest.mark.parametrize(
    ("log", "engines", "status"),
    [
        (None, 0, 1),  # the engine was content, and left no record
        ("", 0, 1),
        (None, 255, 255),  # it failed before it had a plan, and has said why
        (STEP % "create", 0, 0),
        (STEP % "create", 255, 255),
        (STEP % "delete", 0, 1),
        (STEP % "delete", 255, 1),
    ],
)
def test_only_a_plan_that_was_looked_at_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    log: str | None,
    engines: int,
    status: int,
) -> None:
    file = tmp_path / "plans" / "dev.events"

    def run(args: tuple[str, ...], env: object, cwd: Path) -> int:
        assert args[args.index("--event-log") + 1] == str(file)
        if log is not None:
            file.write_text(log, "utf-8")
        return engines

    monkeypatch.setattr(engine, "run", run)
    monkeypatch.setattr(policy_preview, "plan_file", lambda _: file)
    monkeypatch.setattr(policy_preview, "exported_state", lambda *_: None)
    assert policy_preview.preview_and_judge("dev", {}, ()) == status
    result = capfd.readouterr().err
    assert ("left no record of its plan" in result) is (engines == 0 and not log)
    assert ("holds a database" in result) is bool(log and "delete" in log)
    assert (f"tenantry policy approve {file}" in result) is bool(log and "delete" in log)


def test_the_record_of_an_earlier_plan_is_not_taken_for_this_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "dev.events"
    file.write_text(STEP % "create", "utf-8")
    monkeypatch.setattr(engine, "run", lambda *_: 0)
    monkeypatch.setattr(policy_preview, "plan_file", lambda _: file)
    assert policy_preview.preview_and_judge("dev", {}, ()) == 1
