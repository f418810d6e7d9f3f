"""Rows are compared in ranges of their keys, in as many calls as that takes, and none is left out."""

import gzip
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pg8000.exceptions import InterfaceError

from functions.common.database_endpoint import DatabaseEndpoint, MoveError
from functions.common.events import RESUME
from functions.common.going_on import GoesOn
from functions.tenant_data import key_ranges, progress_record
from functions.tenant_data.key_ranges import KeyRanges, Range, Sum
from tests.data.moving import Journey, Killed
from tests.data.server import Server
from tests.waiting import wait_for

# Tables by the kind of their key: what makes one called `x`, and the key of its n-th row.
KEYS = {
    "int": ("CREATE TABLE x (k int PRIMARY KEY, said text)", "n"),
    "bigint": ("CREATE TABLE x (k bigint PRIMARY KEY, said text)", "n - 5000000000"),
    "uuid": ("CREATE TABLE x (k uuid PRIMARY KEY, said text)", "CAST(md5(CAST(n AS text)) AS uuid)"),
    "text": ("CREATE TABLE x (k text PRIMARY KEY, said text)", "repeat(chr(64 + n % 60), n % 7) || n"),
    "char": ("CREATE TABLE x (k char(9) PRIMARY KEY, said text)", "CAST(n AS text)"),
    "numeric": ("CREATE TABLE x (k numeric PRIMARY KEY, said text)", "n / 7.0"),
    "float8": ("CREATE TABLE x (k float8 PRIMARY KEY, said text)", "n / CAST(7 AS float8)"),
    "moment": (
        "CREATE TABLE x (k timestamptz PRIMARY KEY, said text)",
        "TIMESTAMPTZ '0020-01-01 BC' + n * INTERVAL '1 year 1 ms'",
    ),
    "bytes": ("CREATE TABLE x (k bytea PRIMARY KEY, said text)", "decode(md5(CAST(n AS text)), 'hex')"),
    "array": ("CREATE TABLE x (k text[] PRIMARY KEY, said text)", "ARRAY['{', CAST(n AS text), NULL, '']"),
    "jsonb": ("CREATE TABLE x (k jsonb PRIMARY KEY, said text)", "jsonb_build_object('n', n)"),
    "address": ("CREATE TABLE x (k inet PRIMARY KEY, said text)", "INET '10.0.0.0' + n"),
    "enum": (
        "CREATE TYPE word AS ENUM ('z', 'm', 'a');"
        "CREATE TABLE x (k word, m int, said text, PRIMARY KEY (k, m))",
        "CAST((ARRAY['z', 'm', 'a'])[1 + n % 3] AS word), n",
    ),
    "columns": ("CREATE TABLE x (b text, a int, said text, PRIMARY KEY (a, b))", "CAST(n AS text), n % 4"),
    "domain": (
        "CREATE DOMAIN positive AS int CHECK (VALUE > 0);CREATE TABLE x (k positive PRIMARY KEY, said text)",
        "n",
    ),
    "composite": (
        "CREATE TYPE pair AS (a int, b text); CREATE TABLE x (k pair PRIMARY KEY, said text)",
        "CAST(ROW(n, 'b') AS pair)",
    ),
    "range": ("CREATE TABLE x (k int4range PRIMARY KEY, said text)", "int4range(n, n + 1)"),
}
COUNT = 50
PER_RANGE = 7


@pytest.fixture
def short_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_ranges, "ROWS", PER_RANGE)
    monkeypatch.setattr(key_ranges, "PER_SLICE", PER_RANGE)


@pytest.fixture
def journey(server: Server, other: Server, tmp_path: Path) -> Journey:
    return Journey({"origin": server, "target": other}, tmp_path)


def fill(journey: Journey, kind: str = "int", name: str = "x") -> None:
    made, key = KEYS[kind]
    journey.run(
        *(statement for statement in made.replace("TABLE x", f"TABLE {name}").split(";") if statement),
        f"INSERT INTO {name} SELECT {key}, 'row ' || n FROM generate_series(1, {COUNT}) n",
    )


def fill_all(journey: Journey) -> None:
    for kind in KEYS:
        fill(journey, kind, f"x_{kind}")


def go_on(journey: Journey, between: Callable[[int], None] = lambda _: None) -> tuple[Any, int]:
    """The cutover, in calls of one range each; its answer, and how many calls there were."""
    resume: Any = {}
    for calls in itertools.count(1):
        try:
            return journey.go("cutover", ends=lambda: True, resume=resume), calls
        except GoesOn as round_:
            resume = round_.answer(journey.tenant)[RESUME]
        between(calls)
    raise AssertionError


