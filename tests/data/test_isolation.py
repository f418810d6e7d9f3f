"""What tenant A can do to tenant B on one shard: nothing. Each line is an attack that PostgreSQL refuses.

The attacks that would work but for a guard of ours are in `test_guards`, with that guard taken away.
"""

import pytest
from pg8000.exceptions import DatabaseError

from tests.data.shard import Shard
from tests.rows import rows_of

# As A (acme), against B (bolt): statement → what PostgreSQL says to it. {b} is B's role and schema.
REFUSED = {
    "reads": ("SELECT * FROM {b}.ledger", "permission denied for schema"),
    "counts": ("SELECT count(*) FROM {b}.ledger", "permission denied for schema"),
    "writes": ("INSERT INTO {b}.ledger VALUES (2, 'x')", "permission denied for schema"),
    "changes": ("UPDATE {b}.ledger SET payer = 'x'", "permission denied for schema"),
    "deletes": ("DELETE FROM {b}.ledger", "permission denied for schema"),
    "truncates": ("TRUNCATE {b}.ledger", "permission denied for schema"),
    "locks": ("BEGIN; LOCK TABLE {b}.ledger", "permission denied for schema"),
    "copies out": ("COPY {b}.ledger TO STDOUT", "permission denied for schema"),
    "copies its shape": ("CREATE TABLE mine (LIKE {b}.ledger)", "permission denied for schema"),
    "inherits": ("CREATE TABLE mine () INHERITS ({b}.ledger)", "permission denied for schema"),
    "guesses keys by reference": (
        "CREATE TABLE mine (id int REFERENCES {b}.ledger)",
        "permission denied for schema",
    ),
    "looks through a view": ("CREATE VIEW v AS SELECT * FROM {b}.ledger", "permission denied for schema"),
    "adds an index": ("CREATE INDEX ON {b}.ledger (payer)", "permission denied for schema"),
    "adds a trigger": (
        "CREATE TRIGGER t AFTER INSERT ON {b}.ledger EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "permission denied for schema",
    ),
    "owns": ("ALTER TABLE {b}.ledger OWNER TO {a}", "permission denied for schema"),
    "creates a table": ("CREATE TABLE {b}.mine (id int)", "permission denied for schema"),
    "creates a function": (
        "CREATE FUNCTION {b}.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "permission denied for schema",
    ),
    "moves a table in": ("ALTER TABLE ledger SET SCHEMA {b}", "permission denied for schema"),
    "drops the schema": ("DROP SCHEMA {b} CASCADE", "must be owner of schema"),
    "renames the schema": ("ALTER SCHEMA {b} RENAME TO gone", "must be owner of schema"),
    "renames its own schema": ("ALTER SCHEMA {a} RENAME TO other", "must be owner of schema"),
    "lets itself in": ("GRANT USAGE ON SCHEMA {b} TO {a}", "permission denied for schema"),
    "becomes B": ("SET ROLE {b}", "permission denied to set role"),
    "becomes B for the session": ("SET SESSION AUTHORIZATION {b}", "permission denied to set session auth"),
    "becomes the administrator": ("SET ROLE platform", "permission denied to set role"),
    "joins B": ("GRANT {b} TO {a}", "permission denied to grant role"),
    "changes B's password": ("ALTER ROLE {b} PASSWORD 'x'", "permission denied to alter role"),
    "changes B's settings": ("ALTER ROLE {b} SET search_path = {a}", "permission denied"),
    "drops B": ("DROP ROLE {b}", "permission denied to drop role"),
    "makes a role": ("CREATE ROLE more", "permission denied to create role"),
    "makes a database": ("CREATE DATABASE more", "permission denied to create database"),
    "makes a schema": ("CREATE SCHEMA more", "permission denied for database"),
    "installs an extension": ("CREATE EXTENSION plpgsql", "permission denied|already exists"),
    "reads passwords": ("SELECT rolpassword FROM pg_authid", "permission denied for table pg_authid"),
    "reads B's statistics": ("SELECT * FROM pg_statistic", "permission denied for table pg_statistic"),
    "reads as XML": ("SELECT table_to_xml('{b}.ledger', true, false, '')", "permission denied for schema"),
    "reads a query as XML": (
        "SELECT query_to_xml('SELECT * FROM {b}.ledger', true, false, '')",
        "permission denied for schema",
    ),
    "reads the schema as XML": (
        "SELECT schema_to_xml('{b}', true, false, '') WHERE false OR"
        " query_to_xml('TABLE {b}.ledger', true, false, '') IS NOT NULL",
        "permission denied for schema",
    ),
    "runs its own code as B": (
        "DO 'BEGIN EXECUTE ''SET ROLE {b}'';END'",
        "permission denied to set role",
    ),
    "reads files": ("SELECT pg_read_file('PG_VERSION')", "permission denied for function"),
    "lists files": ("SELECT pg_ls_dir('.')", "permission denied for function"),
    "runs programs": ("COPY ledger TO PROGRAM 'cat'", "permission denied to COPY"),
    "writes files": ("COPY ledger TO '/tmp/tenantry'", "permission denied to COPY"),
    "reads the log of changes": (
        "SELECT pg_create_logical_replication_slot('x', 'pgoutput')",
        "permission denied to use replication slots|must be superuser or replication role",
    ),
    "publishes B's table": ("CREATE PUBLICATION p FOR TABLE {b}.ledger", "permission denied"),
    "publishes everything": ("CREATE PUBLICATION p FOR ALL TABLES", "permission denied|must be superuser"),
    "changes the server": ("ALTER SYSTEM SET log_statement = 'none'", "permission denied"),
    "stops being logged": ("SET log_statement = 'none'", "permission denied to set parameter"),
    "imports a file as a large object": ("SELECT lo_import('/etc/hostname')", "permission denied"),
}


