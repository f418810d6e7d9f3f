"""What the sandbox costs: its rules, and how its time grows with the number of resources."""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.engine.workspace import Workspace

SIZES = (250, 500, 1000)
ROUNDS = 3
MANY = """
import gc

gc.disable()
import pulumi_aws as aws
from pulumi import ResourceOptions

account = aws.Provider("account", region="eu-west-1", allowed_account_ids=["111122223333"])
made = ResourceOptions(provider=account)
for i in range({size} // 5):
    key = aws.kms.Key(f"key-{{i}}", enable_key_rotation=True, rotation_period_in_days=90, opts=made)
    topic = aws.sns.Topic(f"topic-{{i}}", name=f"topic-{{i}}", kms_master_key_id=key.arn, opts=made)
    aws.kms.Alias(f"alias-{{i}}", name=f"alias/many-{{i}}", target_key_id=key.key_id, opts=made)
    aws.secretsmanager.Secret(f"secret-{{i}}", name=f"many-{{i}}", kms_key_id=key.arn, opts=made)
    aws.cloudwatch.LogGroup(f"logs-{{i}}", name=f"/many/{{i}}", retention_in_days=365, opts=made)
"""


def main() -> None:
    print(f"{'sandbox: up':<28}{'resources':>10}{'seconds':>10}{'ratio':>10}")
    _rules()
    _growth()


def _rules() -> None:
    """The dev stack with its rules and without, in turn; the best of each, for noise only adds."""
    best = {"off": float("inf"), "on": float("inf")}
    resources = 0
    for _ in range(ROUNDS):
        for switch in ("off", "on"):
            resources, seconds = _up(None, SANDBOX_VALIDATION=switch)
            best[switch] = min(best[switch], seconds)
    for switch, seconds in best.items():
        print(f"{'dev: rules ' + switch:<28}{resources:>10}{seconds:>10.1f}{seconds / best['off']:>10.2f}")


def _growth() -> None:
    """Seconds for one resource, against those of the smallest: 1 where time grows as the number does."""
    first = 0.0
    for size in SIZES:
        resources, seconds = _up(MANY.format(size=size))
        each = seconds / resources
        first = first or each
        print(f"{f'{size} resources':<28}{resources:>10}{seconds:>10.1f}{each / first:>10.2f}", flush=True)


def _up(program: str | None, **env: str) -> tuple[int, float]:
    """Resources made and seconds taken by one `up` of an empty stack."""
    home = Path(tempfile.mkdtemp(prefix="tenantry-bench-"))
    try:
        space = Workspace(home, "dev")
        space.env |= {"SANDBOX_POSTGRES": "0", **env}
        if program is not None:
            (space.project / "__main__.py").write_text(program, encoding="utf-8")
        before = time.perf_counter()
        run = space.up()
        seconds = time.perf_counter() - before
        if run.status:
            sys.exit(f"bench: up ended with status {run.status}\n{run.output}")
        return len(run.changes), seconds
    finally:
        shutil.rmtree(home, ignore_errors=True)
