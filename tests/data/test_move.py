"""A tenant moves between two real servers, by the function that is shipped to Lambda."""

import gzip
import re
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError

from functions.common.database_endpoint import MoveError
from tests.data.moving import BUDGET, STEPS, BudgetClock, Journey
from tests.data.rich import RICH, fingerprint, rows_of
from tests.data.server import Server


@pytest.fixture
def journey(server: Server, other: Server, tmp_path: Path) -> Journey:
    return Journey({"origin": server, "target": other}, tmp_path)


@pytest.fixture
def rich(journey: Journey) -> Journey:
    journey.run(*RICH)
    return journey


def test_everything_of_a_rich_schema_arrives(rich: Journey) -> None:
    before, made = rows_of(rich, "origin"), fingerprint(rich, "origin")
    assert len(made) > 55
    for stage in STEPS[:3]:
        rich.go(stage)
    assert rows_of(rich, "target") == before
    assert fingerprint(rich, "target") == made
    sequences = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = '{}' ORDER BY 1"
    assert rich.peek("target", sequences.format(rich.role)) == rich.peek(
        "origin", sequences.format(rich.role)
    )


def test_what_is_written_after_the_cutover_works_as_before(rich: Journey) -> None:
    """Keys, checks, triggers, generated columns and sequences are the tenant's own again."""
    last = rich.run("SELECT max(id) FROM customers")[0][0]
    for stage in STEPS:
        rich.go(stage)
    made = rich.run(
        "INSERT INTO customers (name) VALUES ('new') RETURNING id",
    )
    assert made == [[last + 2]]
    assert rich.run("UPDATE customers SET name = 'x' WHERE name = 'new' RETURNING touched, doubled") == [
        [1, 2]
    ]
    assert rich.run("SELECT count(*) FROM richest()") == [[1]]
    for wrong in (
        "INSERT INTO customers (name, email) VALUES ('twin', 'e1')",
        "INSERT INTO invoices (customer, total) VALUES (-1, 1)",
        "INSERT INTO invoices (customer, total) VALUES (50, -1)",
        "INSERT INTO customers (name, feels) VALUES ('n', 'angry')",
    ):
        with pytest.raises(DatabaseError, match=r"violates|invalid"):
            rich.run(wrong)


def test_the_old_place_is_closed_and_then_gone(rich: Journey) -> None:
    for stage in STEPS[:3]:
        rich.go(stage)
    with pytest.raises(DatabaseError, match=r"not permitted to log in|password"):
        rich.run("SELECT 1", at="origin")
    old = rich.secrets.versions[rich.secret_arn]["version-0"]["password"]
    assert rich.secret["password"] != old
    for stage in STEPS[3:]:
        rich.go(stage)
    assert rich.left("origin") == rich.left("target") == []
    gone = f"SELECT 1 FROM pg_roles WHERE rolname = '{rich.role}' UNION ALL SELECT 1 FROM pg_namespace WHERE nspname = '{rich.role}'"  # noqa: E501
    assert rich.peek("origin", gone) == []


def test_the_last_dump_makes_the_old_place_again(rich: Journey, other: Server) -> None:
    """With psql alone, as a person would in ten years."""
    for stage in STEPS:
        rich.go(stage)
    (key,) = rich.bucket.keys
    text = gzip.decompress((rich.folder / "the-bucket" / key).read_bytes()).decode()
    name = f"restored{rich.number}"
    other.superuser(f"CREATE DATABASE {name}")
    file = other.directory / f"{name}.sql"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)
    other.psql(name, file)
    restored = {t: other.rows(name, f'SELECT t::text FROM "{rich.role}"."{t}" t ORDER BY 1') for t in TABLES}
    now = {t: rich.peek("target", f'SELECT t::text FROM "{t}" t ORDER BY 1') for t in TABLES}
    assert restored == now


TABLES = ("customers", "invoices", "entries_2025", "entries_rest", "Odd Names", "empty")


def test_what_cannot_be_moved_is_refused_by_name_and_nothing_changes(journey: Journey) -> None:
    for statement in (
        "CREATE TABLE keyless (n int)",
        "CREATE TABLE unkeyed_too (n int)",
        "CREATE UNLOGGED TABLE forgetful (n int PRIMARY KEY)",
        "CREATE TABLE parent (n int PRIMARY KEY)",
        "CREATE TABLE heir (PRIMARY KEY (n)) INHERITS (parent)",
        "CREATE TABLE secretive (n int PRIMARY KEY)",
        "ALTER TABLE secretive ENABLE ROW LEVEL SECURITY",
        "CREATE MATERIALIZED VIEW kept AS SELECT 1",
        "CREATE TYPE span AS RANGE (subtype = int)",
        "CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int)",
        "CREATE RULE quiet AS ON INSERT TO parent DO INSTEAD NOTHING",
        "CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER loud BEFORE INSERT ON parent EXECUTE FUNCTION t()",
        "ALTER TABLE parent ENABLE ALWAYS TRIGGER loud",
        "CREATE COLLATION odd (LOCALE = 'C')",
    ):
        journey.run(statement)
    for stage in ("prepare", "replicate"):
        with pytest.raises(MoveError, match="keyless") as refused:
            journey.go(stage)
        said = str(refused.value)
        for name in (
            *("keyless, unkeyed_too", "forgetful", "heir", "secretive", "kept"),
            *("span", "total", "quiet", "loud", "odd"),
        ):
            assert re.search(rf": [^;]*\b{name}", said), (name, said)
    assert journey.left("target") == []
    made = f"SELECT 1 FROM pg_class WHERE relnamespace = '{journey.role}'::regnamespace"
    assert journey.peek("target", made) == []


