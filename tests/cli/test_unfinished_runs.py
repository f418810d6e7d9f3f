"""A stage is taken after the run of the one before it came to its end, as far as the engine can be asked."""

import datetime
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.tenants import app
from cli.unfinished_runs import unfinished_run
from tenants import open_registry
from tenants.phases import MOVING, Phase
from tenants.project import Project
from tenants.states import Move, PlacementKind

ID = "acme-pay"


@pytest.fixture
def root(at_rest: Path) -> Path:
    return at_rest


def call(root: Path, *words: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, [*words, "--root", str(root)], env={"COLUMNS": "1000"})
    assert result.exit_code == status, result.output
    return result


def asked_for(root: Path, *words: str) -> None:
    """A stage, and a run that got as far as the ledger."""
    call(root, *words)
    open_registry("dev", root=root, locked=False)


def answers(**outputs: Any) -> None:
    """A `pulumi` on PATH that knows these outputs of the stack."""
    path = Path(os.environ["PATH"]) / "pulumi"
    path.parent.mkdir(exist_ok=True)
    known = "".join(f"{name}) echo '{json.dumps(value)}';;\n" for name, value in outputs.items())
    path.write_text(f'#!/bin/sh\ncase "$3" in\n{known}*) exit 9;;\nesac\n', "utf-8")
    path.chmod(0o755)


def carried_out(stage: str) -> None:
    answers(moves={ID: {"stage": stage, "serves": "origin"}}, leaving={})


def registry(root: Path) -> str:
    return (root / "tenants/dev.yaml").read_text("utf-8")


def shown(root: Path) -> str:
    return call(root, "move", ID, "--status").stdout


def test_the_next_stage_waits_until_the_run_before_it_came_to_its_end(root: Path) -> None:
    answers(moves={}, leaving={})
    asked_for(root, "move", ID, "--to", "silo")
    refused = call(root, "move", ID, status=2).output
    assert f"the run of prepare has not come to its end, the last that did left {ID} at active" in refused
    carried_out("prepare")
    asked_for(root, "move", ID)
    before = registry(root)
    says = f"the run of replicate has not come to its end, the last that did left {ID} at prepare;"
    refused = call(root, "move", ID, status=2).output
    assert f"{says} run pulumi up -s dev until it does, before the next stage" in refused
    assert registry(root) == before
    assert f"not carried out: {says}" in shown(root)
    answer = json.loads(call(root, "move", ID, "--status", "--json").stdout)
    assert answer["undone"].startswith(says)
    assert f"  unfinished  {says}" in call(root, "show", ID).stdout
    assert json.loads(call(root, "show", ID, "--json").stdout)["undone"].startswith(says)
    carried_out("replicate")
    assert "not carried out" not in shown(root)
    assert "unfinished" not in call(root, "show", ID).stdout
    call(root, "move", ID)
    assert "stage: cutover" in registry(root)


def test_one_that_was_skipped_over_is_named_with_the_way_back(root: Path) -> None:
    for words in (("move", ID, "--to", "silo"), ("move", ID), ("move", ID)):
        asked_for(root, *words)  # where there was no engine to ask
    carried_out("prepare")
    says = (
        f"cutover was taken before the run of the stage before it had come to its end: the last that did left"
        f" {ID} at prepare, after which comes replicate or abort; take {ID} back to that in tenants/dev.yaml"
        " and tenants/ledger/dev.yaml, as git has it (git log -p -- tenants/ledger/dev.yaml), and run"
        " pulumi up -s dev"
    )
    assert f"not carried out: {says}" in shown(root)
    assert says in call(root, "move", ID, status=2).output


def test_a_stage_that_failed_can_be_led_back(root: Path) -> None:
    asked_for(root, "move", ID, "--to", "silo")
    carried_out("prepare")
    asked_for(root, "move", ID)
    asked_for(root, "move", ID, "--abort")
    assert "the run of abort has not come to its end" in shown(root)


def test_who_leaves_is_held_to_it_too(root: Path) -> None:
    answers(moves={}, leaving={})
    asked_for(root, "offboard", ID)
    asked_for(root, "offboard", ID)
    refused = call(root, "offboard", ID, "--retain-until", "2030-01-01", status=2).output
    assert f"the run of exported has not come to its end, the last that did left {ID} at suspended" in refused
    assert "the run of exported has not come to its end" in shown(root)
    answers(leaving={ID: {"stage": "export", "key": "arn:aws:kms:eu-west-1:111122223333:key/its-own"}})
    call(root, "offboard", ID, "--retain-until", "2030-01-01")


