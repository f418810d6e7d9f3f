"""Whether both ends hold the same rows: every row is read whole at both, each after its last change.

While the tenant still writes, rows are compared in buckets by their key, round after round, each round only
what changed since the one before or was not equal yet. So when writes stop there is little left to read:
the last round counts all keys of a table and reads whole only the buckets that were written to meanwhile.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from pg8000.native import identifier

from .schema import Table, tables
from .side import MoveError, Side

PER_BUCKET: Final = 64  # rows
MOST: Final = 1 << 16  # buckets of a table
ROUNDS: Final = 8
SHORT: Final = 0.3  # seconds; a round as quick as this leaves little for the last one
# Types whose values have the same hash on every server; other keys are hashed as text.
HASHED: Final = frozenset({"int2", "int4", "int8", "uuid", "text", "varchar", "date", "timestamptz", "bool"})

Buckets = Mapping[int, tuple[int, int]]  # bucket → rows, sum of their hashes


@dataclass
class Progress:
    """What of one table is not known to be equal."""

    table: Table
    key: str  # SQL that hashes the key
    buckets: int  # a power of two
    dirty: set[int] | None = None  # None: nothing was compared yet
    horizon: str | None = None  # transactions before it were over when the last round began


@dataclass
class Comparison:
    """Rows of `source` against `follower`, over several rounds."""

    source: Side
    follower: Side
    progress: list[Progress] = field(default_factory=list)

    def __post_init__(self) -> None:
        for table in tables(self.source):
            size = self.source.value(f"SELECT count(*) FROM {self.source.named(table.name)}")  # noqa: S608
            wanted = 1 << max(0, (int(size) // PER_BUCKET).bit_length())
            self.progress.append(Progress(table, key_hash(self.source, table), min(wanted, MOST)))

    @property
    def tables(self) -> int:
        return len(self.progress)

    def narrow(self) -> int:
        """Rounds while the tenant writes, until they are short; how many."""
        for done in range(1, ROUNDS + 1):
            began = time.monotonic()
            for one in self.progress:
                self._round(one)
            if time.monotonic() - began < SHORT:
                return done
        return ROUNDS

    def finish(self, late: Callable[[], None]) -> int:
        """The last round, when nobody writes and all has arrived; how many rows there are.

        Raises `MoveError` with the tables that differ.
        """
        rows, wrong = 0, []
        for one in self.progress:
            late()
            here, there, dirty = self._counted(one)
            equal = here == there
            if equal and dirty:
                first, second = self._read(one, sorted(dirty))
                equal = first == second
            rows += here[0]
            if not equal:
                wrong.append(f"{one.table.name} ({here[0]} rows, and {there[0]} at the {self.follower.name})")
        if wrong:
            raise MoveError(f"rows are not the same at both ends in {', '.join(wrong)}")
        return rows

    def _round(self, one: Progress) -> None:
        horizon = str(self.source.value("SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text"))
        wanted = None if one.dirty is None else sorted(one.dirty | self._changed(one))
        if wanted != []:
            here, there = self._read(one, wanted)
            one.dirty = {b for b in here.keys() | there.keys() if here.get(b) != there.get(b)}
        one.horizon = horizon

    def _changed(self, one: Progress) -> set[int]:
        sql = f"SELECT DISTINCT {_bucket(one)} FROM {self.source.named(one.table.name)} t WHERE {_since(one)}"  # noqa: S608
        return {int(b) for (b,) in self.source.rows(sql)}

    def _counted(self, one: Progress) -> tuple[tuple[int, int], tuple[int, int], set[int]]:
        """Rows and sum of keys at both ends, and which buckets were written to since the last round."""
        named = one.table.name
        there = f"SELECT count(*), coalesce(sum({one.key}), 0) FROM {self.follower.named(named)} t"  # noqa: S608
        here = (
            f"SELECT count(*), coalesce(sum({one.key}), 0),"  # noqa: S608
            f" array_agg(DISTINCT {_bucket(one)}) FILTER (WHERE {_since(one)})"
            f" FROM {self.source.named(named)} t"
        )
        first, second = both(lambda: self.source.rows(here)[0], lambda: self.follower.rows(there)[0])
        dirty = {int(b) for b in first[2] or ()} | (one.dirty or set())
        return (int(first[0]), int(first[1])), (int(second[0]), int(second[1])), dirty

    def _read(self, one: Progress, wanted: Sequence[int] | None) -> tuple[Buckets, Buckets]:
        """Those buckets (None: all) at both ends, every row whole."""
        which = "" if wanted is None else " WHERE b = ANY (CAST(:wanted AS int[]))"
        values = {} if wanted is None else {"wanted": list(wanted)}

        def read(side: Side) -> Buckets:
            sql = (
                "SELECT b, count(*), sum(h) FROM (SELECT"  # noqa: S608
                f" {_bucket(one)} AS b, hashtextextended(t::text, 0) AS h"
                f" FROM {side.named(one.table.name)} t) x{which} GROUP BY b"
            )
            return {int(b): (int(n), int(h)) for b, n, h in side.rows(sql, **values)}

        return both(lambda: read(self.source), lambda: read(self.follower))


def both(one: Callable[[], Any], other: Callable[[], Any]) -> tuple[Any, Any]:
    """At two servers at once."""
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(other)
        first = one()
        return first, second.result()


def key_hash(side: Side, table: Table) -> str:
    types = {
        str(name): str(kind)
        for name, kind in side.rows(
            "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
            " WHERE a.attrelid = CAST(:name AS regclass) AND a.attnum > 0",
            name=side.named(table.name),
        )
    }
    columns = ", ".join(f"t.{identifier(c)}" for c in table.key)
    if all(types[c] in HASHED for c in table.key):
        return f"hash_record_extended(ROW({columns}), 0)"
    return f"hashtextextended(ROW({columns})::text, 0)"


def _bucket(one: Progress) -> str:
    return f"({one.key} & {one.buckets - 1})::int4"


def _since(one: Progress) -> str:
    """Rows that a transaction wrote which was not over when the last round began."""
    if one.horizon is None:
        return "true"
    return f"age(t.xmin) <= age('{int(one.horizon)}'::xid)"
