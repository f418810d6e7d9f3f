"""Updates that failed are refreshed before the next plan, and nothing else is."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from recovery.engine import RecoveryError, Stack
from recovery.failed_updates import failed_updates, refresh_failed_updates

DONE = {"urn": "urn:pulumi:dev::p::aws:sqs/queue:Queue::done"}
FAILED = {"urn": "urn:pulumi:dev::p::aws:sqs/queue:Queue::failed", "initErrors": ["AccessDenied"]}


class Recorded(Stack):
    """A stack whose engine is a list of calls."""

    calls: list[tuple[str, ...]]
    status: int

    def export(self) -> dict[str, Any]:
        assert self.state_file
        return json.loads(self.state_file.read_text("utf-8"))["checkpoint"]["latest"]

    def pulumi(self, *args: str) -> tuple[int, str]:
        self.calls.append(args)
        return self.status, "error: AccessDenied"


def test_a_stack_that_is_new_has_nothing_to_refresh(tmp_path: Path) -> None:
    made = stack(tmp_path, [DONE])
    assert made.state_file
    made.state_file.rename(made.state_file.with_suffix(".json.bak"))
    refresh_failed_updates(made, print)
    assert made.calls == []


def stack(folder: Path, resources: Sequence[dict[str, Any]], status: int = 0) -> Recorded:
    (folder / "Pulumi.yaml").write_text("name: p\n", "utf-8")
    state = folder / "backend" / ".pulumi" / "stacks" / "p" / "dev.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"checkpoint": {"latest": {"resources": list(resources)}}}), "utf-8")
    made = Recorded("dev", folder, {"PULUMI_BACKEND_URL": (folder / "backend").as_uri()})
    object.__setattr__(made, "calls", [])
    object.__setattr__(made, "status", status)
    return made


def test_the_resources_with_errors_are_those_whose_update_failed() -> None:
    assert failed_updates({"resources": [DONE, FAILED]}) == [FAILED["urn"]]
    assert failed_updates({}) == []


def test_only_what_failed_is_refreshed(tmp_path: Path) -> None:
    found, result = stack(tmp_path, [DONE, FAILED]), list[str]()
    refresh_failed_updates(found, result.append)
    ((verb, *words),) = found.calls
    assert verb == "refresh"
    assert words[-2:] == ["--target", FAILED["urn"]]
    assert result == ["dev: the last update of failed failed; reading what the cloud has"]


def test_where_nothing_failed_the_engine_is_not_called(tmp_path: Path) -> None:
    found = stack(tmp_path, [DONE])
    refresh_failed_updates(found, pytest.fail)
    assert found.calls == []


def test_a_refresh_that_fails_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(RecoveryError, match="what failed cannot be refreshed: AccessDenied"):
        refresh_failed_updates(stack(tmp_path, [FAILED], status=1), lambda _: None)
