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
from cli.unfinished_runs import CARRIED_OUT
from sandbox.faults.injector import FILE as HITS
from sandbox.faults.plan import VARIABLE
from tenants.phases import Phase
from tests.engine.live import OTHER, POOLED, SILOED, Live
from tests.engine.workspace import Workspace

PLACE, MOVE = f"{POOLED}-tenant-place-shard-a", f"{POOLED}-tenant-move"
Failures = Mapping[Phase, list[str]]
"""What happens to the call of each stage of a move, run after run: AWS refuses it, or its answer is lost."""
TO_THE_SILO: Final[Failures] = {
    Phase.PREPARE: ["fail"],
    Phase.REPLICATE: ["lose-reply"],
    Phase.CUTOVER: ["fail", "fail"],
    Phase.SOAK: ["fail", "lose-reply"],
    Phase.DONE: ["lose-reply"],
}
AND_BACK: Final[Failures] = {
    Phase.PREPARE: [],
    Phase.REPLICATE: [],
    Phase.CUTOVER: [],
    Phase.ROLLBACK: ["fail", "lose-reply"],
    Phase.ABORT: ["lose-reply"],
}
WORDS: Final = {Phase.PREPARE: ("--to", "silo", "--soak-days", "0"), Phase.ROLLBACK: ("--rollback",)}


def at_random() -> Failures:
    """Other failures each time; the seed is printed, and given again as FAILED_CALLS_SEED."""
    seed = os.environ.get("FAILED_CALLS_SEED") or secrets.token_hex(4)
    print(f"failures of seed {seed}")
    chance = random.Random(seed)  # noqa: S311 - no secret
    return {stage: chance.choices(["fail", "lose-reply"], k=chance.randrange(4)) for stage in TO_THE_SILO}


SHARD, SILO = "tenantry-dev-shard-a", f"tenantry-dev-silo-{POOLED}"
NEW: Final = "cedar-pay"
YESTERDAY: Final = str(datetime.date.today() - datetime.timedelta(days=1))


@dataclass(frozen=True, kw_only=True)
class Round:
    """Changes of the registry whose calls fail, and are made by the run after that. `faults`, run after run:
    call → whether it is refused or its answer is lost; `phases`: whose call fails → the phase that it is to
    lead to; `proofs`: tenant → a query, and what is in the answer afterwards.
    """

    asked: Sequence[tuple[str, ...]]  # of `tenantry tenants`; the second word is the tenant
    faults: Sequence[Mapping[str, str]]
    phases: Mapping[str, Phase]
    proofs: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    created: int = 0  # calls that are a creation, and whose answer is lost
    days: int = 0  # that go by before
    later: int = 0  # days that go by after the first failure


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
        faults=[
            {
                f"{NEW}-tenant-place-shard-a": "lose-reply",
                f"{SILOED}-tenant-rekey": "lose-reply",
                f"{OTHER}-tenant-place-shard-a": "fail",
                f"{POOLED}-tenant-place-shard-a": "lose-reply",
            }
        ],
        phases={
            NEW: Phase.ACTIVE,
            SILOED: Phase.ACTIVE,
            OTHER: Phase.SUSPENDED,
            POOLED: Phase.SUSPENDED,
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
        faults=[
            {
                f"{POOLED}-leaving-step": "lose-reply",
                f"{OTHER}-tenant-place-shard-a": "lose-reply",
                f"{SILOED}-tenant-rekey": "fail",
            }
        ],
        phases={POOLED: Phase.EXPORTED, OTHER: Phase.ACTIVE, SILOED: Phase.ACTIVE},
        created=1,
        proofs={
            OTHER: ("SELECT said FROM kept", "before"),
            SILOED: ("SELECT said FROM kept", "before"),
        },
    ),
    *(
        Round(
            asked=(("offboard", POOLED, *words),),
            faults=[{f"{POOLED}-leaving-step": do} for do in ("fail", "lose-reply")],
            phases={POOLED: phase},
            days=days,
            later=later,
        )
        for phase, days, later, words in (
            (Phase.RETAINED, 0, 0, ("--retain-until", YESTERDAY, "--key-days", "7")),
            (Phase.CLOSING, 0, 0, ()),
            # By then Step Functions has forgotten the closing, which alone was told of keys and secrets.
            (Phase.ERASING, 8, 91, ()),
            (Phase.ERASED, 0, 0, ()),
        )
    ),
)
FAILED: Final = (
    {stage for failures in (TO_THE_SILO, AND_BACK) for stage, each in failures.items() if each}
    | {phase for row in ROUNDS for phase in row.phases.values()}
)  # fmt: skip


