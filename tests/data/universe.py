"""Schemas of every kind that an owner can make with PostgreSQL 17, in fragments that go together.

`MOVED` is what both ways of moving carry, `COPIED` what only a copy of one moment does, `REFUSED` what
neither does, by the words that refuse it. What is the same is pg_dump's to say (tests/data/dumped.py).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from tests.data.rich import RICH

MOVED: Final[Mapping[str, Sequence[str]]] = {
    "much at once": RICH,
    "casts": (
        "CREATE TYPE cast_mood AS ENUM ('a', 'b')",
        "CREATE FUNCTION mood_number(cast_mood) RETURNS int IMMUTABLE LANGUAGE sql AS"
        " $$SELECT CASE WHEN $1::text = 'a' THEN 1 ELSE 2 END$$",
        "CREATE CAST (cast_mood AS int) WITH FUNCTION mood_number(cast_mood) AS ASSIGNMENT",
        "CREATE TYPE cast_pair AS (a int, b text)",
        "CREATE CAST (cast_pair AS text) WITH INOUT AS IMPLICIT",
        "COMMENT ON CAST (cast_pair AS text) IS 'in and out'",
        "CREATE TABLE casting (id int PRIMARY KEY, m cast_mood)",
        "CREATE VIEW cast_view AS SELECT m::int AS number FROM casting",
        "INSERT INTO casting VALUES (1, 'b')",
    ),
    "how columns are stored": (
        "CREATE TABLE stored (id int PRIMARY KEY, b bytea, c text, d text COMPRESSION pglz)"
        " WITH (fillfactor = 70, toast.autovacuum_enabled = false)",
        "ALTER TABLE stored ALTER b SET STORAGE EXTERNAL",
        "ALTER TABLE stored ALTER c SET STATISTICS 1000",
        "ALTER TABLE stored ALTER c SET (n_distinct = -0.5, n_distinct_inherited = 7)",
        "ALTER TABLE stored CLUSTER ON stored_pkey",
        "CREATE STATISTICS of_stored ON id, c FROM stored",
        "ALTER STATISTICS of_stored SET STATISTICS 500",
        "CREATE INDEX of_length ON stored ((length(c)))",
        "ALTER INDEX of_length ALTER COLUMN 1 SET STATISTICS 300",
        "COMMENT ON STATISTICS of_stored IS 'together'",
        "INSERT INTO stored VALUES (1, 'b', 'c', 'd')",
    ),
    "sequences": (
        "CREATE UNLOGGED SEQUENCE unlogged_numbers",
        "CREATE SEQUENCE turning CYCLE MAXVALUE 7 START 3 CACHE 2",
        "CREATE SEQUENCE backwards INCREMENT BY -5",
        "SELECT nextval('turning') FROM generate_series(1, 4)",
    ),
    "triggers of one partition": (
        "CREATE TABLE tg_whole (id int PRIMARY KEY, n int DEFAULT 0) PARTITION BY RANGE (id)",
        "CREATE TABLE tg_part PARTITION OF tg_whole FOR VALUES FROM (0) TO (100)",
        "CREATE TABLE tg_more PARTITION OF tg_whole FOR VALUES FROM (100) TO (200)",
        "CREATE FUNCTION tg_add() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN NEW.n := NEW.n + 1; RETURN NEW; END$$",
        "CREATE TRIGGER tg_off BEFORE INSERT OR UPDATE ON tg_whole FOR EACH ROW EXECUTE FUNCTION tg_add()",
        "CREATE TRIGGER tg_on BEFORE INSERT ON tg_whole FOR EACH ROW EXECUTE FUNCTION tg_add()",
        "ALTER TABLE tg_part DISABLE TRIGGER tg_off",
        "ALTER TABLE tg_whole DISABLE TRIGGER tg_on",
        "ALTER TABLE tg_more ENABLE TRIGGER tg_on",
        "COMMENT ON TRIGGER tg_off ON tg_whole IS 'of all'",
        "INSERT INTO tg_whole VALUES (1), (101)",
    ),
    "privileges": (
        "CREATE FUNCTION priv_f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "REVOKE ALL ON FUNCTION priv_f() FROM PUBLIC",
        "CREATE PROCEDURE priv_p() LANGUAGE plpgsql AS 'BEGIN END'",
        "REVOKE ALL ON PROCEDURE priv_p() FROM PUBLIC",
        "CREATE TABLE ledger_of_priv (id int PRIMARY KEY, said text)",
        "REVOKE UPDATE, DELETE, TRUNCATE ON ledger_of_priv FROM CURRENT_USER",
        "CREATE TABLE priv_read (id int PRIMARY KEY, said text)",
        "GRANT SELECT (said) ON priv_read TO PUBLIC",
        "GRANT INSERT ON priv_read TO PUBLIC",
        "CREATE TYPE priv_t AS ENUM ('a')",
        "REVOKE USAGE ON TYPE priv_t FROM PUBLIC",
        "CREATE SEQUENCE priv_s",
        "GRANT USAGE ON SEQUENCE priv_s TO PUBLIC",
        "CREATE VIEW priv_v AS SELECT 1 AS one",
        "GRANT SELECT ON priv_v TO PUBLIC",
        "INSERT INTO ledger_of_priv VALUES (1, 'a')",
    ),
    "default privileges": (
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {role} GRANT USAGE ON SEQUENCES TO PUBLIC",
        "CREATE FUNCTION def_f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE def_t (id int PRIMARY KEY)",
    ),
    "composite types and domains": (
        'CREATE TYPE comp AS (a text COLLATE "C", b varchar(3), c int[])',
        "COMMENT ON TYPE comp IS 'of three'",
        "COMMENT ON COLUMN comp.a IS 'as bytes'",
        "CREATE DOMAIN dom AS text COLLATE \"C\" DEFAULT 'x' NOT NULL CONSTRAINT short"
        " CHECK (length(VALUE) < 9)",
        "COMMENT ON DOMAIN dom IS 'short'",
        "COMMENT ON CONSTRAINT short ON DOMAIN dom IS 'below 9'",
        "CREATE DOMAIN dom_of_dom AS dom CONSTRAINT longer CHECK (length(VALUE) > 0)",
        "CREATE TABLE of_types (id int PRIMARY KEY, a comp, b dom_of_dom, c dom[])",
        "INSERT INTO of_types VALUES (1, ROW('a', 'b', '{1}')::comp, 'x', '{y}')",
    ),
    "views": (
        "CREATE TABLE under (id int PRIMARY KEY, said text)",
        "CREATE VIEW over AS SELECT id, said FROM under WHERE id > 0 WITH LOCAL CHECK OPTION",
        "ALTER VIEW over ALTER COLUMN said SET DEFAULT 'by the view'",
        "CREATE RECURSIVE VIEW counts (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counts WHERE n < 5",
        "COMMENT ON VIEW over IS 'of those above'",
        "COMMENT ON COLUMN over.said IS 'what'",
        "INSERT INTO under VALUES (1, 'a')",
    ),
    "names": (
        'CREATE TABLE named (id int PRIMARY KEY, o text, "ON ONLY" text)',
        'CREATE INDEX "I ON ONLY x" ON named (o)',
        'CREATE UNIQUE INDEX "CREATE UNIQUE INDEX y ON ONLY z" ON named ("ON ONLY")',
        'CREATE TABLE "it is; ""quoted""!" ("a b" int PRIMARY KEY, "\\" text)',
        "INSERT INTO named VALUES (1, 'o', 'p')",
    ),
    "partitions of partitions": (
        "CREATE TABLE lists (id int, region text, said text, PRIMARY KEY (id, region), CHECK (id > 0))"
        " PARTITION BY LIST (region)",
        "CREATE TABLE lists_eu PARTITION OF lists FOR VALUES IN ('eu') PARTITION BY RANGE (id)",
        "CREATE TABLE lists_eu_1 PARTITION OF lists_eu FOR VALUES FROM (MINVALUE) TO (100)",
        "CREATE TABLE lists_eu_2 PARTITION OF lists_eu DEFAULT",
        "CREATE TABLE lists_us PARTITION OF lists DEFAULT",
        "CREATE INDEX lists_said ON lists (said)",
        "CREATE INDEX lists_said_lower ON lists (lower(said)) WHERE id > 1",
        "INSERT INTO lists VALUES (1, 'eu', 'a'), (200, 'eu', 'b'), (3, 'us', 'c')",
    ),
    "constraints": (
        "CREATE TABLE con_a (id int PRIMARY KEY, code text UNIQUE NULLS NOT DISTINCT,"
        " CONSTRAINT loose CHECK (id > 0) NO INHERIT)",
        "CREATE TABLE con_b (id int PRIMARY KEY, a int CONSTRAINT to_a REFERENCES con_a DEFERRABLE,"
        " b text REFERENCES con_a (code) ON UPDATE CASCADE ON DELETE SET NULL)",
        "ALTER TABLE con_b ADD CONSTRAINT later FOREIGN KEY (id) REFERENCES con_a NOT VALID",
        "COMMENT ON CONSTRAINT to_a ON con_b IS 'to a'",
        "INSERT INTO con_a VALUES (1, 'x'), (2, NULL)",
        "INSERT INTO con_b VALUES (1, 1, 'x')",
    ),
    "functions": (
        "CREATE FUNCTION fn_many(a int, VARIADIC b text[] DEFAULT '{}') RETURNS TABLE (n int, t text)"
        " LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 7 ROWS 9 SET work_mem = '8MB' AS 'SELECT 1, $2[1]'",
        "CREATE FUNCTION fn_body(a int) RETURNS int IMMUTABLE RETURN a + 1",
        "CREATE FUNCTION fn_out(INOUT a int, OUT b text) LANGUAGE plpgsql AS $x$ BEGIN b := '$$'; END $x$",
        "COMMENT ON FUNCTION fn_body IS 'one more'",
        "COMMENT ON FUNCTION fn_out(int) IS 'two'",
        "CREATE TABLE fn_uses (id int PRIMARY KEY, n int DEFAULT fn_body(3),"
        " g int GENERATED ALWAYS AS (id * 2) STORED)",
        "INSERT INTO fn_uses VALUES (1)",
    ),
}  # fmt: skip

COPIED: Final[Mapping[str, Sequence[str]]] = {
    "unlogged table": (
        "CREATE UNLOGGED TABLE not_logged (id int PRIMARY KEY)",
        "INSERT INTO not_logged VALUES (1)",
    ),
    "check that is not valid": (
        "CREATE TABLE later_check (id int PRIMARY KEY, n int)",
        "INSERT INTO later_check VALUES (1, -5)",
        "ALTER TABLE later_check ADD CONSTRAINT pos CHECK (n > 0) NOT VALID",
        "CREATE DOMAIN later_dom AS int",
        "CREATE TABLE of_later (id int PRIMARY KEY, d later_dom)",
        "INSERT INTO of_later VALUES (1, -1)",
        "ALTER DOMAIN later_dom ADD CONSTRAINT above CHECK (VALUE > 0) NOT VALID",
    ),
    "table without a primary key": (
        "CREATE TABLE keyless (said text)",
        "INSERT INTO keyless VALUES ('a'), ('a')",
    ),
    "table whose replica identity is nothing or full": (
        "CREATE TABLE whole_rows (id int PRIMARY KEY)",
        "ALTER TABLE whole_rows REPLICA IDENTITY FULL",
    ),
    "table whose replica identity is an index that is gone": (
        "CREATE TABLE gone_index (id int PRIMARY KEY, k text NOT NULL)",
        "CREATE UNIQUE INDEX gone_k ON gone_index (k)",
        "ALTER TABLE gone_index REPLICA IDENTITY USING INDEX gone_k",
        "DROP INDEX gone_k",
    ),
    "table whose primary key is deferrable": (
        "CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, s text)",
        "INSERT INTO deferred VALUES (1, 'a')",
    ),
}

REFUSED: Final[Mapping[str, Sequence[str]]] = {
    "privilege of another role": (
        "CREATE TABLE shown (id int PRIMARY KEY)",
        "GRANT SELECT ON shown TO {other}",
    ),
    "table that its owner may not read or fill": (
        "CREATE TABLE frozen (id int PRIMARY KEY)",
        "REVOKE INSERT ON frozen FROM CURRENT_USER",
    ),
    "large object": ("SELECT lo_create(0)",),
    "rule": (
        "CREATE TABLE ruled (id int PRIMARY KEY)",
        "CREATE RULE keep AS ON DELETE TO ruled DO INSTEAD NOTHING",
    ),
    "table with row security": (
        "CREATE TABLE secured (id int PRIMARY KEY)",
        "ALTER TABLE secured ENABLE ROW LEVEL SECURITY",
    ),
    "materialised view": ("CREATE MATERIALIZED VIEW seen AS SELECT 1 AS one",),
    "aggregate": ("CREATE AGGREGATE summed (int) (SFUNC = int4pl, STYPE = int)",),
    "type that is neither enum, domain nor composite": ("CREATE TYPE span AS RANGE (subtype = int)",),
    "object of a kind that is not moved": ('CREATE COLLATION own FROM "C"',),
    "table that inherits": (
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent)",
    ),
    "table of a type": ("CREATE TYPE row_of AS (id int)", "CREATE TABLE typed OF row_of (PRIMARY KEY (id))"),
    "object of a kind that is not moved: text search": (
        "CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple)",
        "CREATE TEXT SEARCH CONFIGURATION found (COPY = simple)",
        "ALTER TEXT SEARCH CONFIGURATION found ALTER MAPPING FOR asciiword WITH words",
    ),
    "object of a kind that is not moved: operator": (
        "CREATE FUNCTION op_f(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT $1 > $2'",
        "CREATE OPERATOR |> (LEFTARG = int, RIGHTARG = int, FUNCTION = op_f)",
    ),
    "table with row security: policies": (
        "CREATE TABLE policed (id int PRIMARY KEY)",
        "CREATE POLICY own ON policed USING (id < 10)",
        "ALTER TABLE policed ENABLE ROW LEVEL SECURITY",
    ),
}
