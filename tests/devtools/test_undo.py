"""What becomes of a run without checkpoints that is killed or interrupted."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from devtools.crash_rollback import undoable
from devtools.locks import locks
from devtools.paths import Sandbox
from sandbox.cloud.store import Row, Store
from tests.devtools.small import QUEUES, Small

SECONDS = 60


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """Of a size that takes the engine a second or two."""
    return Small(tmp_path, QUEUES, '{"small:queues": 400}')


def begin(small: Small, resources: int) -> "subprocess.Popen[bytes]":
    """Start an `up`, and come back when it has made some of its resources."""
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", "dev"]
    process = subprocess.Popen(
        command, cwd=small.project, env=small.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    cloud, deadline = small.cloud(), time.monotonic() + SECONDS
    while len(cloud.all()) < resources:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


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
    assert len(in_state) == 400


def test_a_killed_run_is_undone_and_the_next_one_succeeds(small: Small) -> None:
    process = begin(small, 50)
    os.kill(engine_of(small), signal.SIGKILL)
    assert process.wait(SECONDS) != 0
    assert 50 <= len(small.cloud().all()) < 400
    status, output = small.pulumi("up", "--yes", "--skip-preview")
    assert status == 0, output
    assert "the last run of dev was killed before it wrote its state" in output
    assert "released the lock of dev" in output
    assert_whole(small)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_it_did_and_goes_on(small: Small, number: int) -> None:
    """A terminal interrupts the engine; who stops `make` stops the wrapper, which tells the engine."""
    process = begin(small, 50)
    os.kill(engine_of(small) if number == signal.SIGINT else process.pid, number)
    assert process.wait(SECONDS) != 0
    kept = {r.id for r in small.cloud().all()}
    assert 50 <= len(kept) < 400
    assert_whole(small)
    assert kept <= {r.id for r in small.cloud().all()}


def row(stack: str, name: str) -> Row:
    return Row("aws:sqs/queue:Queue", name, f"urn:pulumi:{stack}::p::aws:sqs/queue:Queue::{name}", {}, {})


def put(store: Store, stack: str, name: str) -> None:
    store.put(row(stack, name), handles=[name, f"arn:{name}"])
    store.claim("account", "aws:sqs/queue:Queue", name, name)


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

    assert undoable(tmp_path, "dev", killed) == -9
    assert {r.id for r in store.all()} == {"kept", "made", "other"}
    seen: list[set[str]] = []
    undoable(tmp_path, "dev", lambda _: seen.append({r.id for r in store.all()}) or 0)
    assert seen == [{"kept", "changed", "other"}]
    assert [r.id for r in store.find("aws:sqs/queue:Queue", "arn:changed")] == ["changed"]
    assert store.find("aws:sqs/queue:Queue", "arn:made") == []
    store.claim("account", "aws:sqs/queue:Queue", "made", "made")
    assert list((tmp_path / "undo").glob("*.sqlite")) == []


def test_a_run_that_wrote_its_state_is_not_undone(tmp_path: Path) -> None:
    state = Sandbox(tmp_path).state / ".pulumi" / "stacks" / "p" / "dev.json"
    state.parent.mkdir(parents=True)
    store = Store(tmp_path / "cloud.sqlite", "1" * 12, "eu-west-1")

    def failed(_: tuple[int, ...]) -> int:
        put(store, "dev", "made")
        state.write_text("{}", encoding="utf-8")
        return 1

    assert undoable(tmp_path, "dev", failed) == 1
    undoable(tmp_path, "dev", lambda _: 0)
    assert [r.id for r in store.all()] == ["made"]
