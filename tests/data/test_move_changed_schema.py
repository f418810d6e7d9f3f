"""What a tenant makes, changes or drops while it moves is moved, or calls the cutover off: never left behind.

A statement comes before the cutover or at one of its steps, to the last at which the tenant is let in.
"""

from pathlib import Path

import pytest

from functions.common.database_endpoint import MoveError
from tests.data.moving import Journey
from tests.data.server import Server

BEFORE = "before the cutover"
MOMENTS = (BEFORE, "rows compared", "read-only", "level", "rows equal", "closed")
WRITABLE = "SET default_transaction_read_only = off"  # who wants to, writes until it is shut out
SCHEMA = (
    "CREATE TYPE mood AS ENUM ('calm', 'cross')",
    "CREATE TYPE sum_of AS (amount int, unit text)",
    "CREATE TABLE one (id int PRIMARY KEY, said text, paid sum_of, felt mood, n int DEFAULT 1)",
    "INSERT INTO one SELECT g, 'row ' || g, ROW(g, 'eur')::sum_of, 'calm', g FROM generate_series(1, 50) g",
    "CREATE TABLE other (id int PRIMARY KEY)",
    "CREATE FUNCTION fee() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION on_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER changes BEFORE INSERT ON one FOR EACH ROW EXECUTE FUNCTION on_change()",
)
# What is changed: the statements, and what the refusal says. No row is written as the log would have it.
CHANGES = {
    "a table": (
        ("CREATE TABLE late (id int PRIMARY KEY)", "INSERT INTO late SELECT generate_series(1, 100)"),
        "changed since the move began: late",
    ),
    "a table less": (("DROP TABLE one",), "changed since the move began: .*one"),
    "a table that takes another's place": (
        (
            "BEGIN",
            "CREATE TABLE two (LIKE one INCLUDING ALL)",
            "INSERT INTO two SELECT id, said || '!', paid, felt, n FROM one",
            "DROP TABLE one",
            "ALTER TABLE two RENAME TO one",
            "ALTER INDEX two_pkey RENAME TO one_pkey",
            "CREATE TRIGGER changes BEFORE INSERT ON one FOR EACH ROW EXECUTE FUNCTION on_change()",
            "COMMIT",
        ),
        r"rows are not the same at both ends in one|does not catch up",
    ),
    "values, by a change of type to itself": (
        ("ALTER TABLE one ALTER said TYPE text USING upper(said)",),
        "rows are not the same at both ends in one",
    ),
    "a column, dropped and added again": (
        ("ALTER TABLE one DROP COLUMN n", "ALTER TABLE one ADD COLUMN n int DEFAULT 1"),
        "rows are not the same at both ends in one",
    ),
    "an attribute of a type, dropped and added again": (
        ("ALTER TYPE sum_of DROP ATTRIBUTE unit", "ALTER TYPE sum_of ADD ATTRIBUTE unit text"),
        "rows are not the same at both ends in one",
    ),
    "labels of an enum": (
        ("ALTER TYPE mood RENAME VALUE 'calm' TO 'quiet'",),
        "changed since the move began: .*mood",
    ),
    "a function": (
        ("CREATE OR REPLACE FUNCTION fee() RETURNS int LANGUAGE sql AS 'SELECT 2'",),
        "changed since the move began: fee",
    ),
    "a column with a default": (
        ("ALTER TABLE one ADD COLUMN due numeric NOT NULL DEFAULT 12.5",),
        "changed since the move began: one",
    ),
    "a policy": (
        ("CREATE POLICY own ON one USING (id < 10)", "ALTER TABLE one ENABLE ROW LEVEL SECURITY"),
        "since the move began: .*row security.*: one",
    ),
    "a policy that is forced": (
        (
            "CREATE POLICY own ON one USING (id < 10)",
            "ALTER TABLE one ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE one FORCE ROW LEVEL SECURITY",
        ),
        "since the move began: .*row security.*: one|row-level security policy for table",
    ),
    "a large object": (
        ("SELECT lo_from_bytea(0, 'the only copy')",),
        "since the move began: large object",
    ),
    "a materialised view": (
        ("CREATE MATERIALIZED VIEW seen AS SELECT * FROM one",),
        "since the move began: materialised view .*seen",
    ),
    "a rule": (
        ("CREATE RULE keep AS ON DELETE TO one DO INSTEAD NOTHING",),
        "since the move began: rule .*: keep",
    ),
    "an aggregate": (
        ("CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int)",),
        "since the move began: aggregate: total",
    ),
    "a trigger that fires for replicated rows": (
        ("ALTER TABLE one ENABLE ALWAYS TRIGGER changes",),
        "changed since the move began: changes",
    ),
}
# All changes first and last, some at each other moment.
CASES = [
    *((change, BEFORE) for change in CHANGES),
    *((change, "closed") for change in CHANGES),
    *(
        (change, moment)
        for change in ("a table", "a table less", "values, by a change of type to itself")
        for moment in MOMENTS[1:-1]
    ),
]


@pytest.mark.parametrize(("change", "moment"), CASES)
def test_what_is_changed_is_not_left_behind(
    server: Server, other: Server, tmp_path: Path, change: str, moment: str
) -> None:
    journey = Journey({"origin": server, "target": other}, tmp_path)
    journey.run(*SCHEMA)
    journey.go("replicate")
    statements, refusal = CHANGES[change]

    def step(name: str) -> None:
        if name == moment:
            journey.run(WRITABLE, *statements)

    if moment == BEFORE:
        journey.run(*statements)
    with pytest.raises(MoveError, match=refusal):
        journey.go("cutover", step, patience=4)
    assert journey.serving == "origin"
    journey.run("INSERT INTO other VALUES (1)")
    journey.go("abort")
    assert [journey.left(name) for name in journey.servers] == [[], []]
