"""A lifecycle call that failed is made again by the next plain `pulumi up`; nobody is locked out until then.

As with the real libraries (tests/provider_oracle), the failed update is in the state as if it were done.
"""

import json
import os
import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from cli.sandbox.psql import login
from sandbox.faults.plan import VARIABLE
from tests.engine.live import POOLED, Live
from tests.engine.workspace import Workspace

PLACE, MOVE = f"{POOLED}-tenant-place-shard-a", f"{POOLED}-tenant-move"
# What happens to the call of each stage of a move, run after run: AWS refuses it, or its answer is lost.
FIXED = (["fail"], ["lose-reply"], ["fail", "fail"], ["fail", "lose-reply"], ["lose-reply"])


def at_random() -> Sequence[list[str]]:
    """Other failures each time; the seed is printed, and given again as FAILED_CALLS_SEED."""
    seed = os.environ.get("FAILED_CALLS_SEED") or secrets.token_hex(4)
    print(f"failures of seed {seed}")
    chance = random.Random(seed)  # noqa: S311 - no secret
    return [chance.choices(["fail", "lose-reply"], k=chance.randrange(4)) for _ in FIXED]


@contextmanager
def failing(space: Workspace, name: str, do: str = "fail") -> Iterator[None]:
    """AWS refuses each call that is about one resource; or its answer is lost once it was carried out."""
    space.env[VARIABLE] = f"{{faults: [{{do: {do}, urn: '*::{name}', times: 99}}]}}"
    try:
        yield
    finally:
        del space.env[VARIABLE]


def attempts(space: Workspace, name: str) -> tuple[str, str | None]:
    """The attempt in the state, and the one that the function recorded."""
    resource = next(r for r in space.state() if r["urn"].endswith(f"::{name}"))
    record = json.loads(resource["outputs"]["input"])["record"]
    rows = space.cloud().find("aws:ssm/parameter:Parameter", record["parameter"])
    return record["attempt"], json.loads(rows[0].inputs["value"])["attempt"] if rows else None


def suspend(space: Workspace) -> None:
    text = space.registry.read_text("utf-8")
    entry = f"{POOLED}:\n"
    assert entry in text
    space.registry.write_text(text.replace(entry, f"{entry}  state: suspended\n", 1), "utf-8")


@pytest.mark.slow
def test_a_call_that_failed_is_made_again_until_it_is_recorded(dev: Workspace) -> None:
    (before, recorded), _ = attempts(dev, PLACE), dev.preview()
    assert before == recorded
    suspend(dev)
    for _ in range(2):
        with failing(dev, PLACE):
            assert dev.up().status != 0
        in_state, recorded = attempts(dev, PLACE)
        assert in_state != recorded == before
        assert dev.outputs()["tenants"][POOLED]["phase"] == "active"
    run = dev.up()
    assert run.status == 0, run.output
    assert PLACE in {s.name for s in run.changes if s.op == "update"}
    in_state, recorded = attempts(dev, PLACE)
    assert in_state == recorded != before
    assert dev.outputs()["tenants"][POOLED]["phase"] == "suspended"
    assert dev.preview().changes == ()


@pytest.mark.slow
@pytest.mark.parametrize("failing_stages", [lambda: FIXED, at_random], ids=["fixed", "random"])
def test_each_stage_of_a_move_whose_call_failed_is_finished_by_the_next_plain_up(
    live: Live, failing_stages: Callable[[], Sequence[list[str]]]
) -> None:
    live.psql(POOLED, "CREATE TABLE ledger (said text PRIMARY KEY); INSERT INTO ledger VALUES ('kept')")
    words, stages = ["--to", "silo", "--soak-days", "0"], failing_stages()
    # Of a call whose creation is recorded nowhere AWS has nothing; the sandbox notes it like a resource.
    live.orphans = stages[0].count("lose-reply")
    for failures in stages:
        live.tenants_command("move", POOLED, *words)
        words = []
        for do in failures:
            with failing(live, MOVE, do):
                assert live.up().status != 0
            assert "kept" in live.psql(POOLED, "SELECT said FROM ledger"), "locked out after a failed stage"
            assert "not carried out: " in live.tenants_command("move", POOLED, "--status")
            assert "  unfinished  " in live.tenants_command("show", POOLED)
        run = live.up()
        assert run.status == 0, run.output
        assert "kept" in live.psql(POOLED, "SELECT said FROM ledger")
        assert "unfinished" not in live.tenants_command("show", POOLED)
    assert login(live.service, POOLED, live.stack).instance.name == "tenantry-dev-silo-amber-pay"
    assert live.up().changes == ()
