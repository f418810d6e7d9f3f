"""A rehearsal of the first copy: the schema is made at the target, a sample of rows loaded, all thrown away.

It is made in the tenant's own schema, since bodies of functions may name that, and in one transaction, which
ends with the session of a call that is killed. What the target's worker would do at each row is done as it
does: in a session of the tenant's with nothing but pg_catalog in its search path (PostgreSQL 17,
InitializeLogRepWorker, worker.c, 2026-11), before there are triggers and foreign keys, which do not fire for
whoever replicates.
"""

import io
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pg8000.exceptions import DatabaseError
from pg8000.native import identifier

from functions.common.catalog import Section, queries
from functions.common.connection import server_code, server_words
from functions.common.database_endpoint import DatabaseEndpoint, MoveError
from functions.common.schema import Table, definitions, difference, make_within, tables
from functions.common.tenant_session import both_as_tenant

if TYPE_CHECKING:
    from functions.tenant_data.move import Move

ROWS: Final = 200  # of each table: its first, which have seen most versions of the schema
ROW_BYTES: Final = 1 << 14  # as stored; longer rows are left out
TABLE_BYTES: Final = 1 << 18
BYTES: Final = 1 << 25  # of all tables
SECONDS: Final = 60.0  # for samples of all tables; a hundred times what a thousand tables took
STATEMENT: Final = 5.0  # seconds for one of them
DEFINITIONS: Final = 300.0  # seconds for one statement that makes something

QUERIES: Final = queries("rehearsal.sql", Path(__file__).parent)
CANCELED: Final = "57014"  # took too long
# Nothing of that name, or it is not clear which: in whatever row, the same.
NAMES: Final = frozenset({"42P01", "42883", "42704", "42703", "42702", "42725", "3F000"})
# A check that is broken, or another complaint about a row, which may be one about other rows that a sample
# does not have: see `_at_home`.
OF_ROWS: Final = ("22", "23", "21", "P0", "38")
QUALIFY: Final = "name functions and tables with their schema there, or ALTER FUNCTION … SET search_path"


def rehearse(move: "Move", source: DatabaseEndpoint, rows_at: Section) -> list[str]:
    """What would fail at the target, in the server's words. Rows come before what `rows_at` begins with."""
    wanted = definitions(source)
    if definitions(move.target):
        return []  # the real copy has begun
    move.tools.step("schema rehearsed")
    with both_as_tenant(source, move.target, move.tools.connect) as (reader, writer):
        writer.run("BEGIN", _limit(DEFINITIONS))
        rehearsal = _Rehearsal(reader, writer)
        try:
            make_within(writer.session, [d for d in wanted if d.section < rows_at])
            move.tools.step("sample loaded")
            with rehearsal.thrown_away():
                rehearsal.load(tables(source))
                rehearsal.look_up_names()
                writer.run(_limit(DEFINITIONS))
            make_within(writer.session, [d for d in wanted if d.section >= rows_at])
            if other := difference(wanted, definitions(writer)):
                rehearsal.wrong.append(f"it would be another schema at the target: {', '.join(other)}")
        except MoveError as failure:
            rehearsal.wrong.append(str(failure))
        writer.run("ROLLBACK")
    move.target.revoke_tenant_role()  # which dropping the session's role has needed
    move.notes.extend(rehearsal.notes)
    return rehearsal.wrong


def _limit(seconds: float) -> str:
    return f"SET LOCAL statement_timeout = {int(seconds * 1000)}"


class _Sample:
    """Rows as COPY sends them, one at a time; those that are too much are left out."""

    def __init__(self, most: int) -> None:
        self._most, self.rows = most, 0
        self.content = io.BytesIO()

    def write(self, row: bytes) -> None:
        if self.content.tell() + len(row) <= self._most:
            self.content.write(row)
            self.rows += 1


