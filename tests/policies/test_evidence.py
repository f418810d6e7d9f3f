"""The control matrix and the bundle of evidence: complete, honest about gaps, and sealed."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.policy import app
from devtools.generators.controls import PAGE, render
from policies.checking import verdicts
from policies.controls import controls, result, results
from policies.evidence import plan_digest, verify, write_bundle
from policies.exceptions import Exceptions, read_exceptions
from policies.inventory import BY_ID, RULES
from policies.model import Plan
from policies.preview import Preview
from policies.rule import Rule
from tests.cells import EXCEPTIONS, PROJECT, ROOT
from tests.policies.plans import changed, committed
from tests.policies.test_checking import TURNS, saved

pytestmark = pytest.mark.usefixtures("judged_in_checkout")
EVERY = {c.id: c for c in controls()}


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_every_control_that_a_rule_names_is_in_the_catalogue() -> None:
    assert {c for rule in RULES for c in rule.controls} - EVERY.keys() == set()


def test_what_a_control_points_at_is_there() -> None:
    kinds = committed("prod").by_type
    for control in EVERY.values():
        assert control.title
        for path in control.tests:
            assert (ROOT / path).exists(), (control.id, path)
        for kind in control.resources:
            assert kind in kinds, (control.id, kind)


def test_a_control_without_anything_is_a_gap_and_the_page_says_so() -> None:
    gaps = [c for c in EVERY.values() if c.gap]
    assert gaps
    text = render(committed("prod"), PROJECT)
    for c in gaps:
        assert f"{c.number}: {c.title}" in text.split("## Gaps")[1].split("\n## ")[0]
        assert f"| {c.number} {c.title} | nothing | GAP |" in text


def test_the_page_is_what_the_rules_say() -> None:
    assert PAGE.read_text("utf-8") == render(committed("prod"), PROJECT)


def test_a_refused_rule_shows_at_each_of_its_controls() -> None:
    worse = changed(committed("prod"), "kms/key:Key", "alder-pay-identity-key", {"enableKeyRotation": False})
    by_rule = results(verdicts(worse, RULES, read_exceptions(EXCEPTIONS)))
    served = [c for c in EVERY.values() if "key-rotates" in c.rules]
    assert served
    assert {result(c, by_rule, worse) for c in served} == {"refused"}


@pytest.mark.parametrize("missing", ["rules", "resources"])
def test_what_is_missing_is_never_called_held(missing: str) -> None:
    plan = committed("prod")
    empty = Plan((), "prod", plan.config)
    by_rule = results(verdicts(empty, (), Exceptions()))
    for c in EVERY.values():
        word = result(c, by_rule, empty)
        assert "holds" not in word, c.id
        if missing == "rules" and c.rules:
            assert word == "not run", c.id
        if missing == "resources" and c.resources and not c.rules:
            assert word.startswith("missing"), c.id


def test_what_the_organization_looks_after_is_said_to_be_its() -> None:
    """Of a stack that leaves its detectors to it; whoever keeps them has to have them."""
    detector = EVERY["ISO:A.8.7"]
    for owner, word in (
        ("organization", "by the organization"),
        ("own", "missing: aws:guardduty/detector:Detector"),
    ):
        plan = Plan((), "dev", {"tenantry:detection": owner})
        by_rule = results(verdicts(plan, RULES, Exceptions()))
        assert result(detector, by_rule, plan) == word
        assert result(EVERY["ISO:A.8.8"], by_rule, plan) == "missing: aws:inspector2/enabler:Enabler"


def bundle(folder: Path, plan: Plan | None = None) -> tuple[Path, str]:
    found = Preview(plan or committed("prod"), (), whole=True)
    _, seal = write_bundle(found, None, folder, EXCEPTIONS)
    return folder, seal


@pytest.fixture(scope="module")
def of_prod(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """One bundle, for tests that copy it before they change it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("policies.settings.ROOT", checkout)
        patch.setattr("policies.evidence.ROOT", checkout)
        return bundle(tmp_path_factory.mktemp("evidence") / "audit")


def test_a_bundle_verifies_and_says_what_was_judged(of_prod: tuple[Path, str]) -> None:
    folder, seal = of_prod
    assert verify(folder, seal) == []
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["plan"] == plan_digest(committed("prod"))
    assert {"tenants/prod.yaml", "tenants/ledger/prod.yaml", "policies"} <= manifest["judged"].keys()
    answer = json.loads((folder / "rules.json").read_text("utf-8"))
    assert {row["id"] for row in answer["rules"]} == set(BY_ID)
    assert len(answer["excepted"]) == 1
    assert "paths" in json.loads((folder / "escalation.json").read_text("utf-8"))


def _forge(folder: Path) -> None:
    """Change a file and everything that would give it away inside the bundle."""
    (folder / "rules.json").write_text("{}")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["files"]["rules.json"] = hashlib.sha256(b"{}").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    new = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    (folder / "manifest.sha256").write_text(f"{new}  manifest.json\n")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda f: (f / "rules.json").write_text("{}"), "rules.json: was changed"),
        (lambda f: (f / "escalation.json").unlink(), "escalation.json: is missing"),
        (lambda f: (f / "more.txt").write_text("x"), "more.txt: does not belong to it"),
        (_forge, "manifest.json: its digest is"),
    ],
)
def test_any_change_of_a_bundle_is_seen(
    tmp_path: Path, of_prod: tuple[Path, str], harm: Any, message: str
) -> None:
    folder, seal = shutil.copytree(of_prod[0], tmp_path / "audit"), of_prod[1]
    assert verify(folder, seal) == []
    harm(folder)
    assert [line for line in verify(folder, seal) if line.startswith(message)]
    output = call("verify", str(folder), "--seal", seal)
    assert (output.exit_code, message in output.stdout) == (1, True)


def test_the_digest_of_a_plan_follows_what_it_says_and_not_its_order() -> None:
    plan = committed("dev")
    turned = Plan(tuple(reversed(plan.resources)), plan.stack, plan.config)
    assert plan_digest(turned) == plan_digest(plan)
    assert plan_digest(changed(plan, "kms/key:Key", "cobalt-fx-identity-key", {"x": 1})) != plan_digest(plan)


def test_the_commands(tmp_path: Path) -> None:
    file, out = saved(tmp_path, **TURNS), tmp_path / "audit"
    none = ("--exceptions", str(tmp_path / "none.yaml"))
    made = call("evidence", str(file), "--out", str(out), "--stack", "dev", *none)
    seal = made.stdout.split("seal")[1].split()[0]
    assert (made.exit_code, len(seal)) in ((0, 64), (1, 64))
    assert call("verify", str(out), "--seal", seal).exit_code == 0
    again = call("evidence", str(file), "--out", str(out), *none)
    assert (again.exit_code, "is not empty; evidence is written once" in again.stderr) == (2, True)
    shutil.rmtree(out)
    lost = call("verify", str(out))
    assert (lost.exit_code, "is no bundle of evidence" in lost.stderr) == (2, True)
    assert "## Gaps" in call("controls", str(file), "--stack", "dev", *none).stdout


def test_the_rules_serve_every_framework() -> None:
    for framework in ("SOC2", "PCI", "ISO", "DORA", "NIS2"):
        served = [r for r in RULES if any(c.startswith(f"{framework}:") for c in r.controls)]
        assert len(served) > len(RULES) / 2, framework
    assert all(isinstance(rule, Rule) for rule in RULES)
