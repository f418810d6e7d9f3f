"""A tenant's restored instance takes over from the one that serves, by the function that ships to Lambda."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError

from functions.common.database_endpoint import MoveError
from functions.common.events import RequestError
from tests.data.moving import BUDGET, Journey, Killed
from tests.data.server import Server

AT = "2026-11-27T10:00:00Z"
MADE = "CREATE TABLE payments (id int PRIMARY KEY, said text)"
WINDOW = ("counted", "closed", "password", "switch", "open", "old end")


@pytest.fixture
def journey(server: Server, other: Server, tmp_path: Path) -> Journey:
    """Two rows at the moment; then one was deleted, three came, and a table."""
    found = Journey({"origin": server, "target": other}, tmp_path)
    found.run(MADE, "INSERT INTO payments VALUES (1, 'early'), (2, 'lost')")
    password = found.secret["password"]
    found.peek(
        "target", f"ALTER ROLE {found.role} LOGIN PASSWORD '{password}'"
    )  # as a restore brings it back
    found.run(MADE, "INSERT INTO payments VALUES (1, 'early'), (2, 'lost')", at="target")
    found.run("DELETE FROM payments WHERE id = 2", "INSERT INTO payments VALUES (3, 'a'), (4, 'b'), (5, 'c')")
    found.run("CREATE TABLE later (id int PRIMARY KEY)")
    return found


def go(journey: Journey, *stages: str, **more: Any) -> Mapping[str, Any]:
    return [journey.go(stage, restoredTo=AT, **more) for stage in stages][-1]


def rows(journey: Journey) -> list[int]:
    return [i for (i,) in journey.run("SELECT id FROM payments ORDER BY id")]


def test_rows_are_counted_at_both_ends_before_anything_is_switched(journey: Journey) -> None:
    answer = go(journey, "prepare")
    assert answer["counts"] == {
        "later": {"origin": 0, "target": None},
        "payments": {"origin": 4, "target": 2},
    }
    assert (answer["restoredTo"], answer["rows"], answer["serves"]) == (AT, 2, "origin")
    with pytest.raises(DatabaseError, match="not permitted to log in"):
        journey.run("SELECT 1", at="target")
    assert go(journey, "replicate")["counts"] == answer["counts"]
    assert (journey.left("origin"), journey.serving) == (["membership"], "origin")


def test_the_restored_rows_serve_and_the_old_place_is_dumped_and_goes(journey: Journey) -> None:
    answer = go(journey, "prepare", "replicate", "cutover")
    assert (answer["serves"], rows(journey)) == ("target", [1, 2])
    assert 0 < answer["readOnlySeconds"] < BUDGET
    assert go(journey, "soak")["serves"] == "target"
    journey.run("INSERT INTO payments VALUES (9, 'new')")
    assert journey.peek("origin", "SELECT count(*) FROM payments") == [[4]], "nothing follows"
    answer = go(journey, "done")
    assert answer["dump"]["key"].startswith(f"moves/{journey.tenant}-origin-")
    assert rows(journey) == [1, 2, 9]
    assert journey.peek("origin", f"SELECT count(*) FROM pg_namespace WHERE nspname = '{journey.role}'") == [
        [0]
    ]


@pytest.mark.parametrize("after", ["cutover", "soak"])
def test_a_rollback_leads_to_the_origin_as_it_was_left(journey: Journey, after: str) -> None:
    go(journey, "prepare", "replicate", "cutover")
    if after == "soak":
        go(journey, "soak")
    journey.run("INSERT INTO payments VALUES (9, 'given up')")
    assert go(journey, "rollback")["serves"] == "origin"
    assert rows(journey) == [1, 3, 4, 5]
    journey.run("INSERT INTO later VALUES (1)")
    go(journey, "abort")
    assert rows(journey) == [1, 3, 4, 5]
    assert journey.left("origin") == journey.left("target") == []


def test_it_can_be_called_off_before_the_cutover(journey: Journey) -> None:
    go(journey, "prepare", "replicate", "abort")
    assert (journey.serving, rows(journey)) == ("origin", [1, 3, 4, 5])


@pytest.mark.parametrize("step", WINDOW)
def test_a_cutover_that_is_killed_is_finished_by_the_next_call(journey: Journey, step: str) -> None:
    go(journey, "prepare", "replicate")

    def kill(name: str) -> None:
        if name == step:
            journey.die()
            raise Killed(name)

    with pytest.raises(Killed, match=step):
        go(journey, "cutover", step=kill)
    assert go(journey, "cutover")["serves"] == "target"
    assert rows(journey) == [1, 2]
    with pytest.raises(DatabaseError, match=r"not permitted to log in|authentication"):
        journey.run("SELECT 1", at="origin")


@pytest.mark.parametrize("step", WINDOW[2:4])
def test_while_a_cutover_that_was_killed_is_prepared_again_the_tenant_writes(
    journey: Journey, step: str
) -> None:
    """Counting takes minutes where tables are large. From then on nobody gets in until the restored place is
    open: what was written at the origin would be given up unseen.
    """
    go(journey, "prepare", "replicate")
    let_in: dict[str, bool] = {}

    def kill(name: str) -> None:
        if name == step:
            journey.die()
            raise Killed(name)

    def write(name: str) -> None:
        with suppress(DatabaseError):
            journey.run("INSERT INTO payments VALUES (9, 'meanwhile')", at="origin")
            let_in[name] = True
            journey.run("DELETE FROM payments WHERE id = 9", at="origin")

    with pytest.raises(Killed, match=step):
        go(journey, "cutover", step=kill)
    with pytest.raises(DatabaseError, match="not permitted to log in"):
        journey.run("SELECT 1")
    answer = go(journey, "cutover", step=write)
    assert [name for name in answer["steps"] if name in let_in] == ["counted", "closed"]
    assert (answer["serves"], rows(journey)) == ("target", [1, 2])


@pytest.mark.parametrize("step", WINDOW[:4])
def test_a_cutover_that_fails_before_the_switch_leaves_the_origin_open(journey: Journey, step: str) -> None:
    go(journey, "prepare", "replicate")

    def fail(name: str) -> None:
        if name == step:
            raise MoveError("no")

    with pytest.raises(MoveError, match="no"):
        go(journey, "cutover", step=fail)
    assert (journey.serving, rows(journey)) == ("origin", [1, 3, 4, 5])


def test_a_moment_before_there_were_tables_is_refused(server: Server, other: Server, tmp_path: Path) -> None:
    found = Journey({"origin": server, "target": other}, tmp_path)
    found.run(MADE)
    with pytest.raises(MoveError, match=f"had no tables at {AT}; end it with --abort"):
        go(found, "prepare")


def test_a_stage_before_its_time_is_refused(journey: Journey) -> None:
    with pytest.raises(MoveError, match="the target does not serve tenant"):
        go(journey, "soak")
    go(journey, "cutover")
    with pytest.raises(MoveError, match="the origin does not serve tenant"):
        go(journey, "replicate")


def test_a_moment_that_is_none_is_refused(journey: Journey) -> None:
    with pytest.raises(RequestError, match="restoredTo: not allowed"):
        journey.go("prepare", restoredTo="yesterday")
