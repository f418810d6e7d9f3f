"""A tenant added by the command line and one added by hand get the same resources."""

import subprocess
import sys
from pathlib import Path

import pytest

from plan import CellPlan, plan_cell
from tenants import open_registry
from tests.cells import settings_of
from tests.checkout import write_checkout
from tests.program.cell import deploy

FIELDS = {
    "pool": {"isolation": "pool", "plan": "standard"},
    "silo": {"isolation": "silo", "plan": "premium"},
    "dedicated": {"isolation": "silo", "network": "dedicated", "plan": "premium"},
}
COMMON = {"name": "Harbour Pay", "residency": "eu"}


def cell_of(folder: Path) -> CellPlan:
    return plan_cell(settings_of("dev"), open_registry("dev", root=folder, locked=False))


@pytest.mark.parametrize(
    "kind",
    ["dedicated", *(pytest.param(k, marks=pytest.mark.slow) for k in sorted(FIELDS) if k != "dedicated")],
)
def test_both_ways_of_onboarding_make_the_same(tmp_path: Path, kind: str) -> None:
    by_hand, by_command = (write_checkout(tmp_path / n) for n in ("hand", "command"))
    fields = {**COMMON, **FIELDS[kind]}
    text = "".join(f"  {k}: {v}\n" for k, v in reversed(fields.items()))
    with (by_hand / "tenants" / "dev.yaml").open("a", encoding="utf-8") as registry:
        registry.write(f"\nharbour-pay:\n{text}  contacts:\n    email: ops@harbour-pay.example\n")
    words = [*(f"{k}={v}" for k, v in fields.items()), "contacts.email=ops@harbour-pay.example"]
    done = subprocess.run(
        [sys.executable, "-m", "tenants", "add", "harbour-pay", *words, "--stack", "dev"],
        cwd=by_command,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    hand, command = cell_of(by_hand), cell_of(by_command)
    assert "harbour-pay" in {t.id for t in hand.tenants}
    assert hand == command
    assert {r.key: r for r in deploy(hand).resources} == {r.key: r for r in deploy(command).resources}
