"""What would fail at the target is refused by `prepare`, in the server's words, and nothing is left there."""

from pathlib import Path

import pytest

from functions.common.database_endpoint import MoveError
from functions.tenant_data import rehearsal, target_checks
from tests.data.moving import Journey, Killed
from tests.data.rich import RICH
from tests.data.server import Server

SECRET = "of-nobodys-business"  # a value of a row's
HELPER = "CREATE FUNCTION helper(n int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 > 0'"
# As a tenant writes it whose search path is its schema.
NAMING = (
    HELPER,
    "CREATE FUNCTION calls(n int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS"
    " $$BEGIN RETURN helper(n); END$$",
    "CREATE FUNCTION number(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
    " $$BEGIN RETURN CASE WHEN helper(n) THEN n END; END$$",
)


@pytest.fixture
def journey(server: Server, other: Server, tmp_path: Path) -> Journey:
    return Journey({"origin": server, "target": other}, tmp_path)


def nothing_at_target(journey: Journey) -> bool:
    made = f"SELECT 1 FROM pg_class WHERE relnamespace = '{journey.role}'::regnamespace"
    return journey.left("target") == [] and journey.peek("target", made) == []


def let_in(journey: Journey, *names: str) -> None:
    """A schema of the administrator's that tenants may use, as one with extensions is."""
    for name in names:
        journey.peek(name, f"GRANT USAGE ON SCHEMA public TO {journey.role}")


def refused(journey: Journey, *words: str) -> str:
    with pytest.raises(MoveError, match="cannot be moved: ") as failure:
        journey.go("prepare")
    message = str(failure.value)
    for one in words:
        assert one in message, message
    assert SECRET not in message
    assert journey.serving == "origin"
    assert nothing_at_target(journey)
    return message


