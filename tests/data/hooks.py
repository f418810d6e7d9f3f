"""Every kind of hook that PostgreSQL 17 lets the owner of a schema place.

A hook is code of a tenant's that runs when somebody else reads, writes or makes something in its schema. Each
says in the server's log as whom it runs, leaves the role that was set, and tries to make its tenant a member
of somebody else's role.

Left out, because only a superuser may make them (PostgreSQL 17, reference pages of the commands, 2026-11):
operator classes and families, base types, languages, transforms, event triggers, procedures in C.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

VICTIM: Final = "t_victim"
SEEN: Final = re.compile(r"hook of (\w+): (.+) as (\w+)\n")
GRANTED: Final = re.compile(r"hook of (\w+): (.+) became a member\n")

# `seen` returns true; `same_*` what they are given. They are declared immutable to be let in everywhere.
BASE: Final = (
    """CREATE FUNCTION seen(what text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  RAISE LOG 'hook of {role}: % as %', what, current_user;
  BEGIN
    PERFORM pg_catalog.set_config('role', 'none', false);
    RAISE LOG 'hook of {role}: % after RESET ROLE as %', what, current_user;
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  BEGIN
    EXECUTE 'GRANT {victim} TO {role}';
    RAISE LOG 'hook of {role}: % became a member', what;
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  RETURN true;
END$$""",
    "CREATE FUNCTION same_number(n int, what text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
    " $$BEGIN PERFORM {role}.seen(what); RETURN n; END$$",
)


@dataclass(frozen=True, slots=True)
class Hook:
    """Statements that place it, and one that writes row number {n}."""

    place: Sequence[str]
    write: str


HOOKS: Final[Mapping[str, Hook]] = {
    "cast of a row": Hook(
        (
            "CREATE TABLE cast_row (id int PRIMARY KEY, said text)",
            "CREATE FUNCTION row_text({role}.cast_row) RETURNS text LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM {role}.seen('cast of a row'); RETURN $1.said; END$$",
            "CREATE CAST ({role}.cast_row AS text) WITH FUNCTION {role}.row_text({role}.cast_row) AS IMPLICIT",  # noqa: E501
        ),
        "INSERT INTO cast_row VALUES ({n}, 'x')",
    ),
    "cast of a key": Hook(
        (
            "CREATE TYPE pair AS (a int, b text)",
            "CREATE TABLE cast_key (id pair PRIMARY KEY, said text)",
            "CREATE FUNCTION pair_text({role}.pair) RETURNS text LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM {role}.seen('cast of a key'); RETURN $1.b; END$$",
            "CREATE CAST ({role}.pair AS text) WITH FUNCTION {role}.pair_text({role}.pair) AS ASSIGNMENT",
        ),
        "INSERT INTO cast_key VALUES (ROW({n}, 'b')::pair, 'x')",
    ),
    "domain": Hook(
        (
            "CREATE DOMAIN code AS text NOT NULL CHECK ({role}.seen('domain'))",
            "CREATE TABLE by_domain (id int PRIMARY KEY, said code, more code[])",
        ),
        "INSERT INTO by_domain VALUES ({n}, 'x', ARRAY['y'])",
    ),
    "domain of a key": Hook(
        (
            "CREATE DOMAIN number AS int CHECK ({role}.seen('domain of a key'))",
            "CREATE TYPE numbered AS (a number)",
            "CREATE TABLE by_number (id number, ids number[], one numbered, PRIMARY KEY (id, ids, one))",
        ),
        "INSERT INTO by_number VALUES ({n}, ARRAY[{n}]::number[], ROW({n})::numbered)",
    ),
    "default": Hook(
        (
            "CREATE TABLE by_default (id int PRIMARY KEY, n int DEFAULT {role}.same_number(1, 'default'))",
            "CREATE SEQUENCE of_default OWNED BY by_default.n",
        ),
        "INSERT INTO by_default VALUES ({n})",
    ),
    "generated column": Hook(
        (
            "CREATE TABLE generated (id int PRIMARY KEY,"
            " n int GENERATED ALWAYS AS ({role}.same_number(id, 'generated column')) STORED)",
        ),
        "INSERT INTO generated VALUES ({n})",
    ),
    "index": Hook(
        (
            "CREATE TABLE indexed (id int PRIMARY KEY, said text)",
            "CREATE INDEX ON indexed ({role}.same_number(id, 'index')) WHERE {role}.seen('index predicate')",
            "CREATE STATISTICS of_indexed ON ({role}.same_number(id, 'statistics')), said FROM indexed",
        ),
        "INSERT INTO indexed VALUES ({n}, 'x')",
    ),
    "check": Hook(
        ("CREATE TABLE checked (id int PRIMARY KEY CHECK ({role}.seen('check')))",),
        "INSERT INTO checked VALUES ({n})",
    ),
    "trigger": Hook(
        (
            "CREATE TABLE triggered (id int PRIMARY KEY)",
            "CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM {role}.seen('trigger'); RETURN NEW; END$$",
            "CREATE TRIGGER before BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION fires()",
            "CREATE TRIGGER off AFTER INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION fires()",
            "ALTER TABLE triggered DISABLE TRIGGER off",
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON triggered DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION fires()",
        ),
        "INSERT INTO triggered VALUES ({n})",
    ),
    "partition key": Hook(
        (
            "CREATE TABLE parted (id int) PARTITION BY RANGE ({role}.same_number(id, 'partition key'))",
            "CREATE TABLE part PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (MAXVALUE)",
            "ALTER TABLE part ADD PRIMARY KEY (id)",
        ),
        "INSERT INTO parted VALUES ({n})",
    ),
    "view": Hook(
        (
            "CREATE TABLE viewed (id int PRIMARY KEY)",
            "CREATE VIEW view WITH (security_barrier) AS SELECT id FROM viewed WHERE {role}.seen('view')",
            "CREATE FUNCTION definer() RETURNS boolean SECURITY DEFINER LANGUAGE plpgsql AS"
            " $$BEGIN RETURN {role}.seen('security definer'); END$$",
            "CREATE VIEW defined AS SELECT {role}.definer()",
        ),
        "INSERT INTO viewed VALUES ({n})",
    ),
    "a name of PostgreSQL's own": Hook(
        (
            "CREATE TABLE pg_class (id int PRIMARY KEY, relname text DEFAULT 'x')",
            *(
                f"CREATE FUNCTION {name} RETURNS {kind} IMMUTABLE LANGUAGE plpgsql AS"
                f" $$BEGIN PERFORM {{role}}.seen('{kind} of its own'); RETURN {value}; END$$"
                for name, kind, value in (
                    ("hashtextextended(text, bigint)", "bigint", "0"),
                    ("pg_get_expr(pg_node_tree, oid)", "text", "''"),
                    ("format_type(oid, integer)", "name", "'text'"),
                    ("setval(regclass, bigint, boolean)", "int8", "1"),
                )
            ),
        ),
        "INSERT INTO {role}.pg_class (id) VALUES ({n})",
    ),
}  # fmt: skip

# Hooks with which a tenant is neither moved nor handed over: refused by name, and never run on the way.
REFUSED: Final[Mapping[str, Sequence[str]]] = {
    "row security": (
        "CREATE TABLE secured (id int PRIMARY KEY)",
        "CREATE POLICY own ON secured USING ({role}.seen('policy'))",
        "ALTER TABLE secured ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE secured FORCE ROW LEVEL SECURITY",
    ),
    "rule": (
        "CREATE TABLE ruled (id int PRIMARY KEY)",
        "CREATE RULE instead AS ON INSERT TO ruled WHERE {role}.seen('rule') DO INSTEAD NOTHING",
    ),
    "operator": (
        "CREATE TYPE money_of AS (amount int, unit text)",
        "CREATE TABLE compared (id money_of PRIMARY KEY, said text)",
        "CREATE FUNCTION equal(money_of, money_of) RETURNS boolean LANGUAGE plpgsql AS"
        " $$BEGIN RETURN {role}.seen('operator') AND $1.amount = $2.amount; END$$",
        "CREATE OPERATOR = (LEFTARG = money_of, RIGHTARG = money_of, FUNCTION = equal)",
        "CREATE FUNCTION alike(text, text) RETURNS boolean LANGUAGE plpgsql AS"
        " $$BEGIN RETURN {role}.seen('operator of its own'); END$$",
        "CREATE OPERATOR = (LEFTARG = text, RIGHTARG = text, FUNCTION = alike)",
    ),
    "aggregate": (
        "CREATE FUNCTION adds(int, int) RETURNS int LANGUAGE plpgsql AS"
        " $$BEGIN PERFORM {role}.seen('aggregate'); RETURN $1; END$$",
        "CREATE AGGREGATE sum (int) (SFUNC = {role}.adds, STYPE = int)",
    ),
    "materialised view": (
        "CREATE TABLE source (id int PRIMARY KEY)",
        "CREATE MATERIALIZED VIEW kept AS SELECT id FROM source WHERE {role}.seen('materialised view')",
    ),
    "trigger that fires for replicated rows": (
        "CREATE TABLE always (id int PRIMARY KEY)",
        "CREATE FUNCTION fires_always() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN PERFORM {role}.seen('ALWAYS trigger'); RETURN NEW; END$$",
        "CREATE TRIGGER t BEFORE INSERT ON always FOR EACH ROW EXECUTE FUNCTION fires_always()",
        "ALTER TABLE always ENABLE ALWAYS TRIGGER t",
    ),
    "type that is neither enum, domain nor composite": (
        "CREATE FUNCTION apart(int, int) RETURNS float8 IMMUTABLE LANGUAGE plpgsql AS"
        " $$BEGIN PERFORM {role}.seen('range type'); RETURN $2 - $1; END$$",
        "CREATE TYPE span AS RANGE (subtype = int, subtype_diff = {role}.apart)",
    ),
}


def placed(kinds: Iterable[str], role: str) -> list[str]:
    """Statements that place hooks of these kinds."""
    found = [*BASE, *(statement for kind in kinds for statement in HOOKS[kind].place)]
    return [with_names(statement, role) for statement in found]


def written(kinds: Iterable[str], role: str, number: int) -> list[str]:
    return [with_names(HOOKS[kind].write, role).replace("{n}", str(number)) for kind in kinds]


def with_names(statement: str, role: str) -> str:
    return statement.replace("{role}", role).replace("{victim}", VICTIM)


def ran(logs: Iterable[str], role: str) -> set[tuple[str, str]]:
    """Hook and who ran it."""
    return {(what, who) for log in logs for owner, what, who in SEEN.findall(log) if owner == role}


def escaped(logs: Iterable[str], role: str) -> set[str]:
    """Hooks that ran as somebody who may do more than the tenant."""
    texts = list(logs)
    more = {what for what, who in ran(texts, role) if who not in (role, f"s_{role}")}
    return more | {what for log in texts for owner, what in GRANTED.findall(log) if owner == role}
