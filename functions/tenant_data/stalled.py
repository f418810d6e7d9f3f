"""Why a follower does not go on, found out by doing at it what its worker cannot.

A worker's error is in the log of its server and nowhere else: PostgreSQL 17 counts errors, and has none of
their words in SQL. That log is every tenant's of the server. So what the worker would write is written in a
session of the tenant's, with the worker's search path, into a table like the one that it goes to, and
thrown away: the server says the same again.
"""

import logging
import os
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Final

from pg8000.exceptions import DatabaseError
from pg8000.native import identifier, literal

from functions.common.connection import server_code, server_words
from functions.common.database_endpoint import DatabaseEndpoint, MoveError
from functions.common.replication import BehindError, Replication
from functions.common.schema import Table, definitions, difference, tables
from functions.tenant_data.rehearsal import OF_ROWS
from functions.tenant_data.written_rows import LONGEST, Key, read

log: Final = logging.getLogger(__name__)
SECONDS: Final = 30.0  # for one statement, and so for one table
FEW: Final = 3  # tables that are tried
CHANGES: Final = 2000  # that are looked at, and the rest of the transaction of the last one
KEYS: Final = 200  # of each table
TWIN: Final = "tenantry_tried"  # the table like another one
BUSY: Final = "55006"  # a slot that somebody reads
PAUSE: Final = 0.1


@contextmanager
def naming_the_reason(
    link: Replication, source: DatabaseEndpoint, follower: DatabaseEndpoint
) -> Generator[None]:
    """What is behind is said with what holds it up, where that can be found out."""
    try:
        yield
    except BehindError as behind:
        raise explained(behind, link, source, follower) from None


def explained(
    behind: BehindError, link: Replication, source: DatabaseEndpoint, follower: DatabaseEndpoint
) -> BehindError:
    why = reason(link, source, follower)
    return BehindError(behind.state, f"{why}; put that right, and run again") if why else behind


def reason(link: Replication, source: DatabaseEndpoint, follower: DatabaseEndpoint) -> str:
    """The words of the server, or ""; `source` and `follower` are open as the tenant."""
    found = _Tried(link, source, follower)
    try:
        return found.of_slot() or found.of_schema() or found.of_copies() or found.of_changes()
    except (DatabaseError, MoveError) as failure:  # it is only an explanation
        words = server_words(failure) if isinstance(failure, DatabaseError) else failure
        log.warning("why the %s does not go on could not be found out: %s", link.follower.name, words)
        return ""


