"""What becomes of a run without checkpoints that is killed or interrupted."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from devtools.crash_rollback import run_with_rollback
from devtools.locks import locks
from devtools.paths import Sandbox
from sandbox.cloud.store import Row, Store
from sandbox.faults.plan import VARIABLE
from tests.devtools.small import QUEUES, Small
from tests.waiting import LIMIT, wait_for

COUNT = 400


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """Of a size that takes the engine a second or two."""
    return Small(tmp_path, QUEUES, f'{{"small:queues": {COUNT}}}')


@dataclass(frozen=True)
class HalfDone:
    """An `up` that has made 50 of its resources and makes few more before it may `go_on`."""

    process: "subprocess.Popen[bytes]"
    log: Path
    go_on: Path


def half_done(small: Small, home: Path) -> HalfDone:
    go_on, log = home / "go-on", home / "log"
    hang = {"do": "hang", "until": str(go_on), "at": 60, "times": "always"}
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", "dev"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=small.project,
            env=small.env | {VARIABLE: json.dumps({"faults": [hang]})},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    cloud = small.cloud()
    wait_for(lambda: len(cloud.all()) >= 50 or process.poll() is not None, "half of the resources")
    assert process.poll() is None
    return HalfDone(process, log, go_on)


def engine_of(small: Small) -> int:
    """The process that holds the stack's lock."""
    return next(pid for _, pid, alive in locks(small.sandbox, "dev") if alive)


def assert_whole(small: Small) -> None:
    """The stack is up, nothing is left to change, and the cloud holds what the state names."""
    assert small.pulumi("up", "--yes", "--skip-preview")[0] == 0
    status, output = small.pulumi("preview", "--expect-no-changes")
    assert status == 0, output
    state = json.loads(small.pulumi("stack", "export")[1])["deployment"]["resources"]
    in_state = {r["id"] for r in state if r["type"].startswith("aws:")}
    assert {r.id for r in small.cloud().all()} == in_state
    assert len(in_state) == COUNT


@pytest.mark.slow
def test_a_killed_run_is_undone_and_the_next_one_succeeds(small: Small, tmp_path: Path) -> None:
    run = half_done(small, tmp_path)
    os.kill(engine_of(small), signal.SIGKILL)
    assert run.process.wait(LIMIT) != 0
    assert 50 <= len(small.cloud().all()) < COUNT
    status, output = small.pulumi("up", "--yes", "--skip-preview")
    assert status == 0, output
    assert "the last run of dev was killed before it wrote its state" in output
    assert "released the lock of dev" in output
    assert_whole(small)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_it_did_and_goes_on(small: Small, tmp_path: Path, number: int) -> None:
    """A terminal interrupts the engine; who stops `make` stops the wrapper, which tells the engine."""
    run = half_done(small, tmp_path)
    os.kill(engine_of(small) if number == signal.SIGINT else run.process.pid, number)
    wait_for(lambda: b"cancelling" in run.log.read_bytes(), "the engine's word that it was interrupted")
    run.go_on.touch()
    assert run.process.wait(LIMIT) != 0
    kept = {r.id for r in small.cloud().all()}
    assert 50 <= len(kept) < COUNT
    assert_whole(small)
    assert kept <= {r.id for r in small.cloud().all()}


def row(stack: str, name: str) -> Row:
    return Row("aws:sqs/queue:Queue", name, f"urn:pulumi:{stack}::p::aws:sqs/queue:Queue::{name}", {}, {})


def put(store: Store, stack: str, name: str) -> None:
    store.put(row(stack, name), handles=[name, f"arn:{name}"])
    store.claim_name("account", "aws:sqs/queue:Queue", name, name)


def test_only_the_killed_stack_goes_back(tmp_path: Path) -> None:
    """Another stack that ran meanwhile in the same cloud keeps what it made; names are free again."""
    (Sandbox(tmp_path).state / ".pulumi" / "stacks" / "p").mkdir(parents=True)
    store = Store(tmp_path / "cloud.sqlite", "1" * 12, "eu-west-1")
    put(store, "dev", "kept")
    put(store, "dev", "changed")

    def killed(_: tuple[int, ...]) -> int:
        store.remove("aws:sqs/queue:Queue", "changed")
        put(store, "dev", "made")
        put(store, "prod", "other")
        return -9

    assert run_with_rollback(tmp_path, "dev", killed) == -9
    assert {r.id for r in store.all()} == {"kept", "made", "other"}
    seen: list[set[str]] = []
    run_with_rollback(tmp_path, "dev", lambda _: seen.append({r.id for r in store.all()}) or 0)
    assert seen == [{"kept", "changed", "other"}]
    assert [r.id for r in store.find("aws:sqs/queue:Queue", "arn:changed")] == ["changed"]
    assert store.find("aws:sqs/queue:Queue", "arn:made") == []
    store.claim_name("account", "aws:sqs/queue:Queue", "made", "made")
    assert list((tmp_path / "undo").glob("*.sqlite")) == []


def test_a_run_that_wrote_its_state_is_not_undone(tmp_path: Path) -> None:
    state = Sandbox(tmp_path).state / ".pulumi" / "stacks" / "p" / "dev.json"
    state.parent.mkdir(parents=True)
    store = Store(tmp_path / "cloud.sqlite", "1" * 12, "eu-west-1")

    def failed(_: tuple[int, ...]) -> int:
        put(store, "dev", "made")
        state.write_text("{}", encoding="utf-8")
        return 1

    assert run_with_rollback(tmp_path, "dev", failed) == 1
    run_with_rollback(tmp_path, "dev", lambda _: 0)
    assert [r.id for r in store.all()] == ["made"]
