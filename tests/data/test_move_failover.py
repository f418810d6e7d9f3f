"""A server goes away while writes are stopped: the tenant writes on one side again, by that very call."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.common.going_on import GoesOn
from tests.data.moving import Journey
from tests.data.server import Server, running
from tests.waiting import wait_for

WINDOW = ("read-only", "level", "rows equal", "closed", "same tables at the end", "sequences", "password")
MADE = "CREATE TABLE x (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, said text)"
WRITES = "INSERT INTO x (said) VALUES ('written')"


@pytest.fixture(scope="module")
def pair() -> Iterator[dict[str, Server]]:
    """Servers that no other test uses: these stop."""
    with running() as origin, running() as target:
        yield {"origin": origin, "target": target}


def fails(journey: Journey, *, at: str, by: str) -> None:
    """A cutover in which a server goes away at a step."""
    done = threading.Event()

    def step(name: str) -> None:
        if name != at or done.is_set():
            return
        done.set()
        if by == "cut":
            journey.die()
        else:
            threading.Thread(target=journey.servers[by].restart, args=(2.0,)).start()
            wait_for(lambda: not answers(journey, by), "the end of the server")

    with pytest.raises(Exception, match=r"."):
        journey.go("cutover", step)
    assert done.is_set()


def answers(journey: Journey, name: str) -> bool:
    try:
        journey.servers[name].rows("postgres", "SELECT 1")
    except Exception:
        return False
    return True


@pytest.mark.parametrize(
    ("at", "by"), [*((step, "cut") for step in WINDOW), ("level", "origin"), ("sequences", "origin")]
)
def test_a_cutover_that_loses_a_server_lets_the_tenant_write_again(
    pair: dict[str, Server], tmp_path: Path, at: str, by: str
) -> None:
    journey = Journey(pair, tmp_path)
    journey.run(MADE, WRITES)
    journey.go("replicate")
    fails(journey, at=at, by=by)
    assert journey.serving == "origin"
    journey.run(WRITES)
    assert [x for x in journey.left("origin") if x.endswith("_seen")] == []
    journey.go("cutover")
    assert journey.serving == "target"
    assert journey.run("SELECT count(*) FROM x") == [[2]]
    journey.go("done")


def test_writes_are_not_stopped_by_a_call_that_may_end_before_they_go_on(
    pair: dict[str, Server], tmp_path: Path
) -> None:
    journey = Journey(pair, tmp_path)
    journey.run(MADE, WRITES)
    journey.go("replicate")
    seen = list[str]()
    with pytest.raises(GoesOn, match=r"a call with 180 s left for the switch comes next"):
        journey.go("cutover", seen.append, left=179.0, budgetSeconds=60)
    assert "read-only" not in seen
    journey.go("cutover", left=181.0, budgetSeconds=60)
    assert journey.serving == "target"
    journey.go("done")


def test_a_target_that_goes_away_leaves_the_tenant_where_it_was(
    pair: dict[str, Server], tmp_path: Path
) -> None:
    journey = Journey(pair, tmp_path)
    journey.run(MADE, WRITES)
    journey.go("replicate")
    fails(journey, at="level", by="target")
    assert journey.serving == "origin"
    journey.run(WRITES)
    journey.go("abort")
    assert [journey.left(name) for name in pair] == [[], []]
