"""Compares the rows of both databases: each row is read in full in both, after its last change.

First all rows are compared while the tenant writes, in buckets by their key. From then on the source's log
says which rows were written, and those are compared again, round after round. So when writes stop, only the
rows of the last moment remain to be read, however large the tables are.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import identifier

from functions.common.connection import server_code
from functions.common.database_endpoint import DatabaseEndpoint, MoveError
from functions.common.replication import Replication
from functions.common.schema import ROW_AS_TEXT, Table, tables
from functions.tenant_data.written_rows import LONGEST, Key, read

PER_BUCKET: Final = 64  # rows
MOST: Final = 1 << 16  # buckets of a table
AT_ONCE: Final = 5000  # rows looked up by one statement
ROUNDS: Final = 10
CANCELED: Final = "57014"  # query_canceled: a statement that outlasted its timeout
SHORT: Final = 0.2  # seconds; a round as quick as this leaves little for the last one
# Types whose values have the same hash on every server; other keys are hashed as text.
HASHED: Final = frozenset({"int2", "int4", "int8", "uuid", "text", "varchar", "date", "timestamptz", "bool"})

Buckets = Mapping[int, tuple[int, int]]  # bucket → rows, sum of their hashes


@dataclass
class Progress:
    """What of one table is not known to be equal."""

    table: Table
    types: tuple[str | None, ...]  # that the key's columns are looked up as; None: as text
    hashed: str  # SQL that hashes the key
    buckets: int  # a power of two
    rows: int = 0
    dirty: set[int] | None = None  # None: all of them
    keys: set[Key] = field(default_factory=set)

    @property
    def clean(self) -> bool:
        return self.dirty == set() and not self.keys


# What says that a table is still the one that it was: its file, which a change of type writes anew, its
# columns, of which one may be dropped and added again, and the types of the schema. None of that is in
# the log as rows.
DEFINED: Final = """
SELECT c.relname, c.relkind = 'c', concat_ws(' ', c.oid, c.relfilenode,
  (SELECT string_agg(concat_ws(':', a.attnum, a.xmin), ',' ORDER BY a.attnum)
   FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'c') AND n.nspname = :schema
UNION ALL
SELECT t.typname, true, string_agg(concat_ws(':', e.oid, e.xmin), ',' ORDER BY e.oid)
FROM pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = :schema GROUP BY t.typname"""


@dataclass(frozen=True, slots=True)
class Defined:
    """How tables, and the types that any of them may use, are defined at a moment."""

    tables: Mapping[str, str]
    types: Mapping[str, str]

    def changed(self, now: "Defined") -> set[str]:
        """Tables whose rows may read otherwise now, though nothing was written to them."""
        if self.types != now.types:
            return set(now.tables)
        return {name for name, state in now.tables.items() if self.tables.get(name) != state}


def defined_now(endpoint: DatabaseEndpoint) -> Defined:
    rows = [
        (str(name), bool(kind), str(state))
        for name, kind, state in endpoint.rows(DEFINED, schema=endpoint.request.schema)
    ]
    return Defined(
        {name: state for name, is_type, state in rows if not is_type},
        {name: state for name, is_type, state in rows if is_type},
    )


@dataclass
class Comparison:
    """Rows of a link's source against those of its follower, over several rounds.

    They are read as the tenant (`functions.common.tenant_session`), the source's log as the administrator.
    """

    link: Replication
    source: DatabaseEndpoint
    follower: DatabaseEndpoint
    progress: dict[str, Progress] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.defined = defined_now(self.link.source)
        both = {t.name for t in tables(self.link.follower)}  # what is new is no question of rows
        found = [t for t in tables(self.link.source) if t.name in both]
        self.progress = {t.name: _progress(self.source, t) for t in found}

    @property
    def rows(self) -> int:
        """As many as there were when all of them were read."""
        return sum(p.rows for p in self.progress.values())

    def narrow(self, patience: float) -> int:
        """Rounds while the tenant writes, until they are short; how many.

        Raises `MoveError` where the follower has not caught up in `patience` seconds.
        """
        self.link.start_capture()
        self.link.wait_caught_up(self.link.until(time.monotonic() + patience))
        for done in range(1, ROUNDS + 1):
            began = time.monotonic()
            self._round()
            if time.monotonic() - began < SHORT and done > 1:
                return done
        return ROUNDS

    def finish(self, late: Callable[[], None], left: Callable[[], float] = lambda: math.inf) -> int:
        """The last round, when nobody writes and all has arrived; how many rows there are.

        Raises `MoveError` with the tables that differ, and what `late` raises once it is late. A statement
        that takes longer than the seconds that are `left` is ended: one table may take all of them.
        """
        try:
            self._round(late, left)
        except DatabaseError as failure:
            if server_code(failure) == CANCELED:
                late()
            raise
        finally:
            with suppress(DatabaseError, InterfaceError, OSError):  # a session that has gone has no limit
                self._limit(math.inf)
        wrong = [
            f"{name} ({len(p.keys) or 'some'} of {p.rows} rows)"
            for name, p in self.progress.items()
            if not p.clean
        ]
        if wrong:
            raise MoveError(f"rows are not the same at both ends in {', '.join(wrong)}")
        return self.rows

    def redefined(self) -> bool:
        """Whether a table or type of the source was changed since the last round; its rows are read again."""
        return bool(self.defined.changed(defined_now(self.link.source)))

    def _limit(self, seconds: float) -> None:
        """Of the next statements."""
        limit = 0 if math.isinf(seconds) else max(1, int(seconds * 1000) + 10)  # ms; 0: none
        for endpoint in (self.source, self.follower, self.link.source):
            endpoint.run(f"SET statement_timeout = {limit}")

    def _round(
        self, late: Callable[[], None] = lambda: None, left: Callable[[], float] = lambda: math.inf
    ) -> None:
        """What was written is looked up before any bucket is read again, which takes in later writes."""
        self._limit(left())
        before, self.defined = self.defined, defined_now(self.link.source)
        changed = before.changed(self.defined)
        found = read(self.link.captured(LONGEST), {n: p.table.key for n, p in self.progress.items()})
        for name, one in self.progress.items():
            late()
            self._limit(left())
            if name in found.whole or name in changed:
                one.dirty = None
            one.keys |= found.keys.get(name, set())
            if one.dirty != set():
                self._read_buckets(one)
            keys = sorted(one.keys)
            one.keys = {
                k for at in range(0, len(keys), AT_ONCE) for k in self._unequal(one, keys[at : at + AT_ONCE])
            }

    def _read_buckets(self, one: Progress) -> None:
        which = "" if one.dirty is None else " WHERE b = ANY (CAST(:wanted AS int[]))"
        values = {} if one.dirty is None else {"wanted": sorted(one.dirty)}

        def read_at(endpoint: DatabaseEndpoint) -> Buckets:
            sql = (
                "SELECT b, count(*), sum(h) FROM (SELECT"  # noqa: S608
                f" ({one.hashed} & {one.buckets - 1})::int4 AS b, hashtextextended({ROW_AS_TEXT}, 0) AS h"
                f" FROM {endpoint.named(one.table.name)} t) x{which} GROUP BY b"
            )
            return {int(b): (int(n), int(h)) for b, n, h in endpoint.rows(sql, **values)}

        here, there = self._both(read_at)
        if one.dirty is None:
            one.rows = sum(n for n, _ in here.values())
        one.dirty = {b for b in here.keys() | there.keys() if here.get(b) != there.get(b)}

    def _unequal(self, one: Progress, keys: Sequence[Key]) -> Iterable[Key]:
        """Of some rows those that are not alike at both ends, gone from both being alike."""
        places = range(len(one.types))
        given = ", ".join(f"CAST(:k{p} AS text[])" for p in places)
        wanted = ", ".join(_sought(f"u.k{p}", t) for p, t in enumerate(one.types))
        selected = ", ".join(f"u.k{p}" for p in places)
        own = ", ".join(_found(c, t) for c, t in zip(one.table.key, one.types, strict=True))
        values = {f"k{p}": [k[p] for k in keys] for p in places}

        def look_up(endpoint: DatabaseEndpoint) -> Mapping[Key, int]:
            sql = (
                f"SELECT {selected}, hashtextextended({ROW_AS_TEXT}, 0)"  # noqa: S608
                f" FROM unnest({given}) AS u({selected.replace('u.', '')})"
                f" JOIN {endpoint.named(one.table.name)} t ON ROW({own}) = ROW({wanted})"
            )
            return {tuple(row[:-1]): int(row[-1]) for row in endpoint.rows(sql, **values)}

        here, there = self._both(look_up)
        return [k for k in keys if here.get(k) != there.get(k)]

    def _both(self, call: Callable[[DatabaseEndpoint], Any]) -> tuple[Any, Any]:
        """At both servers at once."""
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(call, self.follower)
            first = call(self.source)
            return first, second.result()


# Type name of each column without its domains, as what its values are looked up, and whether reading one from
# text runs nothing but an input function of PostgreSQL's: domains have CHECKs of their owner's, in arrays,
# composites and ranges too.
KEY_TYPES: Final = """
WITH RECURSIVE base (name, type) AS (
  SELECT a.attname, a.atttypid FROM pg_attribute a WHERE a.attrelid = CAST(:name AS regclass) AND a.attnum > 0
  UNION ALL
  SELECT b.name, t.typbasetype FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
)
SELECT b.name, t.typname, format_type(t.oid, -1),
  t.typtype IN ('b', 'e') AND (t.typcategory <> 'A' OR e.typtype IN ('b', 'e'))
FROM base b JOIN pg_type t ON t.oid = b.type LEFT JOIN pg_type e ON e.oid = t.typelem
WHERE t.typtype <> 'd'
"""


def _progress(endpoint: DatabaseEndpoint, table: Table) -> Progress:
    types = {
        str(name): (str(short), str(whole) if plain else None)
        for name, short, whole, plain in endpoint.rows(KEY_TYPES, name=endpoint.named(table.name))
    }
    columns = _columns(table)
    hashed = f"hashtextextended(ROW({columns})::text, 0)"
    if all(types[c][0] in HASHED for c in table.key):
        hashed = f"hash_record_extended(ROW({columns}), 0)"
    wanted = 1 << max(0, (table.rows // PER_BUCKET).bit_length())
    return Progress(table, tuple(types[c][1] for c in table.key), hashed, min(wanted, MOST))


def _sought(value: str, kind: str | None) -> str:
    """A key's value, which is given as text, as what it is compared as."""
    return f"CAST({value} AS {kind})" if kind else f"textin(record_out(ROW({value})))"


def _found(column: str, kind: str | None) -> str:
    """The same of a row's column."""
    return f"t.{identifier(column)}" if kind else f"textin(record_out(ROW(t.{identifier(column)})))"


def _columns(table: Table) -> str:
    return ", ".join(f"t.{identifier(c)}" for c in table.key)
