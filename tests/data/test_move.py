"""A tenant moves between two real servers, by the function that is shipped to Lambda."""

import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from functions.common import replication, tenant_session
from functions.common.advisory_lock import SPACE
from functions.common.database_endpoint import MoveError, administrator_at, work_alone
from functions.common.going_on import GoesOn
from functions.common.passwords import new_password
from functions.tenant_data import cutover, last_dump
from functions.tenant_data.request import parse
from tests.data.moving import BUDGET, STEPS, BudgetClock, Journey, Killed, host
from tests.data.rich import RICH, fingerprint, rows_of
from tests.data.server import Server
from tests.waiting import wait_for


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


@pytest.mark.parametrize("part", [last_dump.PART, 10_000])
def test_the_last_dump_makes_the_old_place_again(
    rich: Journey, other: Server, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """With gunzip and psql alone, as a person would in ten years."""
    monkeypatch.setattr(last_dump, "PART", part)
    answer: Mapping[str, Any] = {}
    for stage in STEPS:
        answer = rich.go(stage)
    bucket = rich.folder / "the-bucket"
    manifest = json.loads((bucket / answer["dump"]["key"]).read_bytes())
    parts = [(bucket / part["key"]).read_bytes() for part in manifest["parts"]]
    assert [hashlib.sha256(part).hexdigest() for part in parts] == [p["sha256"] for p in manifest["parts"]]
    assert sorted(rich.bucket.keys) == [part["key"] for part in manifest["parts"]]
    text = gzip.decompress(b"".join(parts)).decode()
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
        message = str(refused.value)
        for name in (
            *("keyless, unkeyed_too", "forgetful", "heir", "secretive", "kept"),
            *("span", "total", "quiet", "loud", "odd"),
        ):
            assert re.search(rf": [^;]*\b{name}", message), (name, message)
    assert journey.left("target") == []
    made = f"SELECT 1 FROM pg_class WHERE relnamespace = '{journey.role}'::regnamespace"
    assert journey.peek("target", made) == []


@pytest.mark.parametrize("end", ["origin", "target"])
def test_a_server_that_does_not_tell_its_identifier_is_refused_before_anything_is_made(
    journey: Journey, end: str
) -> None:
    """If RDS keeps from its administrators what PostgreSQL tells every role."""
    revoke = f"REVOKE EXECUTE ON FUNCTION {replication.IDENTIFIER} FROM PUBLIC"
    journey.servers[end].superuser(revoke, database=journey.database)
    for stage in ("prepare", "replicate"):
        with pytest.raises(MoveError, match=f"administrator of the {end} may not call pg_control_system"):
            journey.go(stage)
    assert journey.left("target") == []


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
    with pytest.raises(MoveError, match=r"rows are not the same at both ends in one \(1 of 5000 rows"):
        journey.go("cutover")
    assert journey.serving == "origin"
    assert journey.run("INSERT INTO one VALUES (6000, 'still open') RETURNING id") == [[6000]]
    journey.peek("target", "UPDATE one SET said = 'x' WHERE id = 4999", "DELETE FROM one WHERE id = 3")
    with pytest.raises(MoveError, match=r"one \(1 of 5001 rows"):
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


def test_while_a_cutover_that_was_killed_is_prepared_again_the_tenant_writes(journey: Journey) -> None:
    """Comparing takes minutes where tables are large."""
    journey.run("CREATE TABLE one (id int PRIMARY KEY)")
    journey.go("replicate")

    def die(step: str) -> None:
        if step == "sequences":
            journey.die()
            raise Killed("in the window")

    with pytest.raises(Killed, match="in the window"):
        journey.go("cutover", step=die)
    with pytest.raises(DatabaseError, match="not permitted to log in"):
        journey.run("INSERT INTO one VALUES (1)")

    def write(step: str) -> None:
        if step == "rows compared":
            journey.run("INSERT INTO one VALUES (1)", at="origin")

    assert journey.go("cutover", step=write)["serves"] == "target"
    assert journey.run("SELECT id FROM one") == [[1]]


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


READY = "UPDATE pg_subscription_rel SET srsubstate = 'r', srsublsn = pg_current_wal_lsn()"
TAKEN_DOWN = "ALTER SUBSCRIPTION m_{0}_out SET (slot_name = NONE); DROP SUBSCRIPTION m_{0}_out"
COPY_STATE = "SELECT srsubstate, srrelid::regclass::text FROM pg_subscription_rel ORDER BY 2"


def lose_the_slot_of_a_copy(journey: Journey, table: str) -> None:
    """What a connection leaves that was cut as the copy ended (tests/sandbox/test_subscriptions.py)."""
    wait_for(lambda: {state for state, _ in journey.peek("target", COPY_STATE)} == {"r"}, "the copy")
    journey.peek(
        "target",
        "SET allow_system_table_mods = on",
        "UPDATE pg_subscription_rel SET srsubstate = 'f', srsublsn = NULL"
        f" WHERE srrelid = '{journey.role}.{table}'::regclass",
    )


def test_a_copy_that_can_never_end_begins_again(rich: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication, "LOST", 0.5)
    rich.go("prepare")

    def lose(step: str) -> None:
        if step == "copied":
            lose_the_slot_of_a_copy(rich, "customers")

    with pytest.raises(
        GoesOn, match=rf"as the first copy of {rich.role}\.customers ended; the whole copy beg"
    ):
        rich.go("replicate", step=lose)
    rich.run("INSERT INTO customers (name) VALUES ('between two copies')")
    for stage in STEPS[1:]:
        rich.go(stage)
    assert rich.run("SELECT count(*) FROM customers WHERE name = 'between two copies'") == [[1]]
    assert rich.left("origin") == rich.left("target") == []


def test_rows_of_a_copy_that_was_taken_down_are_not_in_the_way_of_the_next(rich: Journey) -> None:
    rich.go("prepare")
    rich.go("replicate")
    rich.peek(
        "target", f"ALTER SUBSCRIPTION m_{rich.role}_out DISABLE", *TAKEN_DOWN.format(rich.role).split("; ")
    )
    assert rich.peek("target", "SELECT count(*) > 0 FROM customers") == [[True]]
    for stage in STEPS[1:]:
        rich.go(stage)
    assert rich.left("origin") == rich.left("target") == []


def test_a_copy_that_can_never_end_stops_a_cutover_before_writes_stop(
    rich: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replication, "LOST", 0.5)
    for stage in STEPS[:2]:
        rich.go(stage)
    lose_the_slot_of_a_copy(rich, "customers")
    with pytest.raises(MoveError, match="as the first copy of"):
        rich.go("cutover")
    assert rich.serving == "origin"
    rich.run("INSERT INTO customers (name) VALUES ('still open')")
    rich.go("abort")
    assert rich.left("origin") == rich.left("target") == []


def test_a_copy_that_ends_in_a_moment_goes_on(rich: Journey) -> None:
    """Between the drop of the slot and the commit, each copy looks as if it could not end."""
    rich.go("prepare")

    def lose(step: str) -> None:
        if step == "copied":
            lose_the_slot_of_a_copy(rich, "customers")
            Timer(2, lambda: rich.peek("target", READY)).start()

    rich.go("replicate", step=lose)
    rich.go("cutover")
    assert rich.serving == "target"


def test_taking_a_move_down_leaves_the_copy_of_another_server_alone(rich: Journey) -> None:
    """Fresh silos have the same numbers: their slots at the shard differ by the server alone."""
    rich.go("prepare")
    rich.go("replicate")
    own = f"SELECT oid::int8 FROM pg_subscription WHERE subname = 'm_{rich.role}_out'"
    number = rich.peek("target", own)[0][0]
    others = f"pg_{number}_sync_16384_7000000000000000000"
    rich.peek("origin", f"SELECT pg_create_logical_replication_slot('{others}', 'pgoutput')")
    try:
        rich.go("abort")
        assert [others] in rich.peek("origin", "SELECT slot_name FROM pg_replication_slots")
    finally:
        rich.peek("origin", f"SELECT pg_drop_replication_slot('{others}')")


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
        answer = str(rich.go(stage))
    except MoveError as refusal:
        answer = str(refusal)
    assert says in answer
    assert rich.serving == "origin"
    assert rows_of(rich, "origin") == before
    rich.run("INSERT INTO empty (id) VALUES (9)")


def test_no_secret_is_in_the_logs_of_a_move(rich: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the tenant, of the role that replicates, of sessions that read; of calls that fail as well."""
    known: list[str] = []

    def recorded() -> str:
        known.append(new_password())
        return known[-1]

    for module in (cutover, replication, tenant_session):
        monkeypatch.setattr(module, "new_password", recorded)
    reach = rich.reach
    for wrong, why in REFUSED_CONNECTIONS.items():
        monkeypatch.setattr(rich, "reach", lambda *ends, wrong=wrong: f"{reach(*ends)} {wrong}")
        rich.go("prepare")
        with pytest.raises((MoveError, DatabaseError), match=why):
            rich.go("replicate")
    monkeypatch.setattr(rich, "reach", reach)
    for stage in STEPS:
        rich.go(stage)
    known += [content["password"] for content in rich.secrets.versions[rich.secret_arn].values()]
    logs = "".join(server.log for server in rich.servers.values())
    assert len(set(known)) > 8
    assert [secret for secret in known if secret in logs] == []


REFUSED_CONNECTIONS = {"host=/nowhere": "could not connect", "nothing=known": "its connection was refused"}


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


def test_the_catalog_names_the_database_that_serves_from_the_switch_on(journey: Journey) -> None:
    """Written by the function, so that it holds too where the run ends before the program writes it."""
    for stage, serves in (("prepare", "origin"), ("replicate", "origin"), ("cutover", "target")):
        journey.go(stage)
        assert (journey.in_catalog, journey.serving) == (serves, serves), stage
    entry = journey.catalog.values[journey.entry]
    assert json.loads(entry) == {
        "tenant": journey.tenant,
        "database": {"host": host("target"), "port": 5432, "readers": [], "name": journey.database},
        "active": True,
    }
    assert " " not in entry, "with the program's own separators, or it would differ for ever"
    journey.go("rollback")
    assert json.loads(journey.catalog.values[journey.entry])["database"]["readers"] == ["reader.of.origin"]
    assert journey.in_catalog == "origin"


def test_a_call_that_finds_another_at_work_comes_again_later(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.common.database_endpoint.ENDING", 0.2)

    def second(_step: str) -> None:
        with pytest.raises(GoesOn, match="another call works on the tenant"):
            journey.go("prepare")
        raise Killed

    with pytest.raises(Killed, match=r"^$"):
        journey.go("prepare", step=second)
    journey.go("prepare")


@pytest.mark.parametrize("end", ["origin", "target"])
def test_while_a_call_works_nobody_else_does_at_either_end(
    journey: Journey, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """The check of protected columns works at the one that serves."""
    monkeypatch.setattr("functions.common.database_endpoint.ENDING", 0.2)
    request = parse(journey.event("prepare"))
    where = {"origin": request.origin, "target": request.target}[end]

    def second(_step: str) -> None:
        at = administrator_at(end, where, request, journey.open, journey.secrets)
        with at as endpoint, pytest.raises(GoesOn, match="another call works on the tenant"):
            work_alone(endpoint)
        raise Killed

    with pytest.raises(Killed, match=r"^$"):
        journey.go("prepare", step=second)


def test_a_tenant_that_takes_the_lock_of_the_work_holds_nobody_up(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.common.database_endpoint.ENDING", 2.0)
    prepared: list[object] = []

    def take() -> None:
        with journey.session() as hostile:
            hostile.run(f"SELECT pg_advisory_lock({SPACE}, hashtext('{journey.role}'))")
            prepared.append(journey.go("prepare"))
            hostile.run("SELECT 1")

    with pytest.raises((DatabaseError, InterfaceError), match=r"terminat|network|closed|connection"):
        take()
    assert len(prepared) == 1
