"""`--json` wherever a command prints a table: standard output is then one JSON document, and nothing else."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.app import app
from recovery.copies import VARIABLE
from tests.cells import EXCEPTIONS, PROJECT
from tests.cli.test_tenantry import ALL
from tests.policies.test_checking import saved

# What every other command prints, and why that is no table.
NO_TABLE = {
    "completion": "a script",
    "policy approve": "one sentence",
    "policy evidence": "the seal of what it writes",
    "policy verify": "what was changed, a file a line",
    "recover check": "one sentence",
    "recover refresh": "what the engine says",
    "recover run": "what it does, as it does it",
    "recover save": "one sentence",
    "sandbox as": "what the command prints",
    "sandbox clock": "the time",
    "sandbox psql": "what psql prints",
    "sandbox push": "the image, as a setting names it",
    "sandbox rotate": "one sentence",
    "sandbox start": "what was started",
    "sandbox stop": "what was stopped",
    "stack clean": "nothing",
    "stack destroy": "what the engine says",
    "stack env": "a script",
    "stack preview": "what the engine says",
    "stack recover": "what it does, as it does it",
    "stack refresh": "what the engine says",
    "stack setup": "nothing",
    "tenants ledger init": "one sentence",
    "tenants ledger update": "one sentence",
    "tenants schema": "JSON already",
}
ENTRY = ["name=Acme", "isolation=pool", "residency=eu", "plan=standard", "contacts.email=ops@acme.example"]
# Of every command with a table: how it is called. PLAN is a saved preview, ROOT a project.
CALLS: dict[str, list[str]] = {
    "policy check": ["PLAN", "--exceptions", str(EXCEPTIONS)],
    "policy controls": ["PLAN", "--exceptions", str(EXCEPTIONS)],
    "policy escalation": ["--examples"],
    "policy gate": ["PLAN", "--approvals", str(EXCEPTIONS.with_name("approvals.yaml"))],
    "policy rules": [],
    "recover restore": ["dev"],
    "sandbox coverage": [],
    "sandbox status": [],
    "stack restore": ["dev"],
    "stack up": ["dev"],
    "tenants add": ["acme-pay", *ENTRY, "--stack", "dev", "--dry-run", "--root", "ROOT"],
    "tenants capacity": ["--root", "ROOT"],
    "tenants check": ["--root", "ROOT"],
    "tenants ledger check": ["--root", "ROOT"],
    "tenants list": ["--root", "ROOT"],
    "tenants move": ["amber-pay", "--status", "--root", "ROOT"],
    "tenants offboard": ["amber-pay", "--dry-run", "--root", "ROOT"],
    "tenants restore": ["fjord-custody", "--at", "2026-11-20T10:00:00Z", "--dry-run", "--root", "ROOT"],
    "tenants resume": ["birch-lending", "--dry-run", "--root", "ROOT"],
    "tenants rotate-key": ["amber-pay", "--status", "--root", "ROOT"],
    "tenants set": ["amber-pay", "plan=premium", "--dry-run", "--root", "ROOT"],
    "tenants show": ["amber-pay", "--root", "ROOT"],
    "tenants suspend": ["amber-pay", "--dry-run", "--root", "ROOT"],
}
OUTPUTS = {"tenants": {"acme-pay": {"isolation": "pool", "network": "shared"}}}


def updating(*_: str) -> int:
    return subprocess.run(["/bin/echo", "updating"], check=True).returncode


@pytest.fixture
def stack_with_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that talks while it updates, a stack with one tenant, and one copy of its state."""
    engine = tmp_path / "tools" / "cli" / "pulumi"
    engine.parent.mkdir(parents=True)
    engine.write_text(f"#!/bin/sh\necho '{json.dumps(OUTPUTS)}'\n", "utf-8")
    engine.chmod(0o755)
    (tmp_path / "copies" / "dev").mkdir(parents=True)
    (tmp_path / "copies" / "dev" / "20261127T100000Z-up.json").write_text("{}", "utf-8")
    for name, folder in (("TENANTRY_TOOLS_DIR", "tools"), ("TENANTRY_SANDBOX_DIR", "sandbox")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "copies"))
    for name in ("setup", "prepare_stack"):
        monkeypatch.setattr(f"devtools.operations.{name}", lambda *_: None)
    monkeypatch.setattr("devtools.operations.environment", lambda *_: dict(os.environ))
    monkeypatch.setattr("devtools.operations._operate", updating)


@pytest.fixture
def printed(
    tmp_path: Path,
    stack_with_outputs: None,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Any]:
    """Call a command with `--json`; what it prints, read."""
    root = tmp_path / "project"
    shutil.copytree(PROJECT, root)
    registry = root / "tenants" / "dev.yaml"
    suspended = registry.read_text("utf-8").replace("birch-lending:", "birch-lending:\n  state: suspended")
    registry.write_text(suspended, "utf-8")
    named = {"ROOT": str(root), "PLAN": str(saved(tmp_path))}
    monkeypatch.setattr("policies.settings.ROOT", root)
    monkeypatch.setattr("cli.sandbox.coverage.used", lambda _: {"aws:kms/key:Key": {"description"}})

    def call(command: str) -> Any:
        words = [*command.split(), *(named.get(word, word) for word in CALLS[command]), "--json"]
        status = app(words, standalone_mode=False)
        out = capfd.readouterr()
        assert status in (None, 0, 1), out.err
        return json.loads(out.out)

    return call


def test_every_command_prints_a_table_or_says_what_else() -> None:
    assert sorted([*CALLS, *NO_TABLE]) == [" ".join(words) for words in ALL]


@pytest.mark.parametrize("command", CALLS)
def test_a_table_is_json_where_that_is_asked_for(printed: Callable[[str], Any], command: str) -> None:
    assert isinstance(printed(command), dict | list)


def test_what_stack_up_says_beside_its_table_goes_to_standard_error(
    stack_with_outputs: None, capfd: pytest.CaptureFixture[str]
) -> None:
    app(["stack", "up", "dev", "--json"], standalone_mode=False)
    out, err = capfd.readouterr()
    assert json.loads(out) == [{"id": "acme-pay", **OUTPUTS["tenants"]["acme-pay"]}]
    assert err == "updating\n"


def test_each_control_says_what_serves_it_and_what_the_rules_say(printed: Callable[[str], Any]) -> None:
    rows = {row["id"]: row for row in printed("policy controls")}
    assert len(rows) > 50
    assert rows["SOC2:CC6.1"].keys() >= {"title", "rules", "tests", "resources", "framework", "result"}
    assert any(row["result"] == "refused" for row in rows.values())
