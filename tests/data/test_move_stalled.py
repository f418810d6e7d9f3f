"""What a replication worker cannot do is said in its server's words, though only its log has them."""

from pathlib import Path

import pytest

from functions.common.database_endpoint import MoveError
from tests.data.moving import Journey
from tests.data.server import Server

SECRET = "of-nobodys-business"  # a value of a row's
HELPER = "CREATE FUNCTION helper(n int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 > 0'"
# A rehearsal does not come so far: nothing is called with null, and there are more rows than in a sample.
LATE = """CREATE FUNCTION late(n int) RETURNS boolean IMMUTABLE STRICT LANGUAGE plpgsql AS
$$BEGIN IF n > 299 THEN RETURN helper(n); END IF; RETURN true; END$$"""
TABLE = "CREATE TABLE x (id int PRIMARY KEY CONSTRAINT c CHECK (late(id)), said text)"
ROWS = f"INSERT INTO x SELECT n, '{SECRET}' FROM generate_series({{}}, {{}}) n"
UNKNOWN = r"SQLSTATE 42883: function helper\(integer\) does not exist"


@pytest.fixture
def journey(server: Server, other: Server, tmp_path: Path) -> Journey:
    found = Journey({"origin": server, "target": other}, tmp_path)
    found.run(HELPER, LATE, TABLE)
    return found


def fails(journey: Journey, stage: str, words: str) -> None:
    with pytest.raises(MoveError, match=words) as failure:
        journey.go(stage, patience=4 if stage == "cutover" else 60)
    assert SECRET not in str(failure.value)
    assert journey.serving == "origin"
    for name in journey.servers:
        assert journey.peek(name, "SELECT to_regclass('tenantry_tried')") == [[None]]
    journey.run("UPDATE x SET said = 'still open'")


def test_a_row_that_cannot_be_copied(journey: Journey) -> None:
    journey.run(ROWS.format(1, 300))
    journey.go("prepare")
    fails(journey, "replicate", f"the first copy of x: {UNKNOWN}; put that right")
    journey.run("DELETE FROM x WHERE id = 300")
    journey.go("replicate")
    journey.go("cutover")
    assert journey.serving == "target"


def test_rows_that_are_in_the_way_of_a_first_copy(journey: Journey) -> None:
    journey.run(ROWS.format(1, 10))

    def fill(step: str) -> None:
        if step == "published":
            journey.peek("target", "INSERT INTO x VALUES (3, 'in the way')")

    with pytest.raises(MoveError, match="the first copy of x: it has rows at the target already"):
        journey.go("replicate", fill, patience=30)
    journey.peek("target", "DELETE FROM x")
    journey.go("replicate")


def test_a_row_that_cannot_be_followed(journey: Journey) -> None:
    journey.go("replicate")
    journey.run(ROWS.format(299, 301))
    fails(journey, "cutover", rf"bytes behind and does not catch up .*: rows of x: {UNKNOWN}; put that right")


def test_a_row_that_is_in_the_way(journey: Journey) -> None:
    journey.go("replicate")
    journey.peek("target", "INSERT INTO x VALUES (2, 'in the way')")
    journey.run(ROWS.format(1, 3))
    fails(journey, "cutover", "1 of the rows that were inserted into x have keys that other rows have there")


def test_a_slot_that_is_gone(journey: Journey) -> None:
    journey.go("replicate")
    slot = f"m_{journey.role}_out"
    journey.peek("target", f"ALTER SUBSCRIPTION {slot} DISABLE")
    end = (
        f"SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = '{slot}'"
    )
    journey.peek("origin", end, f"SELECT pg_drop_replication_slot('{slot}')")
    fails(journey, "cutover", "the slot of the origin is gone")
    journey.go("abort")


def test_a_follower_that_is_only_slow_is_told_no_reason(journey: Journey) -> None:
    journey.go("replicate")
    journey.peek("target", f"ALTER SUBSCRIPTION m_{journey.role}_out DISABLE")
    journey.run(ROWS.format(1, 3))

    def hold(step: str) -> None:
        if step == "rows compared":
            journey.peek(
                "target", f"ALTER SUBSCRIPTION m_{journey.role}_out CONNECTION 'host=/nowhere password=none'"
            )

    with pytest.raises(MoveError, match="see in the log of the target what stops it"):
        journey.go("cutover", hold, patience=4)
    assert journey.serving == "origin"


def test_a_row_that_cannot_come_back(journey: Journey) -> None:
    for stage in ("replicate", "cutover"):
        journey.go(stage)
    journey.peek("origin", "INSERT INTO x VALUES (2, 'in the way')")
    journey.run(ROWS.format(1, 3))
    words = "the origin is .*: 1 of the rows that were inserted into x have keys that other rows have there"
    with pytest.raises(MoveError, match=words):
        journey.go("soak", patience=4)
    assert journey.serving == "target"
    journey.peek("origin", "DELETE FROM x")
    journey.go("soak")