@pytest.mark.parametrize("attack", REFUSED)
def test_refused(steady: Shard, attack: str) -> None:
    statement, message = REFUSED[attack]
    there = {"a": steady.role(steady.acme), "b": steady.role(steady.bolt)}
    with pytest.raises(DatabaseError, match=message):
        steady.run(steady.acme, *statement.format(**there).split("; "))
    assert steady.run(steady.bolt, "SELECT * FROM ledger") == [[1, f"of {steady.bolt}"]]


def test_a_tenant_has_the_whole_of_its_own_schema(shard: Shard) -> None:
    rows = shard.run(
        shard.acme,
        "CREATE TABLE more (id serial PRIMARY KEY, of int REFERENCES ledger)",
        "INSERT INTO more (of) VALUES (1)",
        "CREATE VIEW joined AS SELECT more.id, payer FROM more JOIN ledger ON of = ledger.id",
        "CREATE FUNCTION twice(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 2 * $1; END'",
        "SELECT twice(id), payer FROM joined",
    )
    assert rows == [[2, f"of {shard.acme}"]]


def test_an_unqualified_name_is_never_the_other_tenants(shard: Shard) -> None:
    with shard.session(shard.acme) as session:
        session.run(f"SET search_path = {shard.role(shard.bolt)}")
        with pytest.raises(DatabaseError, match='relation "ledger" does not exist'):
            session.run("SELECT * FROM ledger")
        session.run("RESET search_path")
        assert session.run("SELECT payer FROM ledger") == [[f"of {shard.acme}"]]


@pytest.mark.parametrize("option", ["role", "session_authorization"])
def test_nobody_comes_in_as_another_by_an_option_of_the_connection(shard: Shard, option: str) -> None:
    with (
        pytest.raises(DatabaseError, match=f"permission denied to set {option.replace('_', ' ')}"),
        shard.session(shard.acme, startup_params={option: shard.role(shard.bolt)}),
    ):
        pass


def test_a_connection_that_leaks_to_another_tenant_stays_its_owners(shard: Shard) -> None:
    """A pool hands B's request a session of A: after any reset it is A's, and sees A's rows only."""
    with shard.session(shard.acme) as leaked:
        for reset in ("RESET ALL", "RESET ROLE", "RESET SESSION AUTHORIZATION", "DISCARD ALL"):
            leaked.run(reset)
            assert leaked.run("SELECT current_user, session_user, payer FROM ledger") == [
                [shard.role(shard.acme), shard.role(shard.acme), f"of {shard.acme}"]
            ]
            with pytest.raises(DatabaseError, match="permission denied for schema"):
                leaked.run(f"SELECT * FROM {shard.role(shard.bolt)}.ledger")


