"""A lifecycle call that failed is made again by the next plain `pulumi up`; nobody is locked out until then.

As with the real libraries (tests/provider_oracle), the failed update is in the state as if it were done.
"""

import datetime
import json
import os
import random
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest

from cli.sandbox.psql import login
from sandbox.faults.injector import FILE as HITS
from sandbox.faults.plan import VARIABLE
from tests.engine.live import OTHER, POOLED, SILOED, Live
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


NEW: Final = "cedar-pay"
YESTERDAY: Final = str(datetime.date.today() - datetime.timedelta(days=1))


@dataclass(frozen=True, kw_only=True)
class Round:
    """Changes of the registry whose calls fail in one run and are made by the next. `faults`: call → whether
    it is refused or its answer is lost; `proofs`: tenant → a query, and what is in the answer afterwards.
    """

    asked: Sequence[tuple[str, ...]]  # of `tenantry tenants`; the second word is the tenant
    faults: Mapping[str, str]
    proofs: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    created: int = 0  # calls that are a creation, and whose answer is lost
    days: int = 0  # that go by before


# Most answers are lost: what was done is then done twice.
ROUNDS: Final = (
    Round(
        asked=(
            (
                *("add", NEW, "name=Cedar", "isolation=pool", "residency=eu", "plan=starter"),
                *("contacts.email=ops@cedar.example", "--stack", "dev"),
            ),
            ("rotate-key", SILOED),
            ("suspend", OTHER),
            ("offboard", POOLED),
        ),
        faults={
            f"{NEW}-tenant-place-shard-a": "lose-reply",
            f"{SILOED}-tenant-rekey": "lose-reply",
            f"{OTHER}-tenant-place-shard-a": "fail",
            f"{POOLED}-tenant-place-shard-a": "lose-reply",
        },
        created=2,
        proofs={
            NEW: ("SELECT current_user", "t_cedar_pay"),
            SILOED: ("SELECT said FROM kept", "before"),
            OTHER: ("SELECT 1", "is not permitted to log in"),
            POOLED: ("SELECT 1", "is not permitted to log in"),
        },
    ),
    Round(
        asked=(("offboard", POOLED), ("resume", OTHER), ("rotate-key", SILOED)),
        faults={
            f"{POOLED}-leaving-step": "lose-reply",
            f"{OTHER}-tenant-place-shard-a": "lose-reply",
            f"{SILOED}-tenant-rekey": "fail",
        },
        created=1,
        proofs={
            OTHER: ("SELECT said FROM kept", "before"),
            SILOED: ("SELECT said FROM kept", "before"),
        },
    ),
    Round(asked=(("offboard", POOLED, "--retain-until", YESTERDAY, "--key-days", "7"),), faults={}),
    Round(asked=(("offboard", POOLED),), faults={f"{POOLED}-leaving-step": "lose-reply"}),
    Round(asked=(("offboard", POOLED),), faults={f"{POOLED}-leaving-step": "lose-reply"}, days=8),
)


@contextmanager
def failing(space: Workspace, faults: Mapping[str, str]) -> Iterator[None]:
    """AWS refuses each call that is about these resources; or its answer is lost once it was carried out."""
    given = [f"{{do: {do}, urn: '*::{name}', times: 99}}" for name, do in faults.items()]
    space.env[VARIABLE] = f"{{faults: [{', '.join(given)}]}}"
    try:
        yield
    finally:
        del space.env[VARIABLE]


def failed(space: Workspace) -> set[str]:
    """The resources about which a call has failed since this was last asked."""
    with closing(sqlite3.connect(space.sandbox / HITS)) as db, db:
        urns = [str(urn) for (urn,) in db.execute("SELECT urn FROM hits")]
        db.execute("DELETE FROM hits")
    return {urn.rsplit("::", 1)[1] for urn in urns}


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
        with failing(dev, {PLACE: "fail"}):
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
            with failing(live, {MOVE: do}):
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


def fail_each(live: Live, row: Round) -> None:
    """Runs until each of the calls has failed: the engine may end before it has made all of them."""
    waiting = dict(row.faults)
    while waiting:
        with failing(live, waiting):
            assert live.up().status != 0
        assert shown_unfinished(live, row) == {tenant for _, tenant, *_ in row.asked}
        made = failed(live) & waiting.keys()
        assert made
        waiting = {name: do for name, do in waiting.items() if name not in made}


def shown_unfinished(live: Live, row: Round) -> set[str]:
    """Of whom `tenants show` says so."""
    return {t for _, t, *_ in row.asked if "  unfinished  " in live.tenants_command("show", t)}


@pytest.mark.slow
def test_every_other_call_that_failed_is_finished_by_the_next_plain_up(live: Live) -> None:
    """Passwords and schemas of new tenants, suspension and its end, new keys, and leaving."""
    for tenant in (OTHER, SILOED, POOLED):
        live.psql(tenant, "CREATE TABLE kept AS SELECT 'before' AS said")
    for row in ROUNDS:
        if row.days:
            live.wait(row.days)
        for words in row.asked:
            live.tenants_command(*words)
        live.orphans += row.created
        fail_each(live, row)
        run = live.up()
        assert run.status == 0, run.output
        assert shown_unfinished(live, row) == set()
        for tenant, (query, answer) in row.proofs.items():
            assert answer in live.psql(tenant, query)
    assert live.outputs()["keys"][SILOED]["inUse"] == 3
    assert [r["urn"] for r in live.state() if f"{POOLED}-tenant" in r["urn"]] == []
    assert live.preview().changes == ()