@dataclass
class _Rehearsal:
    source: DatabaseEndpoint  # both as the tenant
    target: DatabaseEndpoint
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)  # loaded, by table
    began: float = field(default_factory=time.monotonic)

    @contextmanager
    def thrown_away(self) -> Generator[None]:
        self.target.run("SAVEPOINT rehearsed")
        try:
            yield
        finally:
            self.target.run("ROLLBACK TO rehearsed", "RELEASE rehearsed")

    def load(self, found: Sequence[Table]) -> None:
        """A sample of each table, as far as time and room go."""
        left, slow = BYTES, list[str]()
        self.source.run(f"SET statement_timeout = {int(STATEMENT * 1000)}")
        self.target.run(_limit(STATEMENT))
        for table in found:
            if left <= 0 or time.monotonic() - self.began > SECONDS:
                break
            try:
                left -= self._load(table, min(left, TABLE_BYTES))
            except DatabaseError as failure:
                if server_code(failure) != CANCELED:
                    raise
                slow.append(table.name)
        self.notes.append(f"rehearsed with {sum(self.rows.values())} rows of {len(self.rows)} tables")
        if slow:
            self.notes.append(f"not rehearsed, since it took too long: {', '.join(slow)}")

    def _load(self, table: Table, most: int) -> int:
        """How many bytes they were."""
        sample = _Sample(most)
        chosen = ", ".join(identifier(c) for c in table.columns)
        if not chosen:
            return 0
        named = self.source.named(table.name)
        stored = " + ".join(f"coalesce(pg_catalog.pg_column_size({identifier(c)}), 0)" for c in table.columns)
        self.source.session.run(
            f"COPY (SELECT {chosen} FROM (SELECT {chosen} FROM ONLY {named} LIMIT {ROWS}) x"  # noqa: S608
            f" WHERE {stored} <= {ROW_BYTES}) TO STDOUT",
            stream=sample,
        )
        size = sample.content.tell()
        sample.content.seek(0)
        with self.thrown_away():
            try:
                self.target.session.run(f"COPY {named} ({chosen}) FROM STDIN", stream=sample.content)
                self.rows[table.name] = sample.rows
            except DatabaseError as failure:
                if server_code(failure) == CANCELED:
                    raise
                self._judge(table, failure)
        return size

    def _judge(self, table: Table, failure: DatabaseError) -> None:
        words = f"rows of {table.name}: {server_words(failure)}"
        if not server_code(failure).startswith(OF_ROWS):
            self.wrong.append(f"{words} ({QUALIFY})" if server_code(failure) in NAMES else words)
        elif broken := self._at_home(table):
            self.wrong.append(f"{words}, and so do they at the {self.source.name}: {broken}")
        else:
            self.notes.append(f"{words}; at the {self.source.name} they are in order, as with all rows there")

    def _at_home(self, table: Table) -> str:
        """The check that a row breaks where it is now; "" where none does, or finding out takes too long."""
        named = self.source.named(table.name)
        for name, check in self.source.rows(QUERIES["checks"], table=named):
            try:
                if self.source.rows(f"SELECT 1 FROM ONLY {named} WHERE ({check}) IS FALSE LIMIT 1"):  # noqa: S608
                    return str(name)
            except DatabaseError as failure:
                if server_code(failure) != CANCELED:
                    return f"{name} ({server_words(failure)})"
        return ""

    def look_up_names(self) -> None:
        """What is called for each row has to find all that it names, also where there was no row to try it.

        It is called with a row of nulls; that this is refused means nothing, unless a name was not found.
        """
        for table, what, expression in self.target.rows(
            QUERIES["expressions"], schema=self.target.request.schema
        ):
            if self.rows.get(str(table)) or time.monotonic() - self.began > SECONDS:
                continue
            with self.thrown_away():
                try:
                    self.target.run(
                        f'SELECT {expression} FROM (SELECT) AS "…" LEFT JOIN ONLY'  # noqa: S608 - the server's words
                        f" {self.target.named(str(table))} ON false"
                    )
                except DatabaseError as failure:
                    if server_code(failure) in NAMES:
                        self.wrong.append(f"{what} of {table}: {server_words(failure)} ({QUALIFY})")
