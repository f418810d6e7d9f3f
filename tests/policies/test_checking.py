"""`python -m policies check`: files of every kind, exceptions, and what bad input gets."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.policy import app
from policies.checking import verdicts
from policies.exceptions import ExceptionsError, read_exceptions
from policies.inventory import BY_ID, RULES
from policies.model import UNKNOWN
from policies.preview import PreviewError, known, parse_preview
from tests.cells import EXCEPTIONS
from tests.policies.plans import changed, committed

KEY = "aws:kms/key:Key"
GOOD = """\
- rule: key-rotates
  resource: aws:kms/key:Key::it
  stacks: dev
  reason: the partner's key cannot be turned yet
  owner: security@tenantry.example
  expires: 2030-01-31
"""


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def saved(folder: Path, **inputs: Any) -> Path:
    """A preview with one key in it."""
    made = {"urn": f"urn:pulumi:dev::tenantry::{KEY}::it", "type": KEY, "inputs": inputs, "outputs": {}}
    config = {"tenantry:environment": "dev", "tenantry:region": "eu-west-1"}
    steps = [{"op": "create", "urn": made["urn"], "newState": made}]
    path = folder / "plan.json"
    path.write_text(json.dumps({"config": config, "steps": steps, "changeSummary": {"create": 1}}), "utf-8")
    return path


TURNS = {"enableKeyRotation": True, "rotationPeriodInDays": 90}


def test_fine_is_0_refused_is_1(tmp_path: Path) -> None:
    none = ("--exceptions", str(tmp_path / "none.yaml"), "--rule", "key-rotates")
    assert call("check", str(saved(tmp_path, **TURNS)), *none).exit_code == 0
    result = call("check", str(saved(tmp_path, enableKeyRotation=False)), *none)
    assert (result.exit_code, "FAIL  key-rotates: aws:kms/key:Key::it" in result.stdout) == (1, True)


def test_what_cannot_be_told_is_told(tmp_path: Path) -> None:
    hidden = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    path = saved(tmp_path, enableKeyRotation=True, rotationPeriodInDays=hidden)
    result = call("check", str(path), "--rule", "key-rotates", "--exceptions", str(tmp_path / "none.yaml"))
    assert (result.exit_code, "cannot tell  key-rotates: it" in result.stdout) == (0, True)
    assert "1 cannot be told yet" in result.stdout


def test_an_exception_covers_until_it_expires_and_has_to_be_needed(tmp_path: Path) -> None:
    path = tmp_path / "exceptions.yaml"
    path.write_text(GOOD, "utf-8")
    bad = parse_preview(saved(tmp_path, enableKeyRotation=False).read_bytes(), "x").plan
    good = parse_preview(saved(tmp_path, **TURNS).read_bytes(), "x").plan
    rules = (BY_ID["key-rotates"],)
    covered = verdicts(bad, rules, read_exceptions(path, date(2030, 1, 31)))
    assert (covered.fine, len(covered.excepted)) == (True, 1)
    late = verdicts(bad, rules, read_exceptions(path, date(2030, 2, 1)))
    assert (late.fine, len(late.refused), len(late.expired)) == (False, 1, 1)
    idle = verdicts(good, rules, read_exceptions(path, date(2026, 11, 23)))
    assert (idle.fine, [a.rule for a in idle.unused]) == (False, ["key-rotates"])
    part = verdicts(good, rules, read_exceptions(path, date(2026, 11, 23)), whole=False)
    assert part.fine


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("key-rotates", "key-rotate"), r"exceptions\.yaml:1:9: .*did you mean 'key-rotates'"),
        (GOOD.replace("  owner: security@tenantry.example\n", ""), r":1:3: .*owner is missing"),
        (GOOD.replace("2030-01-31", "soon"), r":6:12: .*expected a date"),
        (GOOD.replace("the partner's key cannot be turned yet", "because"), r":4:11: .*why it may be"),
        ("rule: x\n", r":1:1: the file is not a list"),
        ("- a: [1\n", r":1:\d+: "),
        (GOOD + "  colour: red\n", r":7:3: there is no field 'entry 1\.colour'"),
    ],
)
def test_a_malformed_file_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "exceptions.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ExceptionsError, match=message):
        read_exceptions(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "neither a preview"),
        ("steps:", "not JSON"),
        ("{}", "neither a preview, an event log nor a stack's state"),
        ("[]", "neither a preview"),
        ('{"version": 4, "deployment": {}}', "a state of version 4, expected 3"),
        ('{"steps": [{"op": "conjure", "urn": "u"}]}', "'conjure' is not an operation"),
        ('{"steps": [{"op": "create"}]}', "not as this version of the engine writes it"),
        ('{"steps": 7}', "not as this version of the engine writes it"),
    ],
)
def test_a_file_of_another_kind_or_version_is_one_sentence(
    tmp_path: Path, checkout: Path, text: str, message: str
) -> None:
    with pytest.raises(PreviewError, match=message):
        parse_preview(text.encode(), "plan.json")
    path = tmp_path / "plan.json"
    path.write_text(text, "utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "policies", "check", str(path)],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr.count("\n"), message in result.stderr) == (2, 1, True), (
        result.stderr
    )


def test_an_unknown_rule_and_a_missing_file_are_wrong_usage(tmp_path: Path) -> None:
    none = ("--exceptions", str(tmp_path / "none.yaml"))
    result = call("check", str(saved(tmp_path, **TURNS)), "--rule", "key-rotate", *none)
    assert (result.exit_code, "did you mean 'key-rotates'" in " ".join(result.stderr.split())) == (2, True)
    result = call("check", "nowhere.json", *none)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: nowhere.json: No such file or directory; save one with ")


def test_secrets_and_unknowns_are_not_told() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "x"}
    assert known({"a": secret, "b": "[secret]", "c": [secret, 2.0]}) == {
        "a": UNKNOWN,
        "b": UNKNOWN,
        "c": [UNKNOWN, 2],
    }


def test_machines_read_the_same(tmp_path: Path) -> None:
    none = ("--exceptions", str(tmp_path / "none.yaml"))
    bad = str(saved(tmp_path, enableKeyRotation=False))
    result = call("check", bad, "--json", "--rule", "key-rotates", *none)
    found = json.loads(result.stdout)
    assert [row["rule"] for row in found["refused"]] == ["key-rotates"]
    assert len(json.loads(call("rules", "--json").stdout)) == len(RULES)
    assert call("rules").stdout.count("\n") == len(RULES)


def test_exceptions_are_needed_and_have_not_expired() -> None:
    found = verdicts(committed("prod"), RULES, read_exceptions(EXCEPTIONS))
    assert found.fine, (found.refused, found.expired, found.unused)
    worse = changed(committed("prod"), "kms/key:Key", "alder-pay-identity-key", {"enableKeyRotation": False})
    assert not verdicts(worse, RULES, read_exceptions(EXCEPTIONS)).fine
