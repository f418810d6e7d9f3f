"""Whatever ends a run of the function, and at whatever step, the next one goes on and no row is lost.

`make test` kills one move at every step in turn; `FUZZ_SECONDS` has moves of their own for each step, and
ends at any moment.
"""

import os
import random
import threading
import time
from pathlib import Path

import pytest
from pg8000.exceptions import InterfaceError

from functions.common.database_endpoint import MoveError
from tests.data.moving import STEPS, Journey, Killed
from tests.data.rich import RICH
from tests.data.server import Server
from tests.data.writers import LEDGER, Neighbour, Writer
from tests.waiting import wait_for

BACK = ("prepare", "replicate", "cutover", "rollback", "abort")
FUZZ = float(os.environ.get("FUZZ_SECONDS", "0"))


@pytest.fixture
def journey(server: Server, other: Server, tmp_path: Path) -> Journey:
    found = Journey({"origin": server, "target": other}, tmp_path)
    found.run(LEDGER, *RICH)
    return found


def through(journey: Journey, stage: str, killed: set[tuple[str, str]]) -> None:
    """One stage, killed at each step that no run was killed at before, until a run comes to its end."""
    while True:

        def step(name: str) -> None:
            if (stage, name) not in killed:
                killed.add((stage, name))
                journey.die()
                raise Killed

        try:
            journey.go(stage, step=step)
        except (Killed, InterfaceError, MoveError, OSError):
            if not journey.dead:
                raise
        else:
            return


@pytest.mark.parametrize(
    "way", [STEPS, pytest.param(BACK, marks=pytest.mark.slow)], ids=["there", "and back"]
)
def test_killed_at_every_step_no_acknowledged_row_is_lost(journey: Journey, way: tuple[str, ...]) -> None:
    killed: set[tuple[str, str]] = set()
    with Neighbour(journey) as neighbour, Writer(journey) as writer:
        for stage in way:
            through(journey, stage, killed)
            before = writer.written
            wait_for(lambda before=before: writer.written > before + 5, "a write")
    assert len(killed) > 25, killed
    writer.check(journey.run("SELECT id, said FROM ledger"))
    assert writer.written > 200
    assert journey.left("origin") == journey.left("target") == []
    assert neighbour.failures == []
    assert journey.run("SELECT count(*) FROM customers") == [[200]]


def test_a_writer_loses_nothing_and_waits_a_moment(journey: Journey) -> None:
    with Neighbour(journey) as neighbour, Writer(journey) as writer:
        for stage in STEPS:
            answer = journey.go(stage)
            before = writer.written
            wait_for(lambda before=before: writer.written > before + 20, "a write")
            if stage == "cutover":
                waited, noticed = answer["readOnlySeconds"], max(writer.pauses)
                print(f"writes waited {waited:.3f} s, the writer noticed {noticed:.3f} s")
    writer.check(journey.run("SELECT id, said FROM ledger"))
    assert neighbour.failures == []
    assert neighbour.waits


@pytest.mark.parametrize("stage", ["cutover", "done"])
def test_a_follower_that_nobody_started_again_is_started(journey: Journey, stage: str) -> None:
    """As after a failure that the server's launcher has slept through; a stage would wait for minutes."""
    for before in STEPS[: STEPS.index(stage)]:
        journey.go(before)
    end, way = ("target", "out") if stage == "cutover" else ("origin", "back")
    journey.master(end, f"ALTER SUBSCRIPTION m_{journey.role}_{way} DISABLE")
    journey.run("INSERT INTO ledger (said) VALUES ('late')")
    journey.go(stage)
    assert journey.run("SELECT said FROM ledger") == [["late"]]


@pytest.mark.skipif(not FUZZ, reason="make fuzz ends moves at any moment, for as long as it is told to")
def test_ended_at_any_moment_no_acknowledged_row_is_lost(
    server: Server, other: Server, tmp_path: Path
) -> None:
    ends, seed = time.monotonic() + FUZZ, int(os.environ.get("FUZZ_SEED", time.time()))
    rounds = 0
    while time.monotonic() < ends:
        chance = random.Random(seed + rounds)  # noqa: S311
        print(f"seed {seed + rounds}")
        journey = Journey({"origin": server, "target": other}, tmp_path / str(rounds))
        journey.run(LEDGER, *RICH)
        with Writer(journey, seed) as writer:
            for stage in chance.choice((STEPS, BACK)):
                while True:
                    timer = threading.Timer(chance.expovariate(2), journey.die)
                    if chance.random() < 0.7:
                        timer.start()
                    try:
                        journey.go(stage)
                        break
                    except (InterfaceError, MoveError, OSError):
                        assert journey.dead, "failed by itself"
                    finally:
                        timer.cancel()
            before = writer.written
            wait_for(lambda before=before, writer=writer: writer.written > before + 5, "a write")
        writer.check(journey.run("SELECT id, said FROM ledger"))
        assert journey.left("origin") == journey.left("target") == []
        rounds += 1
    print(f"{rounds} moves")
