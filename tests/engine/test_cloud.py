"""The local cloud behind the real engine: drift, secrets, two runs at once, types it does not know."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.workspace import Workspace


def _altered(space: Workspace, kind: str, name: str, **changes: object) -> str:
    """Change a resource behind the engine's back, as a hand in the console would."""
    cloud = space.cloud()
    row = next(r for r in cloud.all(kind) if r.urn.endswith(f"::{name}"))
    with cloud.change():
        cloud.put(replace(row, inputs={**row.inputs, **changes}, outputs={**row.outputs, **changes}))
    return row.urn


@pytest.mark.slow
def test_a_change_by_hand_shows_and_is_put_right(dev: Workspace) -> None:
    urn = _altered(dev, "aws:rds/instance:Instance", "shard-a-instance", backupRetentionPeriod=1)
    seen = dev.pulumi("preview", "--refresh")
    assert [s.urn for s in seen.changes if s.op == "update"] == [urn], seen.output
    mended = dev.pulumi("up", "--refresh", "--yes", "--skip-preview")
    assert mended.status == 0, mended.output
    row = next(r for r in dev.cloud().all("aws:rds/instance:Instance") if r.urn == urn)
    assert row.outputs["backupRetentionPeriod"] == 7
    assert dev.preview().changes == ()


@pytest.mark.slow
def test_what_is_gone_by_hand_is_made_again(dev: Workspace) -> None:
    cloud = dev.cloud()
    row = next(r for r in cloud.all("aws:ssm/parameter:Parameter") if "amber-pay" in r.urn)
    with cloud.change():
        cloud.remove(row.type, row.id)
    run = dev.pulumi("up", "--refresh", "--yes", "--skip-preview")
    assert run.status == 0, run.output
    assert [s.urn for s in run.changes if s.op == "create"] == [row.urn]


@pytest.mark.slow
def test_no_secret_is_in_clear_in_the_state_or_the_output(dev: Workspace) -> None:
    cloud = dev.cloud()
    secrets = {
        str(r.outputs[key])
        for kind, key in (
            ("aws:secretsmanager/secretVersion:SecretVersion", "secretString"),
            ("aws:apigateway/apiKey:ApiKey", "value"),
        )
        for r in cloud.all(kind)
        if r.outputs.get(key)
    }
    keys = {json.loads(s).get("private_key", "") for s in secrets if s.startswith("{")}
    canaries = {c.strip() for c in secrets | keys if c.strip()}
    assert len(canaries) > 6
    state = json.dumps(dev.state())
    run = dev.pulumi("preview", "--diff")
    files = "".join(p.read_text(errors="replace") for p in (dev.sandbox / "state").rglob("*") if p.is_file())
    for place in (state, run.output, files):
        found = [c[:6] for c in canaries if c in place or json.dumps(c)[1:-1] in place]
        assert found == []
    assert "PRIVATE KEY" not in state + run.output


@pytest.mark.slow
def test_two_stacks_at_once_share_a_cloud(tmp_path: Path) -> None:
    dev, prod = Workspace(tmp_path / "a", "dev"), Workspace(tmp_path / "b", "prod")
    prod.env["SANDBOX_DIR"], prod.sandbox = dev.env["SANDBOX_DIR"], dev.sandbox
    prod.push_images()
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda space: space.up(), (dev, prod)))
    assert [r.status for r in runs] == [0, 0], runs[0].output + runs[1].output
    assert len(dev.cloud().all()) > 500
    assert len(prod.cloud().all()) > 1000


UNKNOWN_TYPE = """
import pulumi
import pulumi_aws as aws
import pulumi_aws.dynamodb as dynamodb
provider = aws.Provider("aws", region="eu-west-1", allowed_account_ids=["111122223333"])
options = pulumi.ResourceOptions(provider=provider)
dynamodb.Table("t", attributes=[{"name": "k", "type": "S"}], hash_key="k", opts=options)
"""


def test_a_type_that_is_not_described_is_refused_by_name(tmp_path: Path) -> None:
    space = Workspace(tmp_path, "dev")
    (space.project / "__main__.py").write_text(UNKNOWN_TYPE, encoding="utf-8")
    run = space.up()
    assert run.status != 0
    assert "the sandbox does not know aws:dynamodb/table:Table" in run.output
    assert "sandbox/aws/types/dynamodb.yaml" in run.output


IMPORT = """
import pulumi
import pulumi_aws as aws
from pulumi_aws import sqs
provider = aws.Provider("aws", region="eu-west-1", allowed_account_ids=["111122223333"])
sqs.Queue("q", name="by-hand", visibility_timeout_seconds=30,
          opts=pulumi.ResourceOptions(provider=provider, import_="{url}"))
"""


@pytest.mark.slow
def test_what_exists_can_be_imported(tmp_path: Path) -> None:
    space = Workspace(tmp_path, "dev")
    maker = Workspace(tmp_path / "maker", "prod")  # somebody else: of dev itself a state would be missing
    maker.env["SANDBOX_DIR"] = space.env["SANDBOX_DIR"]
    made = IMPORT.replace(', import_="{url}"', "")
    (maker.project / "__main__.py").write_text(made, encoding="utf-8")
    assert maker.up().status == 0
    row = space.cloud().all("aws:sqs/queue:Queue")[0]
    (space.project / "__main__.py").write_text(IMPORT.replace("{url}", row.id), encoding="utf-8")
    run = space.up()
    assert run.status == 0, run.output
    assert "import" in {s.op for s in run.steps}
    assert len(space.cloud().all("aws:sqs/queue:Queue")) == 1


def test_pulumi_typed_by_hand_works(dev: Workspace) -> None:
    for command in (["preview", "-s", "dev"], ["stack", "output", "-s", "dev"], ["config", "-s", "dev"]):
        done = subprocess.run(
            ["pulumi", *command],
            cwd=dev.project,
            env=dev.env,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
    assert "encryptionsalt" not in (dev.project / "Pulumi.dev.yaml").read_text(encoding="utf-8")
