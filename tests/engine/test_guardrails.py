"""The rules in the engine's own hands: bad examples are refused, and what holds data stays."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from devtools.paths import plugin_versions, tools
from policies.inventory import RULES
from policies.rule import Severity
from tests.cells import ROOT
from tests.engine.workspace import Workspace

# A program of all examples of one kind, each resource named after its rule.
PROGRAM = """
import sys
sys.path.insert(0, {root!r})
import pulumi
from policies.inventory import RULES
from policies.rule import Ref

KIND = {kind!r}

def resolved(value, made):
    if isinstance(value, Ref):
        return made[value.name].arn if value.output == "arn" else made[value.name].id
    if isinstance(value, dict):
        return {{k: resolved(v, made) for k, v in value.items()}}
    if isinstance(value, (list, tuple)):
        return [resolved(v, made) for v in value]
    return value

class Any(pulumi.CustomResource):
    arn: pulumi.Output[str]

    def __init__(self, kind, name, props, opts):
        super().__init__(kind, name, dict(props) | {{"arn": None}}, opts)

for rule in RULES:
    made = {{}}
    for one in getattr(rule, KIND).resources:
        name = one.name if one.type.startswith("tenantry:") else f"{{rule.id}}--{{one.name}}"
        opts = pulumi.ResourceOptions(protect=one.protect or None, parent=made.get(one.parent))
        if one.type.startswith("tenantry:"):
            made[one.name] = pulumi.ComponentResource(one.type, name, None, opts)
            continue
        made[one.name] = Any(one.type, name, resolved(one.inputs, made), opts)
