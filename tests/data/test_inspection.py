"""The daily check of protected columns: what it finds, what it tells, and what it leaves alone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from functions.common.connection import BootstrapError
from functions.common.events import RequestError
from functions.common.protected_columns import NOT_PROTECTED
from functions.tenant_bootstrap import handler, inspection, protected_sample
from functions.tenant_bootstrap.inspection import NAMESPACE, inspect
from functions.tenant_bootstrap.protected_sample import MOST_PARTS
from tests.data.hooks import BASE, GRANTED, SEEN, VICTIM
from tests.data.shard import Shard
from tests.data.test_protected_columns import CARDS, NUMBER, under
from tests.field_encryption.keys import KEY

NAMES = {"tenant", "table", "column", "why", "event"}


def written(value: bytes) -> str:
    return f"'\\x{value.hex()}'"


def message(shard: Shard) -> str:
    return written(under(shard.acme).encrypt(NUMBER))


def told(shard: Shard, *columns: str, **changes: Any) -> list[Mapping[str, Any]]:
    """What one call says."""
    said: list[str] = []
    inspect({**shard.inspection(*columns, keys=[KEY]), **changes}, shard.secrets, shard.connect, said.append)
    assert NUMBER.decode() not in "".join(said)
    return [json.loads(line) for line in said]


def findings(shard: Shard, *columns: str) -> dict[str, tuple[int, str]]:
    """Column → how many, and why; for all that is told, in no order."""
    *lines, last = told(shard, *columns)
    assert last["findings"] == sum(line.get("Findings", 0) for line in lines)
    assert last["unread"] == sum(line.get("Unread", 0) for line in lines)
    return {
        f"{line['table']}.{line['column']}": (line.get("Findings", 0), line["why"])
        for line in sorted(lines, key=lambda line: columns.index(f"{line['table']}.{line['column']}"))
    }


def test_a_finding_is_told_with_its_place_and_number_and_no_value(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELL", "dev")
    plain = written(NUMBER)
    shard.run(shard.acme, CARDS, f"INSERT INTO cards VALUES (1, {message(shard)}), (2, {plain}), (3, NULL)")
    found, call = told(shard, "cards.number")
    about = {"tenant": shard.acme, "table": "cards", "column": "number", "why": f"1 {NOT_PROTECTED}"}
    assert {k: found[k] for k in about} == about
    assert (found["Cell"], found["Findings"]) == ("dev", 1)
    (metric,) = found["_aws"]["CloudWatchMetrics"]
    assert (metric["Namespace"], metric["Dimensions"]) == (NAMESPACE, [["Cell"]])
    assert [m["Name"] for m in metric["Metrics"]] == ["Findings"]
    told_of = {"columns": 1, "values": 2, "findings": 1, "unread": 0, "whole": True, "Inspections": 1}
    assert {k: call[k] for k in told_of} == told_of


def test_lambda_calls_it_for_an_event_that_asks_for_it(
    shard: Shard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(handler, "connect", shard.connect)
    monkeypatch.setattr(handler, "_store", lambda: shard.secrets)
    shard.run(shard.acme, CARDS, f"INSERT INTO cards VALUES (1, {message(shard)})")
    answer = handler.handle(shard.inspection("cards.number", keys=[KEY]), None)
    expected = {"tenant": shard.acme, "columns": 1, "values": 1, "findings": 0, "unread": 0, "whole": True}
    assert answer == expected
    assert json.loads(capsys.readouterr().out)["Inspections"] == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"role": "t_somebody"}, "role: expected t_acme"),
        ({"protected": {"columns": [], "keys": [KEY]}}, r"protected\.columns: empty"),
        ({"protected": {"columns": ["a.b"], "keys": []}}, r"protected\.keys: empty"),
        ({"port": 0}, "port"),
    ],
)
def test_an_event_that_is_wrong_is_refused(steady: Shard, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        told(steady, "cards.number", **changes)


# ---- what stands in the place of a column of bytes


# What is made → the column that is named, and what is found of it.
SHAPES: dict[str, tuple[Sequence[str], str, str]] = {
    "text": (["CREATE TABLE t (v text)"], "t.v", "its type is not bytea"),
    "an array": (["CREATE TABLE t (v bytea[])"], "t.v", "its type is not bytea"),
    "a domain": (
        ["CREATE DOMAIN sealed AS bytea", "CREATE TABLE t (v sealed)"],
        "t.v",
        "its type is not bytea",
    ),
    "a composite": (["CREATE TYPE pair AS (v bytea)", "CREATE TABLE t (v pair)"], "t.v", "its type is not"),
    "a view": (["CREATE VIEW t AS SELECT {message}::bytea AS v"], "t.v", "it is no table's"),
    "a materialized view": (
        ["CREATE MATERIALIZED VIEW t AS SELECT {message}::bytea AS v"],
        "t.v",
        "it is no table's",
    ),
    "a type's": (["CREATE TYPE t AS (v bytea)"], "t.v", "it is no table's"),
    "an index's": (["CREATE TABLE x (v bytea)", "CREATE INDEX t ON x (v)"], "t.v", "it is no table's"),
    "no table": ([], "t.v", "there is no such column"),
    "a renamed column": (
        ["CREATE TABLE t (v bytea)", "ALTER TABLE t RENAME v TO w"],
        "t.v",
        "there is no such column",
    ),
    "a dropped column": (
        ["CREATE TABLE t (v bytea, w int)", "ALTER TABLE t DROP v"],
        "t.v",
        "there is no such column",
    ),
    "a renamed table": (
        ["CREATE TABLE t (v bytea)", "ALTER TABLE t RENAME TO u"],
        "t.v",
        "there is no such column",
    ),
    "a column of the system": (["CREATE TABLE t (v bytea)"], "t.ctid", "there is no such column"),
    "a catalog": ([], "pg_statistic.stavalues1", "there is no such column"),
    "a generated column": (
        [
            "CREATE TABLE t (w text, v bytea GENERATED ALWAYS AS (decode(w, 'escape')) STORED)",
            "INSERT INTO t VALUES ('4111111111111111')",
        ],
        "t.v",
        f"1 {NOT_PROTECTED}",
    ),
    "a default": (
        ["CREATE TABLE t (w int, v bytea DEFAULT '4111111111111111')", "INSERT INTO t VALUES (1)"],
        "t.v",
        f"1 {NOT_PROTECTED}",
    ),
    "a default of before": (
        [
            "CREATE TABLE t (w int)",
            "INSERT INTO t VALUES (1)",
            "ALTER TABLE t ADD v bytea DEFAULT '4111111111111111'",
        ],
        "t.v",
        f"1 {NOT_PROTECTED}",
    ),
    "a partition": (
        [
            "CREATE TABLE t (w int, v bytea) PARTITION BY LIST (w)",
            "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1) PARTITION BY LIST (w)",
            "CREATE TABLE t2 (v bytea, gone int, w int)",  # the columns stand elsewhere
            "ALTER TABLE t2 DROP gone",
            "ALTER TABLE t1 ATTACH PARTITION t2 DEFAULT",
            "INSERT INTO t VALUES (1, {plain}), (1, {message})",
        ],
        "t.v",
        f"1 {NOT_PROTECTED}",
    ),
    "a child": (
        ["CREATE TABLE t (v bytea)", "CREATE TABLE u () INHERITS (t)", "INSERT INTO u VALUES ({plain})"],
        "t.v",
        f"1 {NOT_PROTECTED}",
    ),
    "names that need quotes": (
        [
            'CREATE TABLE "Karten :message {{x}}" ("Nr :header0 %s" bytea)',
            'INSERT INTO "Karten :message {{x}}" VALUES ({plain}), ({message})',
        ],
        "Karten :message {x}.Nr :header0 %s",
        f"1 {NOT_PROTECTED}",
    ),
    "a large value": (
        ["CREATE TABLE t (v bytea)", "INSERT INTO t VALUES (decode(repeat('41', 5000000), 'hex'))"],
        "t.v",
        f"1 {NOT_PROTECTED}",
    ),
    "an unlogged table": (
        ["CREATE UNLOGGED TABLE t (v bytea)", "INSERT INTO t VALUES ({plain})"],
        "t.v",
        f"1 {NOT_PROTECTED}",
    ),
    "a table behind security of rows": (
        [
            "CREATE TABLE t (v bytea)",
            "INSERT INTO t VALUES ({plain})",
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY none ON t USING (false)",
        ],
        "t.v",
        f"1 {NOT_PROTECTED}",
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_no_column_of_messages_is_a_finding(shard: Shard, shape: str) -> None:
    made, column, expected = SHAPES[shape]
    texts = {"plain": written(NUMBER), "message": message(shard)}
    shard.run(shard.acme, "SELECT 1", *(statement.format(**texts) for statement in made))
    ((where, (count, why)),) = findings(shard, column).items()
    assert where == column
    assert count == 1
    assert why.startswith(expected)


def test_a_table_of_another_schema_is_not_meant(shard: Shard) -> None:
    shard.run(shard.bolt, CARDS, f"INSERT INTO cards VALUES (1, {written(NUMBER)})")
    shard.master("CREATE TABLE public.cards (number bytea)")
    assert findings(shard, "cards.number") == {"cards.number": (1, "there is no such column")}


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        (["ALTER TABLE cards FORCE ROW LEVEL SECURITY", "CREATE POLICY p ON cards USING (false)"], "42501"),
        (["REVOKE ALL ON cards FROM {role}"], "42501"),
    ],
)
def test_what_cannot_be_read_is_told_as_unread(shard: Shard, statements: Sequence[str], why: str) -> None:
    shard.run(
        shard.acme,
        CARDS,
        f"INSERT INTO cards VALUES (1, {written(NUMBER)})",
        "ALTER TABLE cards ENABLE ROW LEVEL SECURITY",
        "CREATE TABLE more (number bytea)",
        *(statement.format(role=shard.role(shard.acme)) for statement in statements),
    )
    found = findings(shard, "cards.number", "more.number")
    assert found.keys() == {"cards.number"}
    assert found["cards.number"][0] == 0
    assert found["cards.number"][1].startswith(f"SQLSTATE {why}")


# ---- the tenant's code

IN_THE_WAY = (
    "CREATE FUNCTION {role}.octet_length(bytea) RETURNS int LANGUAGE plpgsql AS"
    " $$BEGIN PERFORM {role}.seen('function'); RETURN 155; END$$",
    "CREATE FUNCTION {role}.int4send(int) RETURNS bytea LANGUAGE plpgsql AS"
    " $$BEGIN PERFORM {role}.seen('function'); RETURN ''; END$$",
    "CREATE FUNCTION {role}.same(bytea, bytea) RETURNS bool LANGUAGE plpgsql AS"
    " $$BEGIN RETURN {role}.seen('operator'); END$$",
    "CREATE OPERATOR {role}.= (LEFTARG = bytea, RIGHTARG = bytea, FUNCTION = {role}.same)",
    "CREATE TYPE {role}.regtype AS (x int)",
    "CREATE VIEW {role}.pg_class AS SELECT {role}.seen('catalog')",
    "CREATE DOMAIN {role}.bytea AS text CHECK ({role}.seen('domain'))",
)


def hooked(shard: Shard) -> str:
    """acme's name for its code that tells as whom it runs."""
    role = shard.role(shard.acme)
    shard.run(shard.acme, *(text.format(role=role, victim=VICTIM) for text in (*BASE, *IN_THE_WAY)))
    return role


