"""The organization's files: right, or refused with every problem at once and its place."""

import shutil
from pathlib import Path

import pytest

from organization import open_organization
from organization.rules import NEEDED_UNITS
from tenants import RegistryError
from tests.cells import PROJECT

UNITS, ACCOUNTS = (
    (PROJECT / "organization" / name).read_text(encoding="utf-8") for name in ("units.yaml", "accounts.yaml")
)


def project(home: Path, units: str = UNITS, accounts: str = ACCOUNTS) -> Path:
    folder = home / "organization"
    folder.mkdir()
    (folder / "units.yaml").write_text(units, encoding="utf-8")
    (folder / "accounts.yaml").write_text(accounts, encoding="utf-8")
    return home


def findings(root: Path) -> list[str]:
    with pytest.raises(RegistryError, match="organization/") as refusal:
        open_organization("org", root=root)
    return [str(f) for f in refusal.value.findings]


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


def test_the_committed_files_are_right() -> None:
    found = open_organization("org", root=PROJECT)
    assert {u.id for u in found.units} == {*NEEDED_UNITS, "workloads"}
    assert [a.id for a in found.accounts] == [
        *("audit", "dev", "log-archive", "prod", "shared-services", "staging"),
    ]


CASES = {
    "a number instead of text": (
        ("name: Audit", "name: Audit\n  existing: 444455556666"),
        r"existing 444455556666 is a number in YAML; put it in quotes: \"444455556666\"",
    ),
    "an unknown field": (("duty: audit", "dutty: audit"), "there is no field 'dutty'; did you mean 'duty'"),
    "an unknown unit": (
        ("unit: workloads/prod", "unit: workloads/prd"),
        "unit workloads/prd is not in units.yaml",
    ),
    "a duty in the wrong place": (("unit: infrastructure", "unit: sandbox"), "belongs in infrastructure"),
    "an address twice": (
        ("aws-dev@tenantry.example", "AWS-Prod@tenantry.example"),
        "is that of prod too; each has its own",
    ),
    "a second archive": (("duty: audit", "duty: log-archive"), "a second account has the duty log-archive"),
    "a duplicate key": (("dev:\n  name", "audit:\n  name"), "audit"),
    "a field too few": (("  email: aws-dev@tenantry.example\n", ""), "email is missing"),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_wrong_account_is_refused_at_its_place(tmp_path: Path, case: str) -> None:
    (old, new), message = CASES[case]
    found = findings(project(tmp_path, accounts=changed(ACCOUNTS, old, new)))
    assert [f for f in found if message.replace('\\"', '"') in f], found
    assert all(f.startswith("organization/accounts.yaml:") for f in found)


@pytest.mark.parametrize("unit", NEEDED_UNITS)
def test_a_unit_that_guardrails_hang_on_must_be_there(tmp_path: Path, unit: str) -> None:
    kept = [line for line in UNITS.splitlines(keepends=True) if not line.startswith(f"{unit}:")]
    found = findings(project(tmp_path, units="".join(kept)))
    assert f"organization/units.yaml:1:1: {unit}: the unit is missing; add it: {{name: …}}" in found


def test_units_stand_below_units(tmp_path: Path) -> None:
    units = UNITS.replace("workloads: {name: Workloads}\n", "") + "workloads/staging: {name: Production}\n"
    found = findings(project(tmp_path, units=units))
    assert sum("stands below workloads, which is no unit" in f for f in found) == 3
    assert any("'Production' is the name of workloads/prod too" in f for f in found)


def test_all_is_said_at_once(tmp_path: Path) -> None:
    accounts = ACCOUNTS.replace("unit: workloads/prod", "unit: nowhere").replace("name: Audit", "name: ''")
    units = UNITS.replace("name: Sandbox", "nam: Sandbox")
    found = findings(project(tmp_path, units=units, accounts=accounts))
    assert {f.split(":")[0] for f in found} == {"organization/units.yaml", "organization/accounts.yaml"}
    assert len(found) >= 3


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    root = project(tmp_path)
    (root / "organization" / "accounts.yaml").unlink()
    assert "there is no organization/accounts.yaml" in " ".join(findings(root))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "names no account" in " ".join(findings(project(tmp_path, accounts="")))


def test_the_order_of_a_file_means_nothing(tmp_path: Path) -> None:
    lines = [line for line in UNITS.splitlines(keepends=True) if not line.startswith("#")]
    root = project(tmp_path, units="".join(reversed(lines)))
    assert open_organization("org", root=root) == open_organization("org", root=PROJECT)
    shutil.rmtree(root / "organization")
