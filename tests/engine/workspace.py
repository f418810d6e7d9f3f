"""A copy of the project with a state, a cloud and a ledger of its own, driven by the real engine."""

import json
import re
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from devtools import environment, prepare_stack
from devtools.stack_plans import load
from sandbox.cloud.store import FILE, Row, Store
from tests.checkout import write_checkout
from tests.forks import preloaded
from tests.waiting import LIMIT


@dataclass(frozen=True)
class Step:
    """One thing that the engine did, or in a preview would do."""

    op: str
    urn: str
    type: str

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[1]


@dataclass(frozen=True)
class Run:
    """How a call of the engine ended."""

    status: int
    output: str
    steps: tuple[Step, ...]

    @property
    def changes(self) -> tuple[Step, ...]:
        return tuple(s for s in self.steps if s.op not in {"same", "read", "refresh"})

    @property
    def counts(self) -> Counter[str]:
        return Counter(s.op for s in self.changes)


class Workspace:
    """Everything of one test lives below `home`; nothing of the checkout is written.

    What `assert_invariants` (tests/engine/invariants.py) has to know: `orphans` is how many resources may be
    in the cloud and unknown to the state, if they are reported; `canaries` are secrets beside those that the
    engine knows; `unprotected` are URNs whose protection a test took off on purpose.
    """

    made: ClassVar[list["Workspace"]] = []  # of the test that runs now

    def __init__(self, home: Path, stack: str = "dev") -> None:
        Workspace.made.append(self)
        self.orphans = 0
        self.canaries: set[str] = set()
        self.unprotected: set[str] = set()
        self.outputs_seen: list[str] = []
        self.stack = stack
        self.project = home / "project"
        self.sandbox = home / "sandbox"
        if not self.project.exists():  # of a copied one the project is there (tests/engine/deployed.py)
            write_checkout(self.project)
        # the engine writes what it does to an event log only with its debugging commands on
        self.env = environment(self.project, self.sandbox) | {"PULUMI_DEBUG_COMMANDS": "1"} | preloaded()
        self.env.pop("CI", None)  # a person's run, which may write the ledger
        prepare_stack(self.project, self.sandbox, stack)
        self.push_images()

    def push_images(self) -> None:
        """Push what the stack's file names in the cell's own repositories, as those do who build it."""
        text = (self.project / f"Pulumi.{self.stack}.yaml").read_text(encoding="utf-8")
        for repository, digest in re.findall(rf"/(tenantry/{self.stack}/\w+)@(sha256:\w+)", text):
            self.cloud().push_image(repository, digest)

    @property
    def registry(self) -> Path:
        return self.project / "tenants" / f"{self.stack}.yaml"

    @property
    def ledger(self) -> Path:
        return self.project / "tenants" / "ledger" / f"{self.stack}.yaml"

    def pulumi(self, *args: str) -> Run:
        """Run the engine; its steps come from its own event log."""
        log = self.project.parent / "events.json"
        log.unlink(missing_ok=True)
        command = ["pulumi", *args, "--stack", self.stack, "--non-interactive", "--event-log", str(log)]
        done = subprocess.run(
            command,
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        self.outputs_seen.append(done.stdout + done.stderr)
        return Run(done.returncode, done.stdout + done.stderr, tuple(_steps(log)))

    def destroy(self) -> Run:
        return self.pulumi("destroy", "--yes", "--skip-preview")

    def refresh(self) -> Run:
        return self.pulumi("refresh", "--yes", "--skip-preview")

    def unprotect(self) -> None:
        """Take the protection off as a reviewed change would, where there is any."""
        path = self.project / f"Pulumi.{self.stack}.yaml"
        text = path.read_text(encoding="utf-8")
        if "protectData: true" in text:
            self.unprotected |= {r["urn"] for r in self.state() if r.get("protect")}
            text = text.replace("protectData: true", "protectData: false")
            path.write_text(text.replace("environment: prod", "environment: staging"), encoding="utf-8")
            run = self.up()
            assert run.status == 0, run.output

    def cloud(self) -> Store:
        """The cloud of the stack's account and Region."""
        config = load(self.project / f"Pulumi.{self.stack}.yaml")["config"]
        return Store(self.sandbox / FILE, config["tenantry:accountId"], config["tenantry:region"])

    def everything(self) -> list[Row]:
        """All that is in the cloud that its runs see, of whichever account."""
        rows = self._ask("SELECT type, id, urn, inputs, outputs FROM resources ORDER BY type, id")
        return [Row(t, i, u, json.loads(ins), json.loads(outs)) for t, i, u, ins, outs in rows]

    def handles(self) -> set[tuple[str, str]]:
        """Type and word by which anything in the cloud answers."""
        return set(self._ask("SELECT type, value FROM handles"))

    def _ask(self, query: str) -> list[Any]:
        path = Path(self.env["SANDBOX_DIR"]) / FILE
        if not path.exists():
            return []  # nothing was ever made
        with closing(sqlite3.connect(path)) as db:
            return db.execute(query).fetchall()

    def up(self) -> Run:
        return self.pulumi("up", "--yes", "--skip-preview")

    def preview(self) -> Run:
        return self.pulumi("preview")

    def outputs(self) -> dict[str, Any]:
        command = ["pulumi", "stack", "output", "--json", "--stack", self.stack]
        found = subprocess.run(
            command,
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=True,
        )
        return json.loads(found.stdout)

    def state(self, *options: str) -> list[dict[str, Any]]:
        command = ["pulumi", "stack", "export", "--stack", self.stack, *options]
        found = subprocess.run(
            command,
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=True,
        )
        return json.loads(found.stdout)["deployment"].get("resources") or []


def _steps(log: Path) -> Iterator[Step]:
    if not log.exists():
        return
    for line in log.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        done = event.get("resOutputsEvent") or event.get("resOpFailedEvent")
        if done:
            meta = done["metadata"]
            yield Step(meta["op"], meta["urn"], meta["type"])
