"""A project of a few lines with a sandbox of its own, run by the real engine in a second or two."""

import subprocess
from pathlib import Path

from devtools import environment, prepare_stack
from sandbox.cloud.store import FILE, Store
from tests.forks import preloaded
from tests.waiting import LIMIT

ACCOUNT, REGION = "111122223333", "eu-west-1"
PROJECT = "name: small\nruntime: {name: python, options: {toolchain: pip, virtualenv: .venv}}\n"
# Queues in the account, as many as the setting says; the last may be protected.
QUEUES = f"""
import pulumi, pulumi_aws as aws
config = pulumi.Config()
count, safe = config.require_int("queues"), config.get_bool("safe")
provider = aws.Provider("aws", region="{REGION}", allowed_account_ids=["{ACCOUNT}"])
for i in range(count):
    protect = bool(safe) and i == count - 1
    aws.sqs.Queue(f"q{{i}}", name=f"q{{i}}", opts=pulumi.ResourceOptions(provider=provider, protect=protect))
pulumi.export("tenants", {{"a": {{"isolation": "pool"}}}})
"""


class Small:
    """The project, its stack `dev` and what lives in its cloud."""

    def __init__(self, home: Path, program: str, config: str = "{}", *, forked: bool = False) -> None:
        """With `forked`, host and plugins have their imports already (`tests/guard/preloaded.py`)."""
        self.project, self.sandbox = home / "project", home / "sandbox"
        self.project.mkdir(parents=True)
        (self.project / "Pulumi.yaml").write_text(PROJECT, encoding="utf-8")
        (self.project / "__main__.py").write_text(program, encoding="utf-8")
        self.file = self.project / "Pulumi.dev.yaml"
        self.configure(config)
        self.env = environment(self.project, self.sandbox) | (preloaded() if forked else {})
        prepare_stack(self.project, self.sandbox, "dev")

    def configure(self, config: str) -> None:
        self.file.write_text(f"config: {config}\n", encoding="utf-8")

    def pulumi(self, *args: str, cwd: Path | None = None, stack: bool = True) -> tuple[int, str]:
        """Status and all that was printed."""
        named = ["--stack", "dev"] if stack else []
        done = subprocess.run(
            ["pulumi", *args, *named, "--non-interactive", "--color=never"],
            cwd=cwd or self.project,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return done.returncode, done.stdout

    def cloud(self) -> Store:
        return Store(self.sandbox / FILE, ACCOUNT, REGION)