USES = {
    "check": ("CREATE TABLE x (id int PRIMARY KEY, n int CHECK (calls(n)))",),
    "index": ("CREATE TABLE x (id int PRIMARY KEY, n int)", "CREATE INDEX by_number ON x (number(n))"),
    "index of some rows": (
        "CREATE TABLE x (id int PRIMARY KEY, n int)",
        "CREATE INDEX i ON x (n) WHERE calls(n)",
    ),
    "computed column": (
        "CREATE TABLE x (id int PRIMARY KEY, n int, g int GENERATED ALWAYS AS (number(n)) STORED)",
    ),
    "domain": (
        "CREATE DOMAIN d AS int CHECK (calls(VALUE))",
        "CREATE TABLE x (id int PRIMARY KEY, n d)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rows", [1, 0])
@pytest.mark.parametrize("use", USES)
def test_a_function_that_does_not_find_another_without_the_tenants_search_path(
    journey: Journey, use: str, rows: int
) -> None:
    journey.run(*NAMING, *USES[use], *["INSERT INTO x (id, n) VALUES (1, 5)"] * rows)
    refused(journey, "SQLSTATE 42883: function helper(integer) does not exist", rehearsal.QUALIFY, " x: ")
    path = f"SET search_path = {journey.role}"
    journey.run(f"ALTER FUNCTION calls(int) {path}", f"ALTER FUNCTION number(int) {path}")
    journey.go("prepare")
    journey.go("replicate")
    journey.go("cutover")
    assert journey.serving == "target"


def test_a_collation_that_the_target_does_not_have(journey: Journey) -> None:
    let_in(journey, "origin", "target")
    journey.peek("origin", "CREATE COLLATION public.of_here (LOCALE = 'C')")
    journey.run("CREATE TABLE x (id text COLLATE public.of_here PRIMARY KEY)")
    refused(journey, "x (SQLSTATE 42704: collation", '"public.of_here"')


def test_an_extension_that_the_target_does_not_have(journey: Journey) -> None:
    let_in(journey, "origin")
    journey.peek("origin", "CREATE EXTENSION citext SCHEMA public VERSION '1.4'")
    journey.run("CREATE TABLE x (id public.citext PRIMARY KEY)")
    refused(journey, "extension that is not at the target (CREATE EXTENSION there): citext 1.4")
    journey.peek("target", "CREATE EXTENSION citext SCHEMA public")
    refused(journey, "x (SQLSTATE 42501: permission denied for schema public)")
    let_in(journey, "target")
    notes = journey.go("prepare")["notes"]
    assert "extension citext is 1.6 at the target and 1.4 at the origin" in notes


def test_an_extension_that_nothing_depends_on_is_told_of(journey: Journey) -> None:
    journey.peek("origin", "CREATE EXTENSION pg_trgm SCHEMA public")
    assert (
        "extension pg_trgm is missing at the target and 1.6 at the origin" in journey.go("prepare")["notes"]
    )


def test_a_row_of_before_that_breaks_a_check_of_today(journey: Journey) -> None:
    fine = "CREATE OR REPLACE FUNCTION fine(t text) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT {}'"
    journey.run(
        fine.format("true"),
        "CREATE TABLE x (id int PRIMARY KEY, t text CONSTRAINT short CHECK (fine(t)))",
        f"INSERT INTO x VALUES (1, '{SECRET}')",
        fine.format("length(t) < 3"),
    )
    broken = 'rows of x: SQLSTATE 23514: new row for relation "x" violates check constraint "short"'
    refused(journey, f"{broken}, and so do they at the origin: short")


def test_a_tenants_own_words_are_not_repeated(journey: Journey) -> None:
    """It may raise what it wants under any code."""
    loud = (
        "CREATE OR REPLACE FUNCTION loud(t text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS"
        " $$BEGIN {} END$$"
    )
    journey.run(
        loud.format("RETURN true;"),
        "CREATE TABLE x (id int PRIMARY KEY, t text)",
        f"INSERT INTO x VALUES (1, '{SECRET}')",
        "CREATE INDEX i ON x (loud(t))",
        loud.format("RAISE 'not %', t USING ERRCODE = '42501';"),
    )
    refused(journey, "rows of x: SQLSTATE 42501, whose message may hold values")


def test_a_check_that_reads_other_tables_is_not_taken_for_broken(journey: Journey) -> None:
    """A sample has not all rows that it asks for; the worker tries again until they are there."""
    journey.run(
        "CREATE TABLE parents (id int PRIMARY KEY)",
        f"CREATE FUNCTION known(n int) RETURNS boolean LANGUAGE sql AS"
        f" 'SELECT EXISTS (SELECT 1 FROM {journey.role}.parents WHERE id = n)'",
        "CREATE TABLE x (id int PRIMARY KEY, parent int CONSTRAINT there CHECK (known(parent)))",
        "INSERT INTO parents VALUES (1)",
        "INSERT INTO x VALUES (1, 1)",
    )
    assert any(
        'violates check constraint "there"; at the origin they are' in n
        for n in journey.go("prepare")["notes"]
    )
    journey.go("replicate")


def test_a_target_whose_storage_others_fill(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    used = journey.peek("target", "SELECT sum(pg_database_size(oid))::int8 FROM pg_database")[0][0]
    monkeypatch.setattr(target_checks, "GIB", int(used))
    refused_by = "of the 1 GiB at the target, of which"
    with pytest.raises(MoveError, match=refused_by):
        journey.go("prepare", targetGib=1)
    journey.go("prepare", targetGib=20)


def test_more_tables_than_the_targets_table_of_locks_has_room_for(journey: Journey) -> None:
    room = journey.peek("target", target_checks.QUERIES["locks that there is room for"])[0][0]
    count = room // 8 + 1  # of four relations each
    journey.run(
        f"DO $$BEGIN FOR n IN 1..{count} LOOP EXECUTE"
        " format('CREATE TABLE t%s (id text PRIMARY KEY)', n); END LOOP; END$$"
    )
    refused(
        journey, f"need {4 * count} locks at once, more than half of the {room}", "max_locks_per_transaction"
    )


def test_as_many_locks_are_held_as_were_foreseen(journey: Journey) -> None:
    journey.run(*RICH)
    sql = target_checks.QUERIES["locks that making the schema takes, all in one transaction"]
    foreseen = journey.peek("origin", sql.replace(":schema", f"'{journey.role}'"))[0][0]
    held = list[int]()

    def look(step: str) -> None:
        if step == "sample loaded":
            held.extend(
                n
                for (n,) in journey.peek(
                    "target",
                    "SELECT count(*) FROM pg_locks JOIN pg_stat_activity"
                    f" USING (pid) WHERE usename = 's_{journey.role}' AND mode = 'AccessExclusiveLock'",
                )
            )

    journey.go("prepare", look)
    assert 0.7 * foreseen < held[0] <= foreseen


def test_everything_of_a_rich_schema_is_rehearsed_and_gone(journey: Journey) -> None:
    journey.run(*RICH)
    notes = journey.go("prepare")["notes"]
    rows = journey.run("SELECT count(*) FROM customers")[0][0]
    assert rows == 200
    assert any(n.startswith("rehearsed with ") and n.endswith(" rows of 6 tables") for n in notes), notes
    assert nothing_at_target(journey)


@pytest.mark.parametrize("step", ["schema rehearsed", "sample loaded"])
def test_a_rehearsal_that_is_killed_leaves_nothing_for_long(journey: Journey, step: str) -> None:
    journey.run(*RICH)

    def die(name: str) -> None:
        if name == step:
            journey.die()
            raise Killed(name)

    with pytest.raises(Killed, match=step):
        journey.go("prepare", die)
    journey.go("prepare")
    assert nothing_at_target(journey)


@pytest.mark.parametrize("without", ["ROW_BYTES", "TABLE_BYTES"])
def test_a_long_row_is_left_out(journey: Journey, monkeypatch: pytest.MonkeyPatch, without: str) -> None:
    """Before it is read, and where it is short as it is stored, before it is kept."""
    monkeypatch.setattr(rehearsal, without, 1 << 30)
    journey.run(
        "CREATE TABLE x (id int PRIMARY KEY, t text)",
        "ALTER TABLE x ALTER t SET STORAGE EXTERNAL",
        "INSERT INTO x VALUES (1, 'short'), (2, repeat('x', 5000000))",
    )
    assert "rehearsed with 1 rows of 1 tables" in journey.go("prepare")["notes"]
