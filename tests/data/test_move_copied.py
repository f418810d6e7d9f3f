"""A tenant moves by a copy, for what cannot follow: it cannot write meanwhile, and nothing is lost."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from functions.common.database_endpoint import MoveError
from functions.common.events import RequestError
from tests.data.moving import BUDGET, BudgetClock, Journey, Killed
from tests.data.rich import RICH, fingerprint, rows_of
from tests.data.server import Server
from tests.waiting import LIMIT

PLAIN = (
    "CREATE TABLE log (said text, at timestamptz DEFAULT '2026-01-01')",
    "INSERT INTO log (said) SELECT 'row ' || g FROM generate_series(1, 300) g",
    "INSERT INTO log (said) VALUES ('row 1')",
)
STEPS = ("closed", "target empty", "tables made", "rows of log", "the rest made", "rows equal", "password", "switch", "open", "old end")  # fmt: skip  # noqa: E501


@pytest.fixture
def journey(server: Server, other: Server, tmp_path: Path) -> Journey:
    found = Journey({"origin": server, "target": other}, tmp_path)
    found.run(*PLAIN)
    return found


def go(journey: Journey, *stages: str, **more: Any) -> Mapping[str, Any]:
    return [journey.go(stage, by="copy", **more) for stage in stages][-1]


def rows(journey: Journey) -> int:
    return int(journey.run("SELECT count(*) FROM log")[0][0])


def test_what_cannot_follow_is_refused_unless_it_is_to_be_copied(journey: Journey) -> None:
    with pytest.raises(MoveError, match=r"table without a primary key, .* move with --by copy\): log"):
        journey.go("prepare")
    assert go(journey, "prepare")["tables"] == 1


def test_a_table_without_a_key_arrives_with_every_row_twice_or_not(journey: Journey) -> None:
    answer = go(journey, "prepare", "replicate")
    assert (answer["serves"], answer["copied"], rows(journey)) == ("origin", False, 301)
    journey.run("INSERT INTO log (said) VALUES ('while it is rehearsed')")
    answer = go(journey, "cutover")
    assert (answer["serves"], answer["rows"], rows(journey)) == ("target", 302, 302)
    assert 0 < answer["readOnlySeconds"] < BUDGET
    assert journey.run("SELECT count(*) FROM log WHERE said = 'row 1'") == [[2]]
    with pytest.raises(DatabaseError, match=r"not permitted to log in|authentication"):
        journey.run("SELECT 1", at="origin")
    go(journey, "soak", "done")
    assert rows(journey) == 302
    assert [journey.left(end) for end in ("origin", "target")] == [[], []]


def test_everything_of_a_rich_schema_arrives(journey: Journey) -> None:
    journey.run(*RICH)
    before, made = rows_of(journey, "origin"), fingerprint(journey, "origin")
    go(journey, "prepare", "replicate", "cutover")
    assert (journey.serving, rows_of(journey, "target")) == ("target", before)
    assert fingerprint(journey, "target") == made


@pytest.mark.parametrize("step", STEPS)
def test_a_cutover_that_is_killed_is_done_again_or_finished(journey: Journey, step: str) -> None:
    go(journey, "prepare", "replicate")

    def kill(name: str) -> None:
        if name == step:
            journey.die()
            raise Killed(name)

    with pytest.raises((Killed, InterfaceError), match=f"{step}|network error"):  # of closing, in vain
        go(journey, "cutover", step=kill)
    go(journey, "cutover")
    assert (journey.serving, rows(journey)) == ("target", 301)


def test_a_copy_that_takes_too_long_is_called_off_and_the_tenant_writes_again(
    journey: Journey, clock: BudgetClock
) -> None:
    go(journey, "prepare", "replicate")

    def slow(name: str) -> None:
        if name == "rows of log":
            clock.ahead = BUDGET

    says = f"writes would have waited for more than {BUDGET} s, so it was called off"
    with pytest.raises(MoveError, match=says):
        go(journey, "cutover", step=slow)
    journey.run("INSERT INTO log (said) VALUES ('goes on')")
    assert (journey.serving, rows(journey)) == ("origin", 302)
    assert go(journey, "cutover")["rows"] == 302


def test_a_statement_that_outlasts_the_budget_is_ended(journey: Journey, clock: BudgetClock) -> None:
    function = "CREATE OR REPLACE FUNCTION slow(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS"
    journey.run(
        f"{function} 'BEGIN RETURN true; END'",
        "ALTER TABLE log ADD computed boolean GENERATED ALWAYS AS (slow(said)) STORED",
        f"{function} 'BEGIN PERFORM pg_sleep(60); RETURN true; END'",
    )
    go(journey, "prepare", "replicate")

    def late(name: str) -> None:
        if name == "rows of log":
            clock.ahead = BUDGET - 5

    began = time.monotonic()
    with pytest.raises(MoveError, match="canceling statement due to statement timeout"):
        go(journey, "cutover", step=late)
    assert time.monotonic() - began < LIMIT, "301 rows would take 5 hours"
    assert (journey.serving, rows(journey)) == ("origin", 301)


def test_rows_that_do_not_arrive_call_it_off(journey: Journey) -> None:
    go(journey, "prepare", "replicate")

    def meddle(name: str) -> None:
        if name == "rows equal":
            journey.peek("target", "DELETE FROM log WHERE ctid = '(0,1)'")

    with pytest.raises(MoveError, match=r"the copy is not the same in log \(300 of 301 rows\)"):
        go(journey, "cutover", step=meddle)
    assert (journey.serving, rows(journey)) == ("origin", 301)


def test_a_rollback_gives_up_what_was_written_since(journey: Journey) -> None:
    go(journey, "prepare", "replicate", "cutover")
    journey.run("INSERT INTO log (said) VALUES ('given up')")
    answer = go(journey, "rollback")
    assert (answer["serves"], answer["rows"], "counts" in answer) == ("origin", None, False), (
        "nothing was compared"
    )
    assert rows(journey) == 301
    go(journey, "abort")
    assert [journey.left(end) for end in ("origin", "target")] == [[], []]


def test_it_can_be_called_off_before_the_cutover(journey: Journey) -> None:
    go(journey, "prepare", "replicate", "abort")
    assert (journey.serving, rows(journey)) == ("origin", 301)


def test_another_word_is_refused(journey: Journey) -> None:
    with pytest.raises(RequestError, match="by: not allowed"):
        journey.go("prepare", by="pigeon")