@pytest.mark.usefixtures("short_ranges")
def test_tables_with_any_key_are_compared_whole_in_ranges(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_all(journey)
    journey.go("replicate")
    found, read = dict[str, list[int]](), KeyRanges.next_range

    def counted(ranges: KeyRanges, *rest: Any) -> Any:
        answer = read(ranges, *rest)
        found.setdefault(ranges.table.name, []).append(answer[1].rows)
        return answer

    apart, tell = list[str](), KeyRanges.hashes_of

    def told(ranges: KeyRanges, *rest: Any) -> Any:
        apart.append(ranges.table.name)
        return tell(ranges, *rest)

    monkeypatch.setattr(KeyRanges, "next_range", counted)
    monkeypatch.setattr(KeyRanges, "hashes_of", told)
    assert journey.go("cutover")["rows"] == COUNT * len(KEYS)
    assert {name: sum(rows) for name, rows in found.items()} == {f"x_{kind}": COUNT for kind in KEYS}
    assert min(len(rows) for rows in found.values()) > COUNT / PER_RANGE / 2
    assert not apart, "where all rows are alike none is looked at by itself"


@pytest.mark.usefixtures("short_ranges")
def test_one_row_that_is_another_one_at_the_target_calls_the_cutover_off(journey: Journey) -> None:
    fill_all(journey)
    journey.go("replicate")
    for wrong in (
        "DELETE FROM {} WHERE said = 'row 23'",
        "UPDATE {} SET said = 'other' WHERE said = 'row 50'",
        "UPDATE {} SET said = 'other' WHERE said = 'row 1'",
    ):
        journey.peek("target", *(wrong.format(f"x_{kind}") for kind in KEYS))
        with pytest.raises(MoveError, match="rows are not the same at both ends in") as failure:
            journey.go("cutover")
        tables = re.findall(r"x_(\w+) \((\d) of 50 rows\)", str(failure.value))
        assert sorted(name for name, _ in tables) == sorted(KEYS)
        assert journey.serving == "origin"


@pytest.mark.usefixtures("short_ranges")
def test_a_row_that_only_the_target_has_is_found_wherever_its_key_is(journey: Journey) -> None:
    fill(journey)
    journey.go("replicate")
    for key in (-1, 0, 51, 2_000_000_000):
        journey.peek("target", f"INSERT INTO x VALUES ({key}, 'more')")
        with pytest.raises(MoveError, match="1 of 50 rows"):
            journey.go("cutover")
        journey.peek("target", f"DELETE FROM x WHERE k = {key}")
    journey.go("cutover")


@pytest.mark.usefixtures("short_ranges")
def test_a_comparison_takes_as_many_calls_as_it_needs(journey: Journey) -> None:
    fill(journey)
    journey.run("CREATE TABLE empty (id int PRIMARY KEY)")
    journey.go("replicate")

    def write(call: int) -> None:
        """At keys that were compared, and at keys that were not."""
        journey.run(
            f"UPDATE x SET said = 'by {call}' WHERE k IN (1, {6 * call}, 50)",
            f"INSERT INTO x VALUES ({100 + call}, 'new'), ({-call}, 'new')",
            f"DELETE FROM x WHERE k = {call + 1}",
        )

    answer, calls = go_on(journey, write)
    assert calls > COUNT / PER_RANGE
    assert journey.serving == "target"
    assert answer["rows"] >= COUNT
    assert not list((journey.folder / "the-bucket").rglob("progress/*"))
    here, there = (journey.peek(end, "SELECT k, said FROM x ORDER BY k") for end in journey.servers)
    assert here == there


def test_a_call_may_end_after_any_of_many_small_tables(journey: Journey) -> None:
    journey.run(*(f"CREATE TABLE x{n} (k int PRIMARY KEY)" for n in range(6)))
    journey.go("replicate")
    assert go_on(journey)[1] == 7


def test_a_record_that_the_tenant_has_blown_up_does_not_fill_the_memory(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey.run("CREATE TABLE x (k int PRIMARY KEY)")
    journey.go("replicate")
    monkeypatch.setattr(progress_record, "LARGEST", 1000)

    def between(_: int) -> None:
        (record,) = (journey.folder / "the-bucket").rglob("progress/*")
        record.write_bytes(gzip.compress(bytes(2000)))

    with pytest.raises(MoveError, match="is larger than 1000 bytes: delete it"):
        go_on(journey, between)


@pytest.mark.usefixtures("short_ranges")
def test_a_row_that_is_written_between_two_calls_is_looked_up(journey: Journey) -> None:
    fill(journey)
    journey.go("replicate")

    def between(call: int) -> None:
        if call == 3:
            journey.run("UPDATE x SET said = 'late' WHERE k = 3")
            wait_for(lambda: journey.peek("target", "SELECT 1 FROM x WHERE said = 'late'"))
            journey.peek("target", "UPDATE x SET said = 'other' WHERE k = 3")

    with pytest.raises(MoveError, match="1 of 50 rows"):
        go_on(journey, between)


@pytest.mark.usefixtures("short_ranges")
def test_a_table_that_is_changed_between_two_calls_is_read_again(journey: Journey) -> None:
    """No row of that is in the log."""
    fill(journey)
    journey.go("replicate")

    def between(call: int) -> None:
        if call == 3:
            journey.run(
                "ALTER TABLE x ALTER said TYPE text USING CASE k WHEN 1 THEN upper(said) ELSE said END"
            )

    with pytest.raises(MoveError, match="rows are not the same at both ends in x"):
        go_on(journey, between)


@pytest.mark.usefixtures("short_ranges")
def test_without_its_slot_or_its_record_a_comparison_begins_again(journey: Journey) -> None:
    fill(journey)
    journey.go("replicate")
    slot = f"m_{journey.role}_out_seen"

    def between(call: int) -> None:
        if call == 3:
            journey.peek("origin", f"SELECT pg_drop_replication_slot('{slot}')")
            journey.peek("target", "UPDATE x SET said = 'other' WHERE k = 3")
        if call == 6:
            journey.peek("target", "UPDATE x SET said = 'row 3' WHERE k = 3")
            lose_record(journey)

    _, calls = go_on(journey, between)
    assert calls > 6 + COUNT / PER_RANGE
    assert journey.serving == "target"


SUM_OF = KeyRanges.sum_of
WRITES = st.tuples(
    st.sampled_from(
        [
            "UPDATE x SET said = 'by {n}' WHERE k = {k}",
            "DELETE FROM x WHERE k = {k}",
            "INSERT INTO x VALUES ({k}, 'new {n}') ON CONFLICT (k) DO UPDATE SET k = -{k}",
            "UPDATE x SET k = {k} + 1000 WHERE k = {k}",
            "TRUNCATE x",
            "ALTER TABLE x ALTER said SET DEFAULT 'x'; ALTER TABLE x ALTER said DROP DEFAULT",
        ]
    ),
    st.integers(-5, 60),
)
EVENTS = st.lists(st.one_of(WRITES, st.sampled_from(["next call", "killed", "lost"])), max_size=12)


@dataclass
class Meddling:
    """What happens between ranges, in turn; each call ends once nothing is left."""

    journey: Journey
    events: list[Any]
    lie: int  # at which moment the target gets a row of its own; 0: never
    moments: int = 0
    lied: bool = False
    read_since: bool = False  # whether the range that this row is in was read at the target after it came

    def sum_of(self, ranges: KeyRanges, endpoint: DatabaseEndpoint, wanted: Range) -> Sum:
        if endpoint.name == "target" and wanted.last is None:
            self.read_since = self.lied
        return SUM_OF(ranges, endpoint, wanted)

    def ends(self) -> bool:
        self.moments += 1
        if self.moments == self.lie:
            self.journey.peek("target", "INSERT INTO x VALUES (7000, 'lie')")
            self.lied = True
        event = self.events.pop(0) if self.events else "next call"
        if event == "killed":
            self.journey.die()
            raise Killed
        if event == "lost":
            lose_record(self.journey)
        if isinstance(event, tuple):
            statement, key = event
            self.journey.run(*statement.format(k=key, n=self.moments).split(";"))
        return event == "next call"


def lose_record(journey: Journey) -> None:
    for path in (journey.folder / "the-bucket").rglob("progress/*"):
        path.unlink()


def call_until_it_ends(journey: Journey, ends: Callable[[], bool]) -> str:
    """Each call goes on where the one before said; why it was called off, or "" after a switch."""
    resume: Any = {}
    while True:
        try:
            journey.go("cutover", ends=ends, resume=resume)
        except GoesOn as round_:
            resume = round_.answer(journey.tenant)[RESUME]
        except MoveError as failure:
            return str(failure)
        except (Killed, InterfaceError, OSError):
            assert journey.dead
        else:
            return ""


@pytest.mark.usefixtures("short_ranges")
@settings(
    max_examples=6,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example takes seconds
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events=EVENTS, lie=st.integers(0, 12))
def test_however_calls_end_and_whatever_is_written_a_difference_is_found(
    server: Server, other: Server, tmp_path_factory: pytest.TempPathFactory, events: list[Any], lie: int
) -> None:
    """Between ranges a tenant writes, or the call ends, is killed, or its record is lost. At one moment the
    target gets a row that the origin has not.
    """
    journey = Journey({"origin": server, "target": other}, tmp_path_factory.mktemp("journey"))
    fill(journey)
    journey.go("replicate")
    meddling = Meddling(journey, list(events), lie)

    def sum_of(ranges: KeyRanges, endpoint: DatabaseEndpoint, wanted: Range) -> Sum:
        return meddling.sum_of(ranges, endpoint, wanted)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(KeyRanges, "sum_of", sum_of)
        failure = call_until_it_ends(journey, meddling.ends)
    here, there = (journey.peek(end, "SELECT k, said FROM x ORDER BY k") for end in journey.servers)
    if not any(event[0] == "TRUNCATE x" for event in events):  # which reaches the target's own row too
        assert (here != there) == meddling.lied
    if meddling.read_since == meddling.lied:  # what somebody writes at the target later nothing tells
        assert ("rows are not the same" in failure) == (here != there)