def test_nothing_of_the_tenants_runs_in_the_place_of_what_looks(shard: Shard) -> None:
    role = hooked(shard)
    shard.run(shard.acme, CARDS, f"INSERT INTO cards VALUES (1, {written(NUMBER)})")
    assert findings(shard, "cards.number") == {"cards.number": (1, f"1 {NOT_PROTECTED}")}
    assert [found for found in SEEN.findall(shard.server.log) if found[0] == role] == []


def test_a_view_that_takes_a_tables_name_meanwhile_runs_as_its_tenant(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = hooked(shard)
    shard.run(shard.acme, CARDS)

    def swapping(parts: Sequence[Any]) -> Sequence[Any]:
        shard.run(
            shard.acme,
            "ALTER TABLE cards RENAME TO former",
            "CREATE VIEW cards AS SELECT"
            f" CASE WHEN {role}.seen('view') THEN '4'::pg_catalog.bytea END AS number",
        )
        return parts

    monkeypatch.setattr(protected_sample, "_chosen", swapping)
    assert findings(shard, "cards.number") == {"cards.number": (1, f"1 {NOT_PROTECTED}")}
    seen = {who for whose, _, who in SEEN.findall(shard.server.log) if whose == role}
    assert seen == {role, f"s_{role}"}  # what it is, and what RESET ROLE makes of it
    assert [g for g in GRANTED.findall(shard.server.log) if g[0] == role] == []


# ---- how much is read


def filled(shard: Shard, rows: int = 20_000, table: str = "cards") -> None:
    """Some 25 messages to a page."""
    shard.run(
        shard.acme,
        f"CREATE TABLE IF NOT EXISTS {table} (id int, number bytea)",
        f"INSERT INTO {table} SELECT n, {message(shard)} FROM generate_series(1, {rows}) n",
    )


def looked(shard: Shard, monkeypatch: pytest.MonkeyPatch, pages: int) -> Mapping[str, Any]:
    """One column, of which so many pages may be read."""
    monkeypatch.setattr(protected_sample.sample, "__defaults__", (pages,))
    return told(shard, "cards.number")[-1]


def test_of_a_large_table_a_part_is_read(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(shard)
    shard.run(shard.acme, f"UPDATE cards SET number = {written(NUMBER)} WHERE id % 2 = 0")
    found = looked(shard, monkeypatch, 100)
    assert not found["whole"]
    assert 100 < found["values"] < 10_000
    assert 0 < found["findings"] < found["values"]
    assert looked(shard, monkeypatch, 4000)["findings"] == 10_000


@pytest.mark.parametrize("pages", [4, 40])
def test_what_was_written_last_is_always_read(
    shard: Shard, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    filled(shard)
    shard.run(shard.acme, f"INSERT INTO cards VALUES (0, {written(NUMBER)})")
    found = looked(shard, monkeypatch, pages)
    assert (found["findings"], found["whole"]) == (1, False)
    assert found["values"] < 5000


def test_what_was_written_first_is_read_by_chance(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    """2 of some 800 pages hold plaintext, and 8 in 10 are read: one call in 25 misses them."""
    shard.run(
        shard.acme,
        "CREATE TABLE cards (id int, number bytea)",
        f"INSERT INTO cards SELECT n, {written(NUMBER)} FROM generate_series(1, 300) n",
    )
    filled(shard)
    found = [looked(shard, monkeypatch, 700) for _ in range(8)]
    assert not any(f["whole"] for f in found)
    assert any(f["findings"] for f in found)


def test_children_count_as_what_is_read(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    shard.run(shard.acme, "CREATE TABLE cards (id int, number bytea)", "CREATE TABLE x () INHERITS (cards)")
    filled(shard, table="x")
    found = looked(shard, monkeypatch, 50)
    assert not found["whole"]
    assert 0 < found["values"] < 5000


def test_of_many_partitions_the_newest_and_a_few_are_read(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has a lock while it is read, and a server has room for some thousands of them."""
    shard.run(
        shard.acme,
        "CREATE TABLE cards (id int, number bytea) PARTITION BY LIST (id)",
        "DO $$BEGIN FOR n IN 1..60 LOOP EXECUTE"
        " format('CREATE TABLE cards%s PARTITION OF cards FOR VALUES IN (%s)', n, n); END LOOP; END$$",
        f"INSERT INTO cards SELECT n, {message(shard)} FROM generate_series(1, 60) n",
        f"UPDATE cards SET number = {written(NUMBER)} WHERE id = 60",
    )
    found = looked(shard, monkeypatch, 4000)
    assert found["findings"] == 1
    assert 1 < found["values"] <= MOST_PARTS
    assert not found["whole"]


def test_where_there_is_no_time_it_says_so(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "SECONDS", -1.0)
    late = (0, "there was no time left")
    assert findings(shard, "cards.number", "cards.more") == {"cards.number": late, "cards.more": late}


def test_a_table_that_somebody_holds_is_not_waited_for(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protected_sample, "STATEMENT", "SET statement_timeout = '300ms'")
    shard.run(shard.acme, CARDS, "CREATE TABLE more (number bytea)")
    with shard.session(shard.acme) as session:
        session.run("BEGIN")
        session.run("LOCK TABLE cards IN ACCESS EXCLUSIVE MODE")
        found = findings(shard, "cards.number", "more.number")
    assert found == {"cards.number": (0, "SQLSTATE 57014: canceling statement due to statement timeout")}


# ---- when there is nothing to look at, and what stays as it was


def test_a_suspended_tenant_is_left_alone(shard: Shard) -> None:
    shard.run(shard.acme, CARDS, f"INSERT INTO cards VALUES (1, {written(NUMBER)})")
    shard.place(shard.acme, "update", login=False)
    (call,) = told(shard, "cards.number")
    assert call["skipped"] == "the tenant cannot log in here, so no row changes"
    assert (call["Inspections"], call["findings"], call["whole"]) == (1, 0, False)


def test_a_tenant_that_somebody_works_on_is_left_alone(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.common.database_endpoint.ENDING", 0.0)
    with other_worker(shard):
        (call,) = told(shard, "cards.number")
    assert call["skipped"] == "another call works on the tenant"


@contextmanager
def other_worker(shard: Shard) -> Iterator[None]:
    """As a move or an export has the tenant for itself."""
    request = inspection.parse(shard.inspection("a.b", keys=[KEY]))
    at = inspection.administrator_at("database", request.address, request, shard.connect, shard.secrets)
    with at as endpoint:
        inspection.work_alone(endpoint)
        yield


def test_a_database_that_does_not_answer_is_told(shard: Shard) -> None:
    def away(*_: Any) -> Any:
        raise BootstrapError("shard does not answer")

    said: list[str] = []
    inspect(shard.inspection("cards.number", keys=[KEY]), shard.secrets, away, said.append)
    failure, call = map(json.loads, said)
    assert (failure["Unread"], failure["why"], failure["tenant"]) == (1, "shard does not answer", shard.acme)
    assert (call["columns"], call["unread"]) == (0, 1)


MEMBERS = """
SELECT g.rolname::text, m.rolname::text, a.inherit_option, a.set_option FROM pg_auth_members a
JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
WHERE g.rolname LIKE 't\\_%' ORDER BY 1, 2, 3
"""


@pytest.mark.parametrize("moving", [False, True])
def test_who_is_a_member_of_the_tenant_is_as_before(shard: Shard, *, moving: bool) -> None:
    if moving:
        shard.master(f"GRANT {shard.role(shard.acme)} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE")
    before = shard.master(MEMBERS)
    shard.run(shard.acme, CARDS)
    assert findings(shard, "cards.number") == {}
    assert shard.master(MEMBERS) == before
    assert shard.master(f"SELECT 1 FROM pg_roles WHERE rolname = 's_{shard.role(shard.acme)}'") == []