@dataclass(frozen=True, slots=True)
class _Tried:
    link: Replication
    source: DatabaseEndpoint
    follower: DatabaseEndpoint

    def of_slot(self) -> str:
        end = self.link.source
        states = end.rows(
            "SELECT wal_status FROM pg_replication_slots WHERE slot_name = :name", name=self.link.plain
        )
        if states and states != [["lost"]]:
            return ""
        return f"the slot of the {end.name} is gone, and the rows since with it: this move can only be ended"

    def of_schema(self) -> str:
        changed = difference(definitions(self.link.source), definitions(self.link.follower))
        return f"tables were changed since the move began: {', '.join(changed)}" if changed else ""

    def of_copies(self) -> str:
        """Tables whose first copy fails, copied again whole, or as much as there is time for."""
        found = {t.name: t for t in tables(self.link.follower)}
        copying = self._copying()
        for name in copying[:FEW]:
            end = self.follower.named(name)
            filled = self.follower.rows(f"SELECT 1 FROM ONLY {end} LIMIT 1")  # noqa: S608 - quoted
            if filled and name in self._copying():
                return f"the first copy of {name}: it has rows at the {self.follower.name} already"
            failure = self._loaded(found[name], "")
            # A check may read other tables, whose rows are yet to come.
            if failure and not (len(copying) > 1 and server_code(failure).startswith(OF_ROWS)):
                return f"the first copy of {name}: {_words(failure, name)}"
        return ""

    def _copying(self) -> list[str]:
        """Whose rows are not committed."""
        rows = self.link.follower.rows(
            "SELECT c.relname FROM pg_subscription_rel r JOIN pg_class c ON c.oid = r.srrelid"
            " WHERE r.srsubid = :number AND r.srsubstate IN ('i', 'd') ORDER BY 1",
            number=self.link.subscribed or 0,
        )
        return [str(name) for (name,) in rows]

    def of_changes(self) -> str:
        """Rows that were written and have not arrived, written as they are now."""
        found = {t.name: t for t in tables(self.link.source)}
        changes = read(self._pending(), {n: t.key for n, t in found.items()})
        for name, keys in list(changes.keys.items())[:FEW]:
            table = found[name]
            inserted = sorted(changes.inserted.get(name, set()))[:KEYS]
            if taken := self._taken(table, inserted):
                return (
                    f"{taken} of the rows that were inserted into {name} have keys that other rows have there"
                )
            if keys and (failure := self._loaded(table, _among(table, sorted(keys)[:KEYS]))):
                return f"rows of {name}: {_words(failure, name)}"
        return ""

    def _pending(self) -> Iterator[bytes]:
        """What the follower has not confirmed, read while its worker, which comes and goes, is away."""
        ends = time.monotonic() + SECONDS
        while True:
            try:
                rows = self.link.source.rows(
                    "SELECT substr(data, 1, CAST(:longest AS int))"
                    " FROM pg_logical_slot_peek_binary_changes(:name, NULL, :most,"
                    " 'proto_version', '1', 'publication_names', :publication, 'origin', 'none')",
                    name=self.link.plain,
                    publication=self.link.plain,
                    most=CHANGES,
                    longest=LONGEST,
                )
            except DatabaseError as failure:
                if server_code(failure) != BUSY or time.monotonic() > ends:
                    raise
                time.sleep(PAUSE)
            else:
                return (bytes(data) for (data,) in rows)

    def _taken(self, table: Table, keys: Sequence[Key]) -> int:
        """How many rows of the follower have these keys and are not those of the source."""
        if not keys:
            return 0
        row, among = ", ".join(identifier(c) for c in table.columns), _among(table, keys)

        def of(end: DatabaseEndpoint) -> set[str]:
            sql = f"SELECT format('%s', ROW({row})) FROM ONLY {end.named(table.name)}{among}"  # noqa: S608
            return {str(text) for (text,) in end.rows(sql)}

        return len(of(self.follower) - of(self.source))

    def _loaded(self, table: Table, which: str) -> DatabaseError | None:
        """What the server says to rows of the source; None where they are in order, as far as time allows."""
        chosen = ", ".join(identifier(c) for c in table.columns)
        named, twin = self.follower.named(table.name), self.follower.named(TWIN)
        self.source.run(f"SET statement_timeout = {int(SECONDS * 1000)}")
        self.follower.run("BEGIN", f"SET LOCAL statement_timeout = {int(2 * SECONDS * 1000)}")
        try:
            self.follower.run(f"CREATE TABLE {twin} (LIKE {named} INCLUDING ALL)")
            rows = f"COPY (SELECT {chosen} FROM ONLY {self.source.named(table.name)}{which}) TO STDOUT"  # noqa: S608
            self._stream(rows, f"COPY {twin} ({chosen}) FROM STDIN")
        except DatabaseError as failure:
            return failure
        finally:
            self.follower.run("ROLLBACK")
        return None

    def _stream(self, out: str, into: str) -> None:
        """Row by row, whatever their number. What there is no time to read is left out."""
        reads, writes = os.pipe()

        def send() -> None:
            with suppress(BrokenPipeError), os.fdopen(writes, "wb") as leaving, suppress(DatabaseError):
                self.source.session.run(out, stream=_Leaving(leaving))

        with ThreadPoolExecutor(1) as pool, os.fdopen(reads, "rb") as arriving:
            sent = pool.submit(send)
            self.follower.session.run(into, stream=arriving)
            sent.result()


class _Leaving:
    """A pipe's end. Rows may go on after nobody reads them: the session that sends them stays in order."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._read = file, True

    def write(self, data: bytes) -> None:
        if self._read:
            try:
                self._file.write(data)
            except BrokenPipeError:
                self._read = False


def _words(failure: DatabaseError, table: str) -> str:
    return server_words(failure).replace(TWIN, table)


def _among(table: Table, keys: Sequence[Key]) -> str:
    """Rows with one of these keys; a value that is given as text is read as its column's type."""
    columns = ", ".join(identifier(c) for c in table.key)
    rows = ", ".join(f"({', '.join(literal(value) for value in key)})" for key in keys)
    return f" WHERE ({columns}) IN ({rows})"