def test_a_table_that_changes_during_the_move_stops_the_cutover(journey: Journey) -> None:
    journey.run("CREATE TABLE one (id int PRIMARY KEY)")
    journey.go("replicate")
    journey.run("ALTER TABLE one ADD COLUMN more text")
    with pytest.raises(MoveError, match="tables were changed since the move began: one"):
        journey.go("cutover")
    assert journey.serving == "origin"
    journey.run("ALTER TABLE one DROP COLUMN more")
    journey.go("cutover")
    assert journey.serving == "target"


def test_rows_that_differ_stop_the_cutover(journey: Journey) -> None:
    journey.run("CREATE TABLE one (id int PRIMARY KEY, said text, t text DEFAULT 'a name')")
    journey.run("INSERT INTO one SELECT n, 'x' FROM generate_series(1, 5000) n")
    journey.go("replicate")
    journey.peek("target", "UPDATE one SET said = 'y' WHERE id = 4999")
    with pytest.raises(MoveError, match=r"rows are not the same at both ends in one \(some of 5000 rows"):
        journey.go("cutover")
    assert journey.serving == "origin"
    assert journey.run("INSERT INTO one VALUES (6000, 'still open') RETURNING id") == [[6000]]
    journey.peek("target", "UPDATE one SET said = 'x' WHERE id = 4999", "DELETE FROM one WHERE id = 3")
    with pytest.raises(MoveError, match=r"one \(some of 5001 rows"):
        journey.go("cutover")


def test_a_cutover_that_takes_too_long_is_called_off(rich: Journey, clock: BudgetClock) -> None:
    rich.go("replicate")

    def stuck(step: str) -> None:
        if step == "level":  # nothing arrives any more
            rich.peek("target", f"ALTER SUBSCRIPTION m_{rich.role}_out DISABLE")
            rich.peek("origin", "INSERT INTO empty (id) VALUES (77)")
            clock.ahead = BUDGET

    with pytest.raises(MoveError, match=f"waited for more than {BUDGET} s"):
        rich.go("cutover", step=stuck)
    assert rich.serving == "origin"
    rich.run("INSERT INTO empty (id) VALUES (78)")
    rich.peek("target", f"ALTER SUBSCRIPTION m_{rich.role}_out ENABLE")
    assert rich.go("cutover")["serves"] == "target"
    assert rich.run("SELECT count(*) FROM empty WHERE id IN (77, 78)") == [[2]]


def test_a_follower_that_never_catches_up_stops_the_cutover_before_writes_stop(journey: Journey) -> None:
    journey.run("CREATE TABLE one (id int PRIMARY KEY, said text)")
    journey.go("replicate")
    journey.peek("target", "INSERT INTO one VALUES (1, 'in the way')")
    journey.run("INSERT INTO one VALUES (1, 'x'), (2, 'x')")  # which cannot arrive
    says = (
        r"the target is \d+ bytes behind and does not catch up \(\d+ failures\); writes go on at the origin"
    )
    with pytest.raises(MoveError, match=says):
        journey.go("cutover", patience=3)
    assert journey.serving == "origin"
    assert journey.run("INSERT INTO one VALUES (3, 'still open') RETURNING id") == [[3]]
    assert f"slot m_{journey.role}_out_seen" not in journey.left("origin")
    journey.peek("target", "DELETE FROM one WHERE id = 1")  # which is not to come back to the origin
    assert journey.go("cutover")["serves"] == "target"
    assert journey.run("SELECT count(*) FROM one") == [[3]]


def test_a_session_that_defies_read_only_loses_nothing(journey: Journey) -> None:
    """The role's setting is a request; the closed login is what ends writing."""
    journey.run("CREATE TABLE one (id int PRIMARY KEY)")
    journey.go("replicate")

    def defy(step: str) -> None:
        if step == "rows equal":
            journey.run("SET default_transaction_read_only = off", "INSERT INTO one VALUES (1)", at="origin")

    journey.go("cutover", step=defy)
    assert journey.run("SELECT id FROM one") == [[1]]


