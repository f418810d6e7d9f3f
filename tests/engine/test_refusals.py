"""Bad input, a wrong account and a wrong edit: one clear answer, status not zero, nothing changed."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.engine.workspace import Workspace

EDITS = {
    "not YAML": ("amber-pay:", "amber-pay: [", r"tenants/dev\.yaml:\d+:\d+: "),
    "unknown field": (
        "  isolation: pool",
        "  isolaton: pool",
        r"tenants/dev\.yaml:\d+:\d+: .*isolaton.*isolation",
    ),
    "misspelt isolation": ("  isolation: pool", "  isolation: pol", r"tenants/dev\.yaml:\d+:\d+: .*pool"),
}


@pytest.mark.parametrize(
    "case",
    ["misspelt isolation", *(pytest.param(c, marks=pytest.mark.slow) for c in ("not YAML", "unknown field"))],
)
def test_a_bad_registry_changes_nothing(tmp_path: Path, case: str) -> None:
    old, new, message = EDITS[case]
    space = Workspace(tmp_path, "dev")
    text = space.registry.read_text(encoding="utf-8")
    assert old in text
    space.registry.write_text(text.replace(old, new, 1), encoding="utf-8")
    run = space.up()
    assert run.status != 0
    assert re.search(message, run.output), run.output
    assert "Traceback" not in run.output
    assert space.cloud().all() == []


@pytest.mark.slow
def test_a_switch_of_isolation_is_refused(dev: Workspace) -> None:
    text = dev.registry.read_text(encoding="utf-8")
    first = text.index("  isolation: pool")
    changed = text[:first] + text[first:].replace("  isolation: pool", "  isolation: silo", 1)
    dev.registry.write_text(changed, encoding="utf-8")
    before = {r.id: r for r in dev.cloud().all()}
    run = dev.up()
    assert run.status != 0
    assert "isolation" in run.output
    assert "Traceback" not in run.output
    assert {r.id: r for r in dev.cloud().all()} == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "backupDays: 7",
            "backupDays: 99",
            "tenantry:backupDays: 99 is not allowed; expected a whole number from 7 to 35",
        ),
        pytest.param(
            "natPerZone: false",
            "natPerZones: false",
            "tenantry:natPerZones: no such setting",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "  tenantry:domain: dev.tenantry.example\n",
            "",
            "tenantry:domain: missing",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    space = Workspace(tmp_path, "dev")
    path = space.project / "Pulumi.dev.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    run = space.up()
    assert run.status != 0
    assert message in " ".join(run.output.split()), run.output
    assert "Traceback" not in run.output
    assert space.cloud().all() == []


def test_another_account_is_refused(tmp_path: Path) -> None:
    space = Workspace(tmp_path, "dev")
    space.env["SANDBOX_ACCOUNT_ID"] = "999999999999"
    run = space.up()
    assert run.status != 0
    assert "expected the credentials of account 111122223333, found those of 999999999999" in run.output
    assert run.steps == ()
    assert space.cloud().all() == []


def test_a_stack_without_a_file_is_named(tmp_path: Path) -> None:
    space = Workspace(tmp_path, "dev")
    done = subprocess.run(
        ["pulumi", "up", "--stack", "nowhere", "--yes", "--non-interactive"],
        cwd=space.project,
        env=space.env,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 1
    assert "there is no Pulumi.nowhere.yaml" in done.stderr
    assert "dev" in done.stderr


BEYOND = """
import pulumi_aws as aws
from pulumi import ResourceOptions

account = aws.Provider("account", region="eu-west-1", allowed_account_ids=["111122223333"])
made = ResourceOptions(provider=account)
for i in range(6):
    aws.ec2.Vpc(f"network-{i}", cidr_block=f"10.{i}.0.0/16", opts=made)
"""
MALFORMED = """
import pulumi_aws as aws
from pulumi import ResourceOptions

account = aws.Provider("account", region="eu-west-1", allowed_account_ids=["111122223333"])
aws.ec2.Vpc("network", cidr_block="10.0.0.0/8", opts=ResourceOptions(provider=account))
"""

JUST_MADE = """
import json
import pulumi_aws as aws
from pulumi import ResourceOptions

account = aws.Provider("account", region="eu-west-1", allowed_account_ids=["111122223333"])
made = ResourceOptions(provider=account)
states = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
trust = json.dumps({"Version": "2012-10-17", "Statement": [states]})
role = aws.iam.Role("role", assume_role_policy=trust, opts=made)
definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
machine = aws.sfn.StateMachine("machine", role_arn=role.arn, definition=definition, opts=made)
bucket = aws.s3.Bucket("bucket", bucket="just-made", opts=made)
owner = {"object_ownership": "BucketOwnerEnforced"}
later = ResourceOptions(provider=account, depends_on=[machine])
aws.s3.BucketOwnershipControls("ownership", bucket=bucket.id, rule=owner, opts=later)
"""


@pytest.mark.slow
def test_what_names_a_thing_just_made_fails_where_the_provider_does_not_wait(tmp_path: Path) -> None:
    """It waits for a role to be known to Step Functions, and for a bucket not before its owner is set."""
    space = Workspace(tmp_path, "dev")
    (space.project / "__main__.py").write_text(JUST_MADE, encoding="utf-8")
    run = space.up()
    assert run.status != 0
    assert "creating S3 BucketOwnershipControls: NoSuchBucket: The specified bucket does not" in run.output
    assert len(space.cloud().all("aws:sfn/stateMachine:StateMachine")) == 1
    again = space.up()
    assert again.status == 0, again.output
    assert [s.type.rpartition(":")[2] for s in again.changes if s.op == "create"] == [
        "BucketOwnershipControls"
    ]
    assert len(space.cloud().all("aws:sfn/stateMachine:StateMachine")) == 1


def test_a_quota_that_is_exceeded_is_refused_at_the_creation(tmp_path: Path) -> None:
    space = Workspace(tmp_path, "dev")
    (space.project / "__main__.py").write_text(BEYOND, encoding="utf-8")
    run = space.up()
    assert run.status != 0
    assert "VpcLimitExceeded: The maximum number of VPCs has been reached." in run.output
    assert len(space.cloud().all("aws:ec2/vpc:Vpc")) == 5


def test_a_new_account_is_refused_before_the_first_resource(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the stack's file believes of it, and where the file says so, by the program itself."""
    monkeypatch.setenv("SANDBOX_PROFILE", "fresh")
    space = Workspace(tmp_path, "dev")
    believed = space.up()
    file = space.project / "Pulumi.dev.yaml"
    file.write_text(file.read_text("utf-8") + "  tenantry:quotas: fresh\n", "utf-8")
    for run in (believed, space.up()):
        assert run.status == 1, run.output
        assert not [step for step in run.changes if step.type.startswith("aws:")]
        for code in ("L-B99A9384 --desired-value 138", "L-3032A538 --desired-value 64"):
            assert f"--quota-code {code}" in run.output
    assert not space.cloud().all()


def test_what_aws_would_refuse_is_refused_in_the_preview(tmp_path: Path) -> None:
    space = Workspace(tmp_path, "dev")
    (space.project / "__main__.py").write_text(MALFORMED, encoding="utf-8")
    run = space.preview()
    assert run.status != 0
    assert "InvalidVpc.Range: The CIDR '10.0.0.0/8' is invalid." in run.output
    assert space.cloud().all() == []
