"""The engine goes through a stack once where nothing changes, and twice wherever anything may have."""

import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devtools import unchanged_stack
from recovery import locks
from recovery.engine import Stack


@dataclass
class Checkout:
    """A project whose stack was just updated by a run that ended well."""

    project: Path
    home: Path
    stack: Stack
    events: Path

    @property
    def state(self) -> Path:
        assert self.stack.state_file
        return self.stack.state_file

    def plan(self, *events: dict[str, Any]) -> None:
        self.events.write_text("".join(json.dumps(e) + "\n" for e in events), encoding="utf-8")

    def unchanged(self) -> bool:
        program = unchanged_stack.program_digest(self.project)
        return unchanged_stack.is_unchanged(self.home, self.stack, program, self.events)


def step(op: str = "same", kind: str = "resourcePreEvent", **sides: object) -> dict[str, Any]:
    return {"sequence": 1, kind: {"metadata": {"op": op, "urn": "urn:pulumi:dev::t::a:b:C::x", **sides}}}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    project, home = tmp_path / "project", tmp_path / "sandbox"
    (project / "plan").mkdir(parents=True)
    (project / "Pulumi.yaml").write_text("name: small\n", encoding="utf-8")
    (project / "plan" / "cell.py").write_text("ZONES = 3\n", encoding="utf-8")
    state = home / "state" / ".pulumi" / "stacks" / "small" / "dev.json"
    state.parent.mkdir(parents=True)
    state.write_text('{"checkpoint": {}}', encoding="utf-8")
    stack = Stack("dev", project, {"PULUMI_BACKEND_URL": (home / "state").as_uri()})
    made = Checkout(project, home, stack, home / "dev.events")
    made.plan(step(), step(kind="resOutputsEvent", old={"outputs": {"n": 1}}, new={"outputs": {"n": 1}}))
    unchanged_stack.record_update(home, stack, unchanged_stack.program_digest(project))
    return made


def test_after_a_run_that_ended_well_the_same_again_is_unchanged(checkout: Checkout) -> None:
    assert checkout.unchanged()
    assert checkout.unchanged()


EDITS: dict[str, Callable[[Checkout], object]] = {
    "a source was edited": lambda c: (c.project / "plan" / "cell.py").write_text("ZONES = 2\n", "utf-8"),
    "a file was added": lambda c: (c.project / "Pulumi.dev.yaml").write_text("config: {}\n", "utf-8"),
    "a file is gone": lambda c: (c.project / "plan" / "cell.py").unlink(),
    "a file was renamed": lambda c: (c.project / "plan" / "cell.py").rename(c.project / "plan" / "all.py"),
    "the state was written": lambda c: c.state.write_text('{"checkpoint": {"latest": {}}}', "utf-8"),
    "the state is gone": lambda c: c.state.unlink(),
    "another run began": lambda c: unchanged_stack.discard_record(c.home, "dev"),
    "a resource would be made": lambda c: c.plan(step(), step("create")),
    "a resource would be read": lambda c: c.plan(step(), step("read")),
    "an output would change": lambda c: c.plan(
        step(), step(kind="resOutputsEvent", old={"outputs": {"n": 1}}, new={"outputs": {"n": 2}})
    ),
    "the plan is empty": lambda c: c.plan(),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_it_is_not_unchanged_where(checkout: Checkout, edit: Callable[[Checkout], object]) -> None:
    edit(checkout)
    assert not checkout.unchanged()


def test_what_nothing_reads_may_change(checkout: Checkout) -> None:
    (checkout.project / "docs").mkdir()
    (checkout.project / "docs" / "tour.md").write_text("# Tour\n", "utf-8")
    (checkout.project / ".sandbox").mkdir()
    (checkout.project / ".sandbox" / "lock").write_text("", "utf-8")
    assert checkout.unchanged()


def test_a_run_that_is_on_its_way_is_not_passed_by(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "is_running_engine", lambda pid: pid == os.getpid())
    folder = checkout.home / "state" / ".pulumi" / "locks" / "organization" / "small" / "dev"
    folder.mkdir(parents=True)
    owner = {"pid": os.getpid(), "username": "me", "hostname": socket.gethostname(), "timestamp": "now"}
    (folder / "1.json").write_text(json.dumps(owner), "utf-8")
    assert not checkout.unchanged()
