"""Any sequence of edits, faults, kills, drift and repairs ends well: the real program on the real engine.

`make fuzz SECONDS=300` tries new ones for so long; `make test-all` plays the named ones, which people meet,
and short ones of fixed seeds, as many as some 40 seconds have room for.
"""

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import Phase as Part
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tenants import phases
from tenants.states import Isolation, PlacementKind
from tests.engine.deployed import LIVE, SMALL, Copies
from tests.engine.sequences import DRIFTS, KEPT, Sequence
from tests.engine.workspace import Workspace
from tests.strategies import Edit, RefusedError, edits, steps

LONG: Final = "FUZZ_SECONDS" in os.environ
SECONDS: Final = float(os.environ.get("FUZZ_SECONDS", "40"))
DATABASES: Final = os.environ.get("FUZZ_POSTGRES", "0") == "1"  # with databases that run, and rows in them
FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"do": "kill", "when": "after"},
    {"do": "kill", "when": "before"},
    {"do": "kill", "signal": "INT"},
    {"do": "kill", "signal": "TERM"},
    {"do": "kill", "victim": "plugin"},
    {"do": "fail", "code": "InternalFailure"},
    {"do": "throttle", "times": 3},
    {"do": "throttle", "times": 30},
    {"do": "timeout"},
    {"do": "lose-reply"},
    {"do": "revoke"},
    {"do": "quota", "type": "aws:kms/key:Key", "limit": 1},
)
# Edits that this version deploys: other steps of a tenant's life are refused before the engine starts.
DEPLOYED: Final = frozenset({"add", "change", "reorder", "drop", "wait", *map(str, phases.DEPLOYABLE)})
ONWARD: Final = phases.MOVING | {phases.Phase.ACTIVE}
faults: Final = st.builds(
    lambda fault, at: fault if fault["do"] == "quota" else {**fault, "at": at},
    st.sampled_from(FAULTS),
    st.integers(1, 25),
)


class Whatever(RuleBasedStateMachine):
    """`dirty`: whether a fault may stand in the way of a run until somebody recovers. `converged`: how many
    sequences of a class came to a sound end.
    """

    copied: ClassVar[Copies]
    dirty = False
    converged = 0

    @initialize(chosen=st.integers(0, 2**30))
    def begin(self, chosen: int) -> None:
        self.idle = chosen == 0  # the simplest of all sequences, which comes first each time
        if not self.idle:
            self.home = tempfile.TemporaryDirectory(prefix="tenantry-sequence-")
            self.it = begun(type(self).copied, Path(self.home.name) / "it", live=DATABASES)

    @precondition(lambda self: self.idle)
    @rule()
    def nothing(self) -> None:
        """The simplest sequence does nothing."""

    @precondition(lambda self: not self.idle)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        """An edit without a run: the next one has more to do."""
        self._edit(data)

    @precondition(lambda self: not self.idle)
    @rule(data=st.data(), fault=st.none() | faults)
    def edit_and_up(self, data: st.DataObject, fault: dict[str, Any] | None) -> None:
        """An edit, and a run that may go wrong."""
        self._edit(data)
        self._up(fault)

    def _up(self, fault: dict[str, Any] | None) -> None:
        run = self.it.up(*([fault] if fault else []))
        assert run.status == 0 or fault or self.dirty, run.output
        self.dirty = self.dirty or bool(fault)

    @precondition(lambda self: not self.idle)
    @rule(data=st.data(), fault=st.none() | faults)
    def step_and_up(self, data: st.DataObject, fault: dict[str, Any] | None) -> None:
        """The next step of a move, which an edit that is drawn from all seldom is."""
        if choices := steps(self.it.world, ONWARD):  # none where a run has everybody's before it
            self._take(data.draw(st.one_of(choices)))
        self._up(fault)

    def _edit(self, data: st.DataObject) -> None:
        self._take(data.draw(edits(self.it.world).filter(lambda e: e.what in DEPLOYED)))

    def _take(self, edit: Edit) -> None:
        edited = edit.apply(self.it.world)
        if waited := (edited.day - self.it.world.day).days:
            self.it.wait(waited)
            return
        try:
            edited.run()
        except RefusedError:
            return  # two steps of a life at once, or no room
        self.it.write(edited)

    @precondition(lambda self: not self.idle)
    @rule()
    def recover(self) -> None:
        self.it.recover()
        self.it.delete_orphans()

    @precondition(lambda self: not self.idle)
    @rule(kind=st.sampled_from(sorted(DRIFTS)))
    def drift(self, kind: str) -> None:
        self.it.drift(kind)
        self.dirty = True

    @precondition(lambda self: not self.idle)
    @rule()
    def refresh(self) -> None:
        self.it.space.refresh()

    @precondition(lambda self: not self.idle)
    @rule()
    def preview(self) -> None:
        before = self.it.space.everything()
        self.it.space.preview()
        assert self.it.space.everything() == before

    def teardown(self) -> None:
        if not getattr(self, "idle", True):
            try:
                self.it.converge()
                type(self).converged += 1
            finally:
                self.it.close()
            self.home.cleanup()


def begun(copied: Copies, home: Path, *, live: bool = False) -> Sequence:
    return Sequence(copied(LIVE if live else SMALL, home), live=live)


@pytest.mark.slow
def test_any_sequence_converges(copied: Copies) -> None:
    """One sequence a seed, as long as there is time for another; FUZZ_SEED plays one again."""
    ends, number = (
        time.monotonic() + SECONDS,
        int(os.environ.get("FUZZ_SEED", "7" if not LONG else time.time_ns())),
    )
    while True:
        begun = time.monotonic()
        assert play(number, copied) >= 1, f"sequence {number}: nothing was played to its end"
        Workspace.made.clear()  # each was looked at when it ended
        took = time.monotonic() - begun
        print(f"sequence {number}: {took:.0f} s")
        if "FUZZ_SEED" in os.environ or time.monotonic() + took > ends:
            return
        number += 1


