"""Faults that are tried on a small stack: what a person sees, what is done about it, how it ends."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from devtools.environment import FAST
from sandbox.faults.plan import VARIABLE
from tests.cells import ROOT
from tests.devtools.small import QUEUES, Small
from tests.team_files import guarded
from tests.waiting import LIMIT

COUNT, AT = 12, 6
UP: Final = ("up", "--yes", "--skip-preview", "--parallel", "4")
QUEUE: Final = "aws:sqs/queue:Queue"


@dataclass(frozen=True)
class Scenario:
    """`remedy`: what a person does before the next `up`; "" for nothing."""

    name: str
    fault: Mapping[str, Any]
    remedy: str = ""


SCENARIOS: Final = (
    Scenario("a call fails", {"do": "fail", "at": AT}),
    Scenario("a call is throttled three times", {"do": "throttle", "at": AT, "times": 3}),
    Scenario("calls are throttled for good", {"do": "throttle", "at": AT, "times": 30}),
    Scenario("a request times out", {"do": "timeout", "at": AT}),
    Scenario("a call is made and its reply lost", {"do": "lose-reply", "at": AT}, "adopt by hand"),
    Scenario("what follows a call fails", {"do": "fail-late", "at": AT}),
    Scenario("an answer takes two seconds", {"do": "hang", "seconds": 2, "at": AT}),
    Scenario("the engine is interrupted (SIGINT)", {"do": "kill", "signal": "INT", "at": AT}),
    Scenario("the engine is terminated (SIGTERM)", {"do": "kill", "signal": "TERM", "at": AT}),
    Scenario("the engine is killed after a call", {"do": "kill", "at": AT}, "recover"),
    Scenario("the engine is killed before a call", {"do": "kill", "when": "before", "at": AT}, "recover"),
    Scenario(
        "the plugin is killed after a call", {"do": "kill", "victim": "plugin", "at": AT}, "adopt by hand"
    ),
    Scenario("credentials expire", {"do": "revoke", "at": AT}),
    Scenario("a quota is hit", {"do": "quota", "type": QUEUE, "limit": AT}),
    Scenario("the cloud's disk is full", {"do": "disk-full", "victim": "plugin", "at": AT}),
    Scenario("the state's disk is full for 5 seconds", {"do": "disk-full", "seconds": 5, "at": AT}),
    Scenario("reads see nothing at first, in a refresh", {"do": "stale-reads"}),
)


@dataclass(frozen=True)
class Outcome:
    status: int
    error: str
    cloud: int
    state: int
    pending: int
    remedy: str
    whole: bool

    @property
    def row(self) -> str:
        held = f"{self.cloud} / {self.state} / {self.pending}"
        end = "yes" if self.whole else "**no**"
        return f"{self.status} | {self.error} | {held} | {self.remedy or 'none'} | {end}"


def play(scenario: Scenario) -> Outcome:
    home = Path(tempfile.mkdtemp(prefix="tenantry-reliability-"))
    try:
        return _play(scenario, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _play(scenario: Scenario, home: Path) -> Outcome:
    small = Small(home, QUEUES, f'{{"small:queues": {COUNT}}}')
    for key in FAST:
        small.env.pop(key, None)
    small.env = guarded(small.env | {"PYTHONPATH": str(ROOT)})
    command: tuple[str, ...] = UP
    if scenario.fault["do"] == "stale-reads":
        assert small.pulumi(*UP)[0] == 0
        command = ("refresh", "--yes", "--skip-preview")
    small.env[VARIABLE] = json.dumps({"faults": [dict(scenario.fault)]})
    status, output = small.pulumi(*command)
    del small.env[VARIABLE]
    known, pending = _state(small)
    cloud = {r.id for r in small.cloud().all(QUEUE)}
    held = len(cloud), len(known), pending
    _remedy(small, scenario.remedy, cloud - known)
    again, _ = small.pulumi(*UP)
    calm, _ = small.pulumi("preview", "--expect-no-changes")
    after, _ = _state(small)
    there = {r.id for r in small.cloud().all(QUEUE)}
    whole = (again, calm) == (0, 0) and after == there and len(there) == COUNT
    return Outcome(status, _error(output), *held, scenario.remedy, whole)


def _remedy(small: Small, remedy: str, unknown: set[str]) -> None:
    if remedy == "recover":
        _recovery(small, "recover", "dev")
    elif remedy == "adopt by hand":
        provider = "aws=urn:pulumi:dev::small::pulumi:providers:aws::aws"
        for one in sorted(unknown):
            name = one.rsplit("/", 1)[1]
            options = ("--yes", "--skip-preview", "--generate-code=false", "--protect=false")
            small.pulumi("import", QUEUE, name, one, "--provider", provider, *options)


def _recovery(small: Small, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "recovery", *args],
        cwd=small.project,
        env=small.env,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


def _state(small: Small) -> tuple[set[str], int]:
    """Ids in the state's file, and how many operations are pending in it."""
    path = next((small.sandbox / "state").glob(".pulumi/stacks/*/dev.json"))
    latest = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]["latest"] or {}
    found = {r["id"] for r in latest.get("resources") or [] if r["type"] == QUEUE}
    return found, len(latest.get("pending_operations") or [])


def _error(output: str) -> str:
    """The sentence that matters, without what differs from run to run."""
    lines = [line.split("error: ", 1)[1].strip() for line in output.splitlines() if "error: " in line]
    errors = [line for line in lines if line not in ("update failed", "preview failed")]
    if not errors:
        return "nothing"
    first = errors[0].split("api error ")[-1].split("request send failed, ")[-1].split('/": ')[-1]
    return first.replace("|", "/")[:110]
