"""The budget of a cutover holds inside one table: the server ends a statement that would outlast it."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from functions.common.database_endpoint import MoveError
from tests.data.moving import BUDGET, BudgetClock, Journey
from tests.data.server import SUPERUSER, Server

LEFT = 3.0  # seconds of the budget as rows are compared; less than anybody waits for a lock
ENDED = "canceling statement due to statement timeout"


@pytest.mark.parametrize("by", ["following", "copy"])
def test_a_table_that_would_take_longer_than_is_left_of_the_budget_is_not_read_to_its_end(
    server: Server, other: Server, tmp_path: Path, clock: BudgetClock, by: str
) -> None:
    """It is locked at one end once writes have stopped, so that reading it would take for ever."""
    journey = Journey({"origin": server, "target": other}, tmp_path)
    more: dict[str, Any] = {"by": by} if by == "copy" else {}
    journey.run("CREATE TABLE x (id int PRIMARY KEY)", "INSERT INTO x VALUES (1)")
    journey.go("replicate", **more)
    at, end = ("rows equal", "target") if by == "following" else ("rows of x", "origin")
    before = journey.servers[end].log.count(ENDED)

    with ExitStack() as held:

        def step(name: str) -> None:
            if name != at:
                return
            lock = held.enter_context(
                closing(journey.servers[end].connect(SUPERUSER, database=journey.database))
            )
            lock.run("BEGIN")
            lock.run(f"LOCK TABLE {journey.role}.x IN ACCESS EXCLUSIVE MODE")
            if by == "following":  # of a table that somebody changed, all rows are read again
                journey.master("origin", f"ALTER TABLE {journey.role}.x ALTER id SET STATISTICS -1")
            clock.ahead = BUDGET - LEFT

        with pytest.raises(MoveError, match=r"writes would have waited for more than|statement timeout"):
            journey.go("cutover", step, **more)
    assert journey.servers[end].log.count(ENDED) > before
    assert journey.serving == "origin"
    journey.run("INSERT INTO x VALUES (2)")
    clock.ahead = 0.0
    journey.go("cutover", **more)
    assert journey.run("SELECT count(*) FROM x") == [[2]]
