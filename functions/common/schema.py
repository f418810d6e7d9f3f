"""A tenant's schema as statements: read from one database, created in another, compared between both."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from pg8000.exceptions import DatabaseError, InterfaceError

from functions.common import catalog
from functions.common.connection import server_code, server_words
from functions.common.database_endpoint import DatabaseEndpoint, MoveError, Rows

# What a statement says that needs another one first: undefined table, function, object, column; no unique
# constraint yet to refer to; no cast yet (PostgreSQL 17, appendix A).
NEEDS_OTHERS: Final = frozenset({"42P01", "42883", "42704", "42703", "42830", "42846", "42804"})

FEW: Final = 5  # that are named with their reasons


@dataclass(frozen=True, slots=True, order=True)
class Definition:
    """One statement. What comes from `Section.INDEXES` on may be made after the rows are there."""

    section: catalog.Section
    position: int
    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table that holds rows; a partition is one, the table that is cut into them is not."""

    name: str
    key: tuple[str, ...]  # columns of its primary key
    columns: tuple[str, ...]  # that are written and not computed
    rows: int  # about


TABLES: Final = """
SELECT c.relname, greatest(c.reltuples, pg_relation_size(c.oid) / 100)::int8,
  (SELECT array_agg(a.attname ORDER BY array_position(i.indkey::int2[], a.attnum))
   FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
     AND a.attnum = ANY (i.indkey)
   WHERE i.indrelid = c.oid AND i.indisprimary),
  (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = :schema ORDER BY c.relname"""


def tables(endpoint: DatabaseEndpoint) -> tuple[Table, ...]:
    rows = endpoint.rows(TABLES, schema=endpoint.request.schema)
    return tuple(Table(str(n), tuple(key or ()), tuple(columns or ()), int(r)) for n, r, key, columns in rows)


def definitions(endpoint: DatabaseEndpoint) -> tuple[Definition, ...]:
    """All that makes the schema's contents, in an order in which most of it can be made."""
    found = [
        Definition(section, int(position), str(name), str(sql))
        for section, query in catalog.definitions()
        for position, name, sql in endpoint.rows(query, schema=endpoint.request.schema)
    ]
    return tuple(sorted(found))


def difference(one: Sequence[Definition], other: Sequence[Definition]) -> list[str]:
    """Names of what is not the same in both."""
    here, there = {(d.name, d.sql) for d in one}, {(d.name, d.sql) for d in other}
    return sorted({name for name, _ in here ^ there})


def make(session: Any, wanted: Sequence[Definition], *, keep: bool = True) -> Sequence[Definition]:
    """Make everything, all or nothing. What needs something that comes later is tried again after it.

    Returns them in the order in which they could be made; without `keep` that is all there is of it.
    """
    session.run("BEGIN")
    try:
        order = make_within(session, wanted)
    except MoveError:
        with suppress(DatabaseError, InterfaceError, OSError):  # the server may be what has gone
            session.run("ROLLBACK")
        raise
    session.run("COMMIT" if keep else "ROLLBACK")
    return order


def make_within(session: Any, wanted: Sequence[Definition]) -> Sequence[Definition]:
    """The same in a transaction that is open. Raises `MoveError` with the server's words."""
    session.run("SET LOCAL check_function_bodies = off")
    order: list[Definition] = []
    pending = list(wanted)
    while pending:
        refused: dict[Definition, str] = {d: words for d in pending if (words := _refused(session, d))}
        made = [d for d in pending if d not in refused]
        if not made:
            why = "; ".join(f"{d.name} ({words})" for d, words in list(refused.items())[:FEW])
            more = f"; and {len(refused) - FEW} more" if len(refused) > FEW else ""
            raise MoveError(f"the schema cannot be made again: {why}{more}")
        order += made
        pending = sorted(refused)
    return order


def _refused(session: Any, definition: Definition) -> str | None:
    """Make it; what the server says where it needs something that may come later."""
    session.run("SAVEPOINT one")
    try:
        session.run(definition.sql)
    except DatabaseError as refusal:
        words = server_words(refusal)
        if server_code(refusal) not in NEEDS_OTHERS:
            raise MoveError(f"the schema cannot be made again: {definition.name} ({words})") from None
        session.run("ROLLBACK TO one")
        return words
    session.run("RELEASE one")
    return None


# A row as text, by the output functions of its columns' types, which no tenant can define. `(t.*)::text`
# calls a cast that the table's owner may have made (PostgreSQL 17, CREATE CAST, 2026-11), as who reads.
ROW_AS_TEXT: Final = "pg_catalog.textin(pg_catalog.record_out(t.*))"


def sequences(endpoint: DatabaseEndpoint) -> Rows:
    """Name, last value and whether it was given out, of every sequence; read as the tenant, like rows."""
    names = endpoint.rows(
        "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'S' AND n.nspname = :schema ORDER BY c.relname",
        schema=endpoint.request.schema,
    )
    return [
        (name, *endpoint.rows(f"SELECT last_value, is_called FROM {endpoint.named(name)}")[0])  # noqa: S608 - quoted
        for (name,) in names
    ]


def set_sequences(source: DatabaseEndpoint, target: DatabaseEndpoint) -> int:
    """Let the target's go on where the source's stand; how many there are.

    `source` is open as the tenant, `target` as the administrator.
    """
    found = sequences(source)
    for name, last, called in found:
        target.rows(
            "SELECT setval(CAST(:name AS regclass), :last, :called)",
            name=target.named(str(name)),
            last=int(last),
            called=bool(called),
        )
    return len(found)