@pytest.mark.parametrize("answer", [None, {ID: "accepted"}, {ID: {"stage": "else"}}])
def test_who_cannot_be_asked_holds_nobody_up(root: Path, answer: Any) -> None:
    asked_for(root, "move", ID, "--to", "silo")
    if answer is not None:
        answers(moves=answer)
    assert "not carried out" not in shown(root)
    asked_for(root, "move", ID)


SERVED = {"phase": "active", "key": 1}


@pytest.mark.parametrize(
    ("command", "reported", "says"),
    [
        ("suspend", SERVED, "the run of suspended has not come to its end, the last that did left"),
        ("suspend", None, "no run has come to its end since acme-pay was onboarded"),
        ("suspend", {"phase": "suspended", "key": 1}, None),
        ("suspend", {"isolation": "pool"}, None),  # of a run of an earlier version
        ("rotate-key", SERVED, "the run that gives it key 2 has not come to its end, 1 is in use"),
        ("rotate-key", {"phase": "active", "key": 2}, None),
    ],
)
def test_who_is_served_or_locked_out_is_shown_as_the_last_run_left_it(
    root: Path, command: str, reported: dict[str, Any] | None, says: str | None
) -> None:
    asked_for(root, command, ID)
    answers(tenants={ID: reported} if reported else {})
    shown = call(root, "show", ID).stdout
    assert f"  unfinished  {says}" in shown if says else "unfinished" not in shown


def test_nobody_is_shown_as_suspended_before_a_run_or_where_no_engine_can_be_asked(root: Path) -> None:
    call(root, "suspend", ID)
    says = "unfinished  suspended was not run yet, the last run recorded active; run pulumi up -s dev"
    assert says in call(root, "show", ID).stdout
    open_registry("dev", root=root, locked=False)
    assert "unfinished  not known here, since no engine can be asked" in call(root, "show", ID).stdout
    assert json.loads(call(root, "show", ID, "--json").stdout)["known"] is False


def test_who_was_not_suspended_does_not_leave(root: Path) -> None:
    asked_for(root, "suspend", ID)
    answers(tenants={ID: SERVED}, leaving={})
    refused = call(root, "offboard", ID, status=2).output
    assert f"the run of suspended has not come to its end, the last that did left {ID} at active" in refused


TABLE = (
    # recorded, what the last run told, the beginning of what is said
    ("replicate", "replicate", None),
    ("abort", None, "the run of abort"),  # prepare had failed
    ("rollback", "replicate", "the run of rollback"),  # the cutover had
    ("rollback", "cutover", "the run of rollback"),
    ("abort", "cutover", "abort was taken before"),  # the rollback had, and the new place serves
    ("soak", "prepare", "soak was taken before"),
    ("active", "done", "the run of active"),
    ("active", "replicate", "active was taken before"),
    ("retained", None, "retained was taken before"),
    ("retained", "close", "the run of retained"),  # which takes the key back
    ("suspended", "export", "the run of suspended"),
    ("suspended", "close", "suspended was taken before"),  # its key still waits for its deletion
    ("erasing", "keep", "erasing was taken before"),
    ("erasing", "erase", None),
)


@pytest.mark.parametrize(("recorded", "answer", "says"), TABLE)
def test_what_is_said_of_each(root: Path, recorded: str, answer: str | None, says: str | None) -> None:
    home = Project(root).ledger("dev")[0].placements[ID]
    if Phase(recorded) in MOVING:
        home = replace(
            home, move=Move(origin=PlacementKind.POOL, to=PlacementKind.SILO, stage=Phase(recorded))
        )
    else:
        home = replace(home, state=Phase(recorded))
    result = unfinished_run(root, "dev", ID, home, {ID: {"stage": answer}} if answer else {})
    assert (result or "").startswith(says) if says else result is None, result


def test_who_was_erased_is_shown_and_whether_that_was_certified(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime.date.today()
    ended = ("--retain-until", str(today - datetime.timedelta(days=1)), "--key-days", "7")
    for days, words in ((0, ()), (0, ()), (0, ended), (0, ()), (8, ()), (8, ())):
        monkeypatch.setenv("TENANTRY_TODAY", str(today + datetime.timedelta(days=days)))
        asked_for(root, "offboard", ID, *words)
    answers(leaving={ID: {"stage": "erase"}})
    answer = call(root, "show", ID).stdout
    says = f"the run of erased has not come to its end, the last that did left {ID} at erasing"
    assert f"  unfinished  {says}" in answer
    assert "  data        none any more\n" in answer
    assert "  has         " not in answer
    answers(leaving={ID: {"stage": "certify"}})
    assert "unfinished" not in call(root, "show", ID).stdout
