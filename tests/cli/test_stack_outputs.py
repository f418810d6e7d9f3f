"""`python -m tenants move ID --status` tells what the last run measured, where an engine can be asked."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import stack_outputs
from cli.tenants import app
from tests.registry.project import project

CUT: dict[str, Any] = {
    "tenant": "acme-pay",
    "stage": "cutover",
    "serves": "target",
    "lagBytes": 12345,
    "copied": True,
    "rows": 7,
    "readOnlySeconds": 0.4213,
    "notes": ["compared in 2 rounds before writes stopped"],
}
DUMP = {"bucket": "of-acme", "key": "moves/acme-pay-origin-x.sql.gz", "bytes": 99, "sha256": "0"}


@pytest.fixture
def root(at_rest: Path) -> Path:
    """A project whose only tenant is at the beginning of a move, and a PATH without an engine."""
    call(at_rest, "move", "acme-pay", "--to", "silo")
    return at_rest


def call(root: Path, *words: str) -> Result:
    result = CliRunner().invoke(app, [*words, "--root", str(root)])
    assert result.exit_code == 0, result.output
    return result


def engine(script: str) -> None:
    """A `pulumi` on PATH that knows one question."""
    asked = "stack output moves --json --stack dev --non-interactive"
    program(f'[ "$*" = "{asked}" ] || exit 9\n{script}', "pulumi")


def program(script: str, name: str) -> None:
    """On PATH."""
    path = Path(os.environ["PATH"]) / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)


def answers(moves: object) -> None:
    engine(f"/bin/cat <<'END'\n{json.dumps(moves)}\nEND")


def status(root: Path) -> str:
    return call(root, "move", "acme-pay", "--status").stdout


def measured(root: Path) -> Any:
    return json.loads(call(root, "move", "acme-pay", "--status", "--json").stdout)["measured"]


def test_of_a_restore_nothing_is_called_equal(root: Path) -> None:
    """Its rows are to differ from those that serve."""
    answers({"acme-pay": CUT | {"restoredTo": "2026-11-20T10:00:00Z"}})
    shown = {" ".join(line.split()) for line in status(root).splitlines()}
    assert "restored 7 rows as of 2026-11-20T10:00:00Z; tables: outputs, counts" in shown
    assert not any(line.startswith("compared") for line in shown)


def test_people_see_every_figure(root: Path) -> None:
    answers({"acme-pay": CUT | {"tables": 3, "bytes": 1234567, "dump": DUMP}})
    shown = {" ".join(line.split()) for line in status(root).splitlines()}
    assert shown >= {
        "measured by the run of cutover",
        "serves the new database",
        "lag the old database is 12 345 bytes behind",
        "first copy over",
        "size 3 tables, 1 234 567 bytes",
        "read-only 0.42 s",
        "compared 7 rows, equal",
        "last dump of-acme/moves/acme-pay-origin-x.sql.gz, 99 bytes",
        "note compared in 2 rounds before writes stopped",
    }


def test_what_was_not_measured_is_left_out(root: Path) -> None:
    nothing = {"stage": "prepare", "serves": "origin", "lagBytes": None, "rows": None, "notes": []}
    answers({"acme-pay": nothing})
    shown = status(root)
    assert "serves      the old database" in shown
    assert not any(word in shown for word in ("behind", "first copy", "read-only", "compared", "None"))
    answers({"acme-pay": nothing | {"lagBytes": 0, "copied": False}})
    assert "the new database is 0 bytes behind" in status(root)
    assert "first copy  goes on" in status(root)


def test_people_and_machines_see_what_goes_on_without_a_run(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SANDBOX_DIR", raising=False)
    going_on = json.dumps({"goesOn": {"progress": "the first copy of 2 tables is not over", "at": "noon"}})
    records = {"Parameters": [{"Name": "/tenantry/dev/calls/acme-pay/move", "Value": going_on}]}
    program(f"/bin/cat <<'END'\n{json.dumps(records)}\nEND", "aws")
    line = "move: the first copy of 2 tables is not over (noon)"
    assert f"goes on     {line}" in status(root)
    found = json.loads(call(root, "move", "acme-pay", "--status", "--json").stdout)
    assert found["goesOn"] == {"move": line.removeprefix("move: ")}


def test_machines_see_what_the_engine_said(root: Path) -> None:
    answers({"acme-pay": CUT})
    assert measured(root) == CUT


@pytest.mark.parametrize(
    "script",
    [
        "echo no stack >&2; exit 255",
        "echo not JSON",
        "echo '[1]'",
        "echo '{}'",
        """echo '{"acme-pay": "accepted"}'""",  # where databases are a record only
        """/bin/sleep 3; echo '{"acme-pay": {"stage": "late"}}'""",
    ],
)
def test_an_engine_that_cannot_say_is_no_failure(
    root: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(stack_outputs, "SECONDS", 0.5)
    engine(script)
    assert measured(root) is None
    assert "pulumi stack output moves -s dev" in status(root)


def test_without_an_engine_it_says_whom_to_ask(root: Path) -> None:
    assert measured(root) is None
    assert "pulumi stack output moves -s dev" in status(root)


def test_a_tenant_that_does_not_move_asks_nobody(root: Path) -> None:
    (root / "tenants/dev.yaml").write_bytes(
        (project(root.parent / "other") / "tenants/dev.yaml").read_bytes()
    )
    answers({"acme-pay": CUT})
    assert measured(root) is None


def test_what_cannot_be_undone_is_told_a_stage_before(root: Path) -> None:
    assert "then gone: nothing" not in status(root)
    gone = "\n              then gone: "
    assert f"move acme-pay --abort leads to abort{gone}replication and the copy" in status(root)
    path = root / "tenants/dev.yaml"
    path.write_text(path.read_text("utf-8").replace("stage: prepare", "stage: soak"), "utf-8")
    assert f"move acme-pay leads to done, once the soak days are over{gone}" in status(root)
    assert "way back: none: moving back is a new move" in status(root)