def test_the_call_of_every_phase_fails_here() -> None:
    """A phase that is added to the table of a tenant's life is added here too."""
    assert set(Phase) == FAILED


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
@pytest.mark.parametrize(
    ("failing_stages", "home"),
    [(lambda: TO_THE_SILO, SILO), (at_random, SILO), (lambda: AND_BACK, SHARD)],
    ids=["fixed", "random", "back"],
)
def test_each_stage_of_a_move_whose_call_failed_is_finished_by_the_next_plain_up(
    live: Live, failing_stages: Callable[[], Failures], home: str
) -> None:
    live.psql(POOLED, "CREATE TABLE ledger (said text PRIMARY KEY); INSERT INTO ledger VALUES ('kept')")
    failures_of = failing_stages()
    # Of a call whose creation is recorded nowhere AWS has nothing; the sandbox notes it like a resource.
    live.orphans = failures_of[Phase.PREPARE].count("lose-reply")
    for stage, failures in failures_of.items():
        live.tenants_command("move", POOLED, *WORDS.get(stage, ()))
        for do in failures:
            with failing(live, {MOVE: do}):
                assert live.up().status != 0
            assert MOVE in failed(live)
            assert "kept" in live.psql(POOLED, "SELECT said FROM ledger"), "locked out after a failed stage"
            assert "not carried out: " in live.tenants_command("move", POOLED, "--status")
            assert "  unfinished  " in live.tenants_command("show", POOLED)
        run = live.up()
        assert run.status == 0, run.output
        assert live.outputs()["moves"][POOLED]["stage"] == stage
        assert "kept" in live.psql(POOLED, "SELECT said FROM ledger")
        assert "unfinished" not in live.tenants_command("show", POOLED)
    assert login(live.service, POOLED, live.stack).instance.name == home
    assert live.up().changes == ()


def fail_each(live: Live, row: Round, faults: Mapping[str, str]) -> None:
    """Runs until each of the calls has failed: the engine may end before it has made all of them."""
    waiting = dict(faults)
    while waiting:
        with failing(live, waiting):
            assert live.up().status != 0
        assert shown_unfinished(live, row) == {tenant for _, tenant, *_ in row.asked}
        made = failed(live) & waiting.keys()
        assert made
        waiting = {name: do for name, do in waiting.items() if name not in made}


def reached(live: Live, tenant: str) -> Phase:
    """The phase that a run has brought to its end, as the stack's outputs say."""
    outputs = live.outputs()
    told = outputs["leaving"].get(tenant) or outputs["tenants"][tenant]
    return CARRIED_OUT[told.get("stage") or told["phase"]]


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
        for faults in row.faults:
            fail_each(live, row, faults)
            if row.later and faults is row.faults[0]:
                live.wait(row.later)
        run = live.up()
        assert run.status == 0, run.output
        assert shown_unfinished(live, row) == set()
        assert {tenant: reached(live, tenant) for tenant in row.phases} == row.phases
        for tenant, (query, answer) in row.proofs.items():
            assert answer in live.psql(tenant, query)
    assert live.outputs()["keys"][SILOED]["inUse"] == 3
    assert [r["urn"] for r in live.state() if f"{POOLED}-tenant" in r["urn"]] == []
    assert live.preview().changes == ()