@pytest.mark.parametrize("after", ["cutover", "soak"])
def test_a_rollback_loses_nothing_that_was_written_since(rich: Journey, after: str) -> None:
    for stage in STEPS[: STEPS.index(after) + 1]:
        rich.go(stage)
    made = rich.run("INSERT INTO customers (name, touched) VALUES ('late', 5) RETURNING id")[0][0]
    rich.run("DELETE FROM invoices WHERE customer = 50", "UPDATE customers SET name = 'z' WHERE id = 52")
    rich.go("rollback")
    assert rich.serving == "origin"
    assert rich.run(
        "SELECT name, touched FROM customers WHERE id IN (:a, 52) ORDER BY id".replace(":a", str(made))
    ) == [["z", 3], ["late", 5]]
    assert rich.run("SELECT count(*) FROM invoices WHERE customer = 50") == [[0]]
    assert rich.run("INSERT INTO customers (name) VALUES ('next') RETURNING id") == [[made + 2]]
    rich.go("abort")
    assert rich.left("origin") == rich.left("target") == []
    assert rich.run("SELECT count(*) FROM customers") == [[202]]


def test_an_abort_leaves_the_origin_as_it_was(rich: Journey) -> None:
    before, made = rows_of(rich, "origin"), fingerprint(rich, "origin")
    rich.go("prepare")
    rich.go("replicate")
    rich.go("abort")
    assert rows_of(rich, "origin") == before
    assert fingerprint(rich, "origin") == made
    assert rich.left("origin") == rich.left("target") == []
    rich.run("INSERT INTO customers (name) VALUES ('still here')")


@pytest.mark.parametrize(
    ("stage", "says"),
    [
        ("cutover", "nothing follows the origin"),
        ("soak", "the target does not serve"),
        ("done", "the target does not serve"),
        ("rollback", "was switched"),
    ],
)
def test_stages_out_of_order_change_nothing(rich: Journey, stage: str, says: str) -> None:
    before = rows_of(rich, "origin")
    try:
        told = str(rich.go(stage))
    except MoveError as refusal:
        told = str(refusal)
    assert says in told
    assert rich.serving == "origin"
    assert rows_of(rich, "origin") == before
    rich.run("INSERT INTO empty (id) VALUES (9)")


def test_no_secret_is_in_the_logs_of_a_move(rich: Journey) -> None:
    for stage in STEPS:
        rich.go(stage)
    logs = "".join(server.log for server in rich.servers.values())
    for content in rich.secrets.versions[rich.secret_arn].values():
        assert content["password"] not in logs


LATE = (
    "UPDATE one SET said = 'late' WHERE id = 1",
    "INSERT INTO one VALUES (9001, 'late')",
    "DELETE FROM one WHERE id = 2",
    "UPDATE one SET id = 9003 WHERE id = 3",
)


@pytest.mark.parametrize(
    "lost",
    [
        "UPDATE one SET said = 'x' WHERE id = 1",
        "DELETE FROM one WHERE id = 9001",
        "INSERT INTO one VALUES (2, 'x')",
        "INSERT INTO one VALUES (3, 'x')",
        "UPDATE one SET said = 'other' WHERE id = 9003",
        None,
    ],
)
def test_a_row_of_the_last_moment_that_did_not_arrive_stops_the_cutover(
    journey: Journey, lost: str | None
) -> None:
    """Written after all rows were compared, and then as if it had never come through."""
    journey.run("CREATE TABLE one (id int PRIMARY KEY, said text)")
    journey.run("INSERT INTO one SELECT n, 'x' FROM generate_series(1, 500) n")
    journey.go("replicate")

    def meddle(step: str) -> None:
        if step == "read-only":
            journey.run(*LATE)
        elif step == "rows equal" and lost:
            origin = f"'lost-{journey.number}'"  # as what was replicated: it is not sent back
            journey.peek(
                "target",
                f"SELECT pg_replication_origin_create({origin})",
                f"SELECT pg_replication_origin_session_setup({origin})",
                lost,
            )

    if lost is None:
        journey.go("cutover", step=meddle)
        assert journey.serving == "target"
        return
    with pytest.raises(MoveError, match=r"not the same at both ends in one \(1 of 500 rows\)"):
        journey.go("cutover", step=meddle)
    assert journey.serving == "origin"


def test_a_table_that_is_emptied_at_the_last_moment_arrives_empty(journey: Journey) -> None:
    journey.run("CREATE TABLE one (id int PRIMARY KEY)", "INSERT INTO one SELECT generate_series(1, 500)")
    journey.go("replicate")

    def empty(step: str) -> None:
        if step == "read-only":
            journey.run("TRUNCATE one", "INSERT INTO one VALUES (7)")

    journey.go("cutover", step=empty)
    assert journey.run("SELECT id FROM one") == [[7]]