def play(number: int, copied: Copies) -> int:
    """How many sequences converged: one, for the first of the two does nothing."""
    played = type("Sequence", (Whatever,), {"copied": staticmethod(copied)})
    chosen = settings(
        max_examples=2,
        stateful_step_count=8 if LONG else 3,
        deadline=None,
        database=None,
        phases=[Part.generate],  # to shrink one would take hours: what failed is printed as it was
        suppress_health_check=tuple(HealthCheck.__members__.values()),
        report_multiple_bugs=False,
    )
    try:
        run_state_machine_as_test(seed(number)(played), settings=chosen)
    except BaseException as wrong:
        wrong.add_note(f"again by: FUZZ_SEED={number} FUZZ_SECONDS={SECONDS:.0f} make fuzz")
        raise
    return played.converged


# -- named ones


def new_tenant(sequence: Sequence, id_: str = "harbour-pay", **fields: object) -> None:
    world = sequence.world
    pattern = next(t for t in world.entries if t.isolation is Isolation.POOL)
    made = replace(pattern, id=id_, name=id_, **fields)  # type: ignore[arg-type]
    sequence.write(replace(world, entries=(*world.entries, made)))


@pytest.fixture
def sequence(tmp_path: Path, copied: Copies) -> Sequence:
    return begun(copied, tmp_path / "it")


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [{"do": "kill", "at": 14}, {"do": "kill", "victim": "plugin", "at": 9}, {"do": "lose-reply", "at": 12}],
    ids=["engine killed", "plugin killed", "reply lost"],
)
def test_a_tenant_whose_onboarding_broke_off_is_whole_in_the_end(
    sequence: Sequence, fault: dict[str, Any]
) -> None:
    new_tenant(sequence)
    assert sequence.up(fault).status != 0
    sequence.converge()


@pytest.mark.slow
def test_killed_twice_in_a_row_and_drifted_meanwhile(sequence: Sequence) -> None:
    new_tenant(sequence)
    assert sequence.up({"do": "kill", "at": 6}).status != 0
    sequence.recover()
    sequence.drift("aws:ssm/parameter:Parameter")
    assert sequence.up({"do": "kill", "at": 6, "when": "before"}).status != 0
    sequence.converge()


@pytest.mark.slow
def test_a_tenant_that_is_suspended_and_resumed_keeps_its_api_key(sequence: Sequence) -> None:
    """What AWS made of a resource outlives an update of it."""
    before, keys = sequence.world, secrets_of_keys(sequence)
    suspended = tuple(
        replace(t, state=phases.Phase.SUSPENDED) if t.id == KEPT[0] else t for t in sequence.world.entries
    )
    sequence.write(replace(sequence.world, entries=suspended))
    run = sequence.up()
    assert run.counts.keys() == {"update"}, run.output
    assert secrets_of_keys(sequence) == keys
    sequence.drift("aws:cloudwatch/metricAlarm:MetricAlarm")
    sequence.converge()
    sequence.write(replace(before, ledger=sequence.ledger))
    sequence.converge()
    assert secrets_of_keys(sequence) == keys


def secrets_of_keys(sequence: Sequence) -> dict[str, str]:
    found = {r.urn: r.outputs["value"] for r in sequence.space.cloud().all("aws:apigateway/apiKey:ApiKey")}
    assert all(found.values())
    return found


@pytest.mark.slow
def test_rows_outlive_whatever_is_done_to_the_stack(tmp_path: Path, copied: Copies) -> None:
    """Written before by two tenants; the last line of `converge` reads them again."""
    sequence = begun(copied, tmp_path / "it", live=True)
    try:
        assert sequence.rows.keys() == set(KEPT)
        assert all(len(rows) == 100 for rows in sequence.rows.values())
        new_tenant(sequence)
        assert sequence.up({"do": "kill", "at": 14}).status != 0
        sequence.recover()
        sequence.drift("aws:rds/instance:Instance")
        active = sequence.world.entries
        suspended = tuple(replace(t, state=phases.Phase.SUSPENDED) if t.id == KEPT[0] else t for t in active)
        sequence.write(replace(sequence.world, entries=suspended))
        assert sequence.up({"do": "kill", "victim": "plugin", "at": 9}).status != 0
        sequence.recover()
        sequence.delete_orphans()  # which there are, is a matter of which replies were lost
        run = sequence.up()
        assert run.status == 0, run.output
        sequence.write(replace(sequence.world, entries=active))
        sequence.converge()
    finally:
        sequence.close()


@pytest.mark.slow
def test_a_move_that_is_killed_twice_arrives_with_every_row(tmp_path: Path, copied: Copies) -> None:
    """When the copying is done and nobody knows yet, and just before the switch."""
    who, at = KEPT[0], {"call": "update", "urn": f"*::{KEPT[0]}-*-move"}
    sequence = begun(copied, tmp_path / "it", live=True)
    try:
        run = sequence.step(who, "move", to=PlacementKind.SILO, soak_days=0)
        assert run.status == 0, run.output
        for when in ("after", "before"):
            assert sequence.step(who, "next", {"do": "kill", "when": when, **at}).status != 0
            sequence.recover()
            run = sequence.up()
            assert run.status == 0, run.output
        for _ in ("soak", "done", "active"):
            run = sequence.step(who, "next")
            assert run.status == 0, run.output
        sequence.converge()
        assert sequence.where(who) == f"tenantry-dev-silo-{who}"
    finally:
        sequence.close()
