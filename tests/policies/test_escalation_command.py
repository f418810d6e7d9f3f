"""`python -m policies escalation` as a person types it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from policies.escalation.examples import example
from policies.escalation.techniques import TECHNIQUES
from policies.model import Plan

ASSUME = next(t for t in TECHNIQUES if t.id == "sts:AssumeRole")


def state(plan: Plan, path: Path) -> Path:
    """A plan as `pulumi stack export` would have it."""
    resources = [
        {
            "urn": r.urn.replace(":example::", ":dev::"),
            "type": r.type,
            "inputs": dict(r.inputs),
            "outputs": dict(r.identity),
        }
        for r in plan.resources
    ]
    path.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}), "utf-8")
    return path


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(checkout: Path) -> Command:
    """Call the command with these words; `path` is the PATH where it is not the usual one."""
    return lambda *args, path=None: _run(checkout, args, path)


def _run(checkout: Path, args: tuple[str, ...], path: str | None) -> subprocess.CompletedProcess[str]:
    env = os.environ | ({"PATH": path} if path is not None else {})
    command = [sys.executable, "-m", "policies", "escalation", *args]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, env=env)


def test_a_path_is_shown_step_by_step(run: Command, tmp_path: Path) -> None:
    done = run(str(state(example(ASSUME), tmp_path / "state.json")))
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines() == [
        "workload role worker reaches role keeper",
        "    role worker -> role keeper",
        "        by sts:AssumeRole",
        f"2 roles, 1 of workloads and tenants, {len(TECHNIQUES)} techniques: 1 path to more than a role has",
    ]


def test_none_is_said_so(run: Command, tmp_path: Path) -> None:
    put = next(t for t in TECHNIQUES if t.id == "iam:PutRolePolicy")
    done = run(str(state(example(put, given=False), tmp_path / "state.json")))
    assert done.returncode == 0, done.stderr
    assert "no paths to more than a role has" in done.stdout


def test_for_machines(run: Command, tmp_path: Path) -> None:
    done = run(str(state(example(ASSUME), tmp_path / "state.json")), "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert [(p["source"], p["sink"]) for p in found["paths"]] == [("worker", "role keeper")]


def test_every_technique_finds_its_example(run: Command) -> None:
    done = run("--examples")
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith(f"{len(TECHNIQUES)} of {len(TECHNIQUES)} techniques find their example\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ('{"steps": []}', "there is no resource in it"),
        ('{"version": 9, "deployment": {}}', "a state of version 9"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(run: Command, text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(text, "utf-8")
    done = run(str(path))
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_policy_that_is_none_is_one_sentence(run: Command, tmp_path: Path) -> None:
    plan = example(ASSUME)
    broken = next(r for r in plan.resources if r.name == "worker-policy")
    inputs = {**broken.inputs, "policy": "{"}
    others = tuple(r for r in plan.resources if r is not broken)
    made = type(broken)(broken.urn, broken.type, inputs, identity=broken.identity)
    done = run(str(state(Plan((*others, made)), tmp_path / "state.json")))
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: aws:iam/rolePolicy:RolePolicy::worker-policy: its policy cannot be read: it is not JSON"
    ]


def test_without_a_file_and_an_engine_it_says_what_to_do(run: Command, tmp_path: Path) -> None:
    done = run(path=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no pulumi on PATH; name a saved preview")