"""


@pytest.fixture
def planner(tmp_path: Path) -> Workspace:
    """A workspace of prod whose provider takes everything and makes nothing."""
    made = Workspace(tmp_path, "prod")
    plugins = made.sandbox / "engine" / "plugins"
    plugins.unlink()
    folder = plugins / f"resource-aws-v{plugin_versions()['aws']}"
    folder.mkdir(parents=True)
    launcher = folder / "pulumi-resource-aws"
    launcher.write_text(
        f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m tests.engine.anything "$@"\n', "utf-8"
    )
    launcher.chmod(0o755)
    for name, old, new in (
        ("Pulumi.yaml", r"(?m)^  pulumi:disable-default-providers:\n(    .*\n)+", ""),
        ("Pulumi.prod.yaml", r"\b\d{12}\b", "111122223333"),  # the account of the examples
    ):
        path = made.project / name
        text, times = re.subn(old, new, path.read_text("utf-8"))
        assert times, name
        path.write_text(text, "utf-8")
    return made


def refused(workspace: Workspace, kind: str) -> tuple[int, dict[str, set[str]]]:
    """The status of a preview of all examples, and which resources each rule refused."""
    text = PROGRAM.format(root=str(workspace.project), kind=kind)
    (workspace.project / "__main__.py").write_text(text, "utf-8")
    run = workspace.pulumi("preview", "--policy-pack", "policies")
    assert "Policies:" in run.output, run.output
    found: dict[str, set[str]] = {}
    for name, rule in re.findall(r"\[mandatory\]  \S+  \(\S+: (\S+)\)\n.*\n\s+\[([a-z0-9-]+)\]", run.output):
        found.setdefault(rule, set()).add(name)
    advised = re.findall(r"^\s+\[([a-z0-9-]+)\] fails for", run.output, re.MULTILINE)
    return run.status, found | {rule: {"advised"} for rule in advised}


def test_every_bad_example_is_refused_by_the_engine(planner: Workspace) -> None:
    status, found = refused(planner, "bad")
    assert status != 0
    missed = [
        rule.id
        for rule in RULES
        if (rule.severity is Severity.MANDATORY and f"{rule.id}--it" not in found.get(rule.id, set()))
        or (rule.severity is Severity.ADVISORY and rule.id not in found)
    ]
    assert missed == []


def test_no_good_example_is_refused_by_its_own_rule(planner: Workspace) -> None:
    _, found = refused(planner, "good")
    assert [rule.id for rule in RULES if f"{rule.id}--it" in found.get(rule.id, set())] == []


# ------------------------------------------------------------------ the gate


def up(workspace: Workspace) -> tuple[int, str]:
    """`make up`, as far as Python does it; the launchers that it writes are its own."""
    own = workspace.sandbox.parent / "tools"
    (own / "cli").mkdir(parents=True, exist_ok=True)
    for path in (tools() / "cli").iterdir():
        if path.name in {"pulumi", "official"} and not (own / "cli" / path.name).exists():
            (own / "cli" / path.name).symlink_to(path)
    done = subprocess.run(
        [sys.executable, "-m", "devtools", "up", "--stack", workspace.stack],
        cwd=workspace.project,
        env=workspace.env | {"SANDBOX_POSTGRES": "0", "TENANTRY_TOOLS_DIR": str(own)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_an_edit_that_would_replace_a_database_is_stopped_before_step_one(dev: Workspace) -> None:
    """The name of an instance's master user cannot change: AWS would make a new instance, empty."""
    code = dev.project / "plan" / "data" / "databases.py"
    text = code.read_text("utf-8")
    worse = text.replace('MASTER_USER: Final = "platform"', 'MASTER_USER: Final = "another"')
    assert worse != text
    code.write_text(worse, "utf-8")
    before = dev.cloud().all()
    status, result = up(dev)
    assert status == 1, result
    losses = [line for line in result.splitlines() if "would be replaced" in line]
    assert {re.search(r"::(\S+) holds a database", line)[1] for line in losses} == {  # type: ignore[index]
        "monolith-instance",
        "reports-instance",
        "shard-a-instance",
        "silo-ember-cards-instance",
    }
    (shard,) = (line for line in losses if "shard-a-instance holds" in line)
    assert "because of username" in shard
    assert re.search(r"; \S+, .* and \d+ more depend on it; ", shard)
    assert "make a second one beside it" in shard
    assert dev.cloud().all() == before
    urns = [line.rpartition("urn ")[2].strip() for line in losses]
    approve(dev, urns, "2020-01-01")
    assert "its approval has expired" in up(dev)[1]
    approve(dev, urns[:1], "2999-01-01")
    assert up(dev)[0] == 1
    approve(dev, urns, "2999-01-01")
    status, result = up(dev)
    assert (status, dev.cloud().all() == before) == (0, False), result


def approve(workspace: Workspace, urns: list[str], until: str) -> None:
    fields = ("operation: replace", "reason: nothing was ever kept in it", "owner: a@b.example")
    text = "".join("\n  ".join([f"- urn: {urn}", *fields, f"expires: {until}"]) + "\n" for urn in urns)
    (workspace.project / "policies" / "approvals.yaml").write_text(text, "utf-8")


def test_a_dangerous_setting_is_stopped_before_step_one(dev: Workspace) -> None:
    """The pack refuses it in the preview that `make up` makes first; no stage of a move is taken by it."""
    code = dev.project / "components" / "data" / "database.py"
    text = code.read_text("utf-8")
    worse = text.replace('"publicly_accessible": False', '"publicly_accessible": True')
    assert worse != text
    code.write_text(worse, "utf-8")
    moving = [sys.executable, "-m", "tenants", "move", "amber-pay", "--to", "silo"]
    subprocess.run(moving, cwd=dev.project, env=dev.env, check=True, capture_output=True)
    ledger = dev.project / "tenants" / "ledger" / "dev.yaml"
    before, remembered = dev.cloud().all(), ledger.read_bytes()
    status, result = up(dev)
    assert status != 0
    assert "[database-not-public]" in result
    assert dev.cloud().all() == before
    assert "tenants/ledger/dev.yaml is as it was before" in result
    assert ledger.read_bytes() == remembered, "a stage that was refused is none"
