"""`make check`: silent where a team's files are right, and a line for each thing that is wrong in them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from devtools.check import REMADE, plans_of, policy_violations, problems, stale_generated_files
from devtools.generators import organization_policies
from tenants.project import Project
from tenants.schema import SUBJECTS, schema_file, schema_text
from tests.checkout import write_checkout
from tests.team_files import guarded

NOVA = """
nova-pay:
  name: Nova Pay
  isolation: pool
  residency: eu
  plan: starter
  contacts: {email: ops@nova.example}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout, without its code, whose generated files are those of its registries."""
    monkeypatch.delenv("CI", raising=False)
    return generate(write_checkout(tmp_path, code=False))


def generate(root: Path) -> Path:
    for name in SUBJECTS:
        schema_file(root, name).write_text(schema_text(name, Project(root)), "utf-8")
    for plan in organization_policies.organizations(root):
        organization_policies.write(root, plan)
    return root


def change(root: Path, name: str, pattern: str, new: str) -> None:
    text, times = re.subn(pattern, new, (root / name).read_text("utf-8"), count=1)
    assert times == 1, (name, pattern)
    (root / name).write_text(text, "utf-8")


def test_files_that_are_right_pass_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    root = generate(write_checkout(tmp_path))
    command = [sys.executable, "-m", "devtools.check"]
    done = subprocess.run(
        command, cwd="/", env=guarded({"PYTHONPATH": str(root)}), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    assert done.stderr == "check: stacks dev, org, prod: nothing wrong\n"


WRONG = {
    "a tenant": (
        "tenants/dev.yaml",
        "plan: starter",
        "plan: gold",
        "tenants/dev.yaml:7:9: amber-pay: plan 'gold' ",
    ),
    "a ledger": ("tenants/ledger/prod.yaml", "  alder-pay: .*\n", "", "tenants/ledger/prod.yaml:"),
    "a setting": (
        "Pulumi.dev.yaml",
        "natPerZone: false",
        "natPerZone: 7",
        "Pulumi.dev.yaml:9:24: tenantry:natPerZone: 7 is not allowed",
    ),
    "a setting that is a date": (
        "Pulumi.dev.yaml",
        "domain: .*",
        "domain: 2026-01-01",
        "tenantry:domain: '2026-01-01' is not allowed",
    ),
    "a setting that there is not": (
        *("Pulumi.prod.yaml", r"\Z", "  tenantry:natsPerZone: true\n"),
        "tenantry:natsPerZone: no such setting",
    ),
    "a setting without the project's name": (
        *("Pulumi.dev.yaml", "tenantry:natPerZone: false", "natPerZone: 7"),
        "Pulumi.dev.yaml:9:15: tenantry:natPerZone: 7 is not allowed",
    ),
    "settings without a section": (
        *("Pulumi.org.yaml", "(?m)^config:", "settings:"),
        "Pulumi.org.yaml:1:1: there are no settings in the section config",
    ),
    "a section that is empty": (
        *("Pulumi.dev.yaml", r"(?s)config:.*", "config:\n"),
        "Pulumi.dev.yaml:1:1: there are no settings in the section config",
    ),
    "a tab": (
        *("Pulumi.dev.yaml", "  tenantry:natPerZone", "\ttenantry:natPerZone"),
        "Pulumi.dev.yaml:9:1: a tab in the indentation",
    ),
    "a setting twice": (
        *("Pulumi.org.yaml", "(  tenantry:kind: .*\n)", r"\1\1"),
        "'tenantry:kind' stands twice",
    ),
    "a kind that is a list": (
        *("Pulumi.org.yaml", "kind: organization", "kind: [organization]"),
        "expected one of cell, organization",
    ),
    "a kind of stack": (
        "Pulumi.org.yaml",
        "kind: organization",
        "kind: org",
        "expected one of cell, organization",
    ),
    "two settings": ("Pulumi.prod.yaml", r"\[eu-west-1a, ", "[eu-west-9a, ", "zones"),
    "an account": (
        "organization/accounts.yaml",
        "unit: security",
        "unit: safety",
        "organization/accounts.yaml:",
    ),
    "an exception": (
        "policies/exceptions.yaml",
        "no-administrators",
        "no-admins",
        "policies/exceptions.yaml:3:9: ",
    ),
    "a service plan": ("tenants/plans.yaml", r"\Z", "more: {}\n", "tenants/plans.yaml:"),
    "a policy": (
        *("Pulumi.org.yaml", r"\[eu-central-1, eu-west-1\]", "[eu-west-1]"),
        f"organization/policies/regions.json is stale; run {REMADE}",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(root: Path, case: str) -> None:
    name, pattern, new, line = WRONG[case]
    change(root, name, pattern, new)
    found = problems(root)
    assert [f for f in found if line in f], found


def test_a_plan_that_editors_do_not_know_makes_the_schema_stale(root: Path) -> None:
    plans = (root / "tenants" / "plans.yaml").read_text("utf-8")
    starter = plans.split("starter:")[1].split("standard:")[0]
    (root / "tenants" / "plans.yaml").write_text(f"{plans}trial:{starter}", "utf-8")
    assert list(stale_generated_files(root, {})) == [
        "tenants/registry.schema.json is stale; run python -m tenants schema --write"
    ]


def test_a_new_tenant_needs_its_place_where_ci_is_set(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (root / "tenants" / "dev.yaml").open("a", encoding="utf-8") as registry:
        registry.write(NOVA)
    plans, _ = plans_of(root)
    assert "nova-pay" in {t.id for t in plans["dev"].tenants}  # type: ignore[union-attr] - a cell's
    monkeypatch.setenv("CI", "true")
    (line,) = problems(root)
    assert "ledger update dev and commit" in line


def test_guardrails_judge_what_would_be_registered(root: Path) -> None:
    plans, _ = plans_of(root)
    (root / "policies" / "exceptions.yaml").unlink()
    (line,) = policy_violations(root, {"org": plans["org"]})
    assert line.startswith("org: no-administrators: aws:iam/rolePolicyAttachment:")


def test_approvals_are_read_too(root: Path) -> None:
    (root / "policies" / "approvals.yaml").write_text("- operation: drop\n", "utf-8")
    found = problems(root)
    assert [f for f in found if f.startswith("policies/approvals.yaml:1:")], found


def test_a_setting_that_the_registry_needs_too_is_named_once(root: Path) -> None:
    change(root, "Pulumi.dev.yaml", "config:\n", "config:\n  tenantry:quotas: many\n")
    assert problems(root) == [
        "Pulumi.dev.yaml:3:20: tenantry:quotas: 'many' is not allowed; allowed: fresh, raised"
    ]