def test_a_function_that_runs_as_its_owner_gives_no_more_than_its_owner_has(shard: Shard) -> None:
    shard.run(
        shard.acme,
        f"CREATE FUNCTION peek() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS"
        f" 'BEGIN RETURN (SELECT count(*) FROM {shard.role(shard.bolt)}.ledger); END'",
    )
    with pytest.raises(DatabaseError, match="permission denied for schema"):
        shard.run(shard.acme, "SELECT peek()")


def test_sequences_tell_nothing(shard: Shard) -> None:
    shard.run(shard.bolt, "CREATE SEQUENCE payments", "SELECT nextval('payments')")
    there = f"{shard.role(shard.bolt)}.payments"
    found = shard.master(f"SELECT '{there}'::regclass::oid")[0][0]
    for attempt in (f"nextval('{there}')", f"nextval({found}::regclass)", f"pg_sequence_last_value({found})"):
        with pytest.raises(DatabaseError, match="permission denied for s"):
            shard.run(shard.acme, f"SELECT {attempt}")
    listed = shard.run(shard.acme, "SELECT last_value FROM pg_sequences WHERE sequencename = 'payments'")
    assert listed == [[None]]


def test_large_objects_stay_their_owners(shard: Shard) -> None:
    number = shard.run(shard.bolt, "SELECT lo_from_bytea(0, 'of bolt')")[0][0]
    for attempt in (f"lo_get({number})", f"lo_put({number}, 0, 'x')", f"lo_open({number}, 262144)"):
        with pytest.raises(DatabaseError, match="permission denied for large object"):
            shard.run(shard.acme, f"SELECT {attempt}")
    with pytest.raises(DatabaseError, match="must be owner of large object"):
        shard.run(shard.acme, f"SELECT lo_unlink({number})")


def test_values_in_statistics_are_their_owners(shard: Shard) -> None:
    shard.run(
        shard.bolt, "INSERT INTO ledger SELECT n, 'often' FROM generate_series(2, 99) n", "ANALYZE ledger"
    )
    seen = f"SELECT most_common_vals::text FROM pg_stats WHERE schemaname = '{shard.role(shard.bolt)}'"
    assert ["{often}"] in shard.run(shard.bolt, seen)
    assert shard.run(shard.acme, seen) == []


def test_what_another_session_runs_is_hidden_and_its_end_is_not_for_others(shard: Shard) -> None:
    with shard.session(shard.bolt) as other:
        ((pid,),) = rows_of(other, "SELECT pg_backend_pid()")
        assert shard.run(shard.acme, f"SELECT query FROM pg_stat_activity WHERE pid = {pid}") == [
            ["<insufficient privilege>"]
        ]
        for end in ("pg_cancel_backend", "pg_terminate_backend"):
            with pytest.raises(
                DatabaseError, match=r"permission denied to (cancel|terminate)|must be a member"
            ):
                shard.run(shard.acme, f"SELECT {end}({pid})")
        assert other.run("SELECT 1") == [[1]]


def test_names_counts_and_notices_stay_visible(shard: Shard) -> None:
    """No grant hides the catalog of one database; who may not share even this belongs in a silo.

    What an auditor is told (docs/adr/0007-what-a-pool-keeps-apart.md): a change for the better fails here.
    """
    there = shard.role(shard.bolt)
    shard.run(
        shard.bolt,
        "INSERT INTO ledger SELECT n, 'x' FROM generate_series(2, 70) n",
        "CREATE FUNCTION margin() RETURNS int LANGUAGE sql AS 'SELECT 7'",
        "ANALYZE ledger",
    )
    seen = {
        "roles": f"SELECT 1 FROM pg_roles WHERE rolname = '{there}'",
        "tables": f"SELECT 1 FROM pg_class WHERE relnamespace::regnamespace::text = '{there}'",
        "counts": f"SELECT 1 FROM pg_class WHERE relname = 'ledger' AND reltuples = 70"
        f" AND relnamespace::regnamespace::text = '{there}'",
        "functions": "SELECT 1 FROM pg_proc WHERE proname = 'margin' AND prosrc = 'SELECT 7'",
    }
    assert [what for what, sql in seen.items() if not shard.run(shard.acme, sql)] == []
    with shard.session(shard.acme) as listener:
        listener.run("LISTEN reports")
        shard.run(shard.bolt, "NOTIFY reports, 'of bolt'")
        listener.run("SELECT 1")
        assert [n[2] for n in listener.notifications] == ["of bolt"]
