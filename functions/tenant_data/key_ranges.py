"""A table read in ranges of its primary key, each of them short enough for one statement.

So a comparison of any size can stop between two ranges and go on in another call, and a row that was written
after its range was read is found by its key alone. AWS DMS and pt-table-checksum compare so
(DMS user guide, "Data validation task settings", PartitionSize and HandleCollationDiff; Percona Toolkit,
--chunk-size; both 2026-11).

Both ends put keys in the same order, or nearly: collations may differ by the servers' libraries. Then a row
may be read in another range there, which makes ranges unequal that are not, and never leaves a row out, as
every key is above one border and not above the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pg8000.native import identifier

from functions.common.database_endpoint import DatabaseEndpoint
from functions.common.schema import ROW_AS_TEXT, Table
from functions.tenant_data.written_rows import Key

ROWS: Final = 20_000  # of a range
BYTES: Final = 64 * 2**20  # of a range, about
PER_SLICE: Final = 100_000  # rows, where a slice is a range: each reads the whole table
AT_ONCE: Final = 5000  # rows looked up by one statement
HASH: Final = f"pg_catalog.hashtextextended({ROW_AS_TEXT}, 0)"

# Of each column, without its domains: its type, whether reading a value from text runs nothing but an input
# function of PostgreSQL's (domains have CHECKs of their owner's, in arrays, composites and ranges too), and
# whether that is a type with an order of PostgreSQL's own, in which an index has it.
KEY_TYPES: Final = """
WITH RECURSIVE base (relation, name, type) AS (
  SELECT c.relname, a.attname, a.atttypid
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)
  WHERE n.nspname = :schema AND c.relkind = 'r'
  UNION ALL
  SELECT b.relation, b.name, t.typbasetype
  FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
)
SELECT b.relation, b.name, pg_catalog.format_type(t.oid, -1),
  t.typtype IN ('b', 'e') AND (t.typcategory <> 'A' OR e.typtype IN ('b', 'e')),
  t.typtype = 'e' OR t.typnamespace = 'pg_catalog'::regnamespace
FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
WHERE t.typtype <> 'd'
"""


@dataclass(frozen=True, slots=True)
class KeyType:
    """As what a column's values are looked up, None for as text; `ordered` if an index can be followed."""

    sql: str | None
    ordered: bool


SIZES: Final = """
SELECT c.relname, pg_catalog.pg_table_size(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = :schema"""

Types = Mapping[str, Mapping[str, KeyType]]  # table → column of its primary key → type


def key_types(endpoint: DatabaseEndpoint) -> Types:
    found: dict[str, dict[str, KeyType]] = {}
    for table, column, sql, plain, ordered in endpoint.rows(KEY_TYPES, schema=endpoint.request.schema):
        kind = KeyType(str(sql) if plain else None, bool(plain and ordered))
        found.setdefault(str(table), {})[str(column)] = kind
    return found


def table_sizes(endpoint: DatabaseEndpoint) -> Mapping[str, int]:
    """Bytes of each table's rows, with their large values, without indexes."""
    found = endpoint.rows(SIZES, schema=endpoint.request.schema)
    return {str(name): int(size) for name, size in found}


@dataclass(frozen=True, slots=True)
class Range:
    """Rows with keys above `after`, and not above `last`; None is the end that has no border."""

    after: Key | None
    last: Key | None


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows there are, and the sum of their hashes."""

    rows: int
    hashes: int


@dataclass(frozen=True, slots=True)
class KeyRanges:
    """How one table is cut into ranges, and its rows are told apart."""

    table: Table
    types: tuple[KeyType, ...]
    rows: int  # of a range
    slices: int  # ranges, a power of two, where the key has no order that can be followed; else 0

    @classmethod
    def of(cls, table: Table, types: Mapping[str, KeyType], table_bytes: int) -> "KeyRanges":
        """`table_bytes` are what its rows have, with their large values."""
        kinds = tuple(types[c] for c in table.key)
        average = max(1, table_bytes // max(1, table.rows))
        slices = 0 if all(k.ordered for k in kinds) else 1 << (table.rows // PER_SLICE).bit_length()
        return cls(table, kinds, max(1, min(ROWS, BYTES // average)), slices)

    def next_range(self, source: DatabaseEndpoint, after: Key | None) -> tuple[Range, Sum]:
        """The range that follows, as the source has it now."""
        if self.slices:
            at = int(after[0]) + 1 if after else 0
            found = Range(after, (str(at),) if at + 1 < self.slices else None)
            return found, self.sum_of(source, found)
        where, values = self._where(Range(after, None))
        order = ", ".join(self._own())
        sql = (
            "SELECT count(*), coalesce(sum(h), 0), (array_agg(pg_catalog.to_json(k)))[count(*)] FROM (SELECT"  # noqa: S608 - quoted
            f" {self._key_text()} AS k, {HASH} AS h FROM {self._from(source)}{where} ORDER BY {order}"
            f" LIMIT {self.rows}) x"
        )
        count, hashes, last = source.rows(sql, **values)[0]
        whole = int(count) < self.rows
        return Range(after, None if whole else tuple(map(str, last))), Sum(int(count), int(hashes))

    def sum_of(self, endpoint: DatabaseEndpoint, wanted: Range) -> Sum:
        where, values = self._where(wanted)
        sql = f"SELECT count(*), coalesce(sum({HASH}), 0) FROM {self._from(endpoint)}{where}"  # noqa: S608 - quoted
        count, hashes = endpoint.rows(sql, **values)[0]
        return Sum(int(count), int(hashes))

    def hashes_of(self, endpoint: DatabaseEndpoint, wanted: Range, most: int) -> Mapping[Key, int]:
        """Of each row of a range, or of `most` of them."""
        where, values = self._where(wanted)
        sql = f"SELECT {self._key_text()}, {HASH} FROM {self._from(endpoint)}{where} LIMIT {most}"  # noqa: S608
        return {tuple(map(str, key)): int(hashed) for key, hashed in endpoint.rows(sql, **values)}

    def look_up(self, endpoint: DatabaseEndpoint, keys: Sequence[Key]) -> Mapping[Key, int]:
        """The hashes of those rows that are there."""
        places = range(len(self.types))
        given = ", ".join(f"CAST(:k{p} AS text[])" for p in places)
        names = ", ".join(f"k{p}" for p in places)
        wanted = ", ".join(_sought(f"u.k{p}", kind) for p, kind in enumerate(self.types))
        own = ", ".join(_found(c, kind) for c, kind in zip(self._own(), self.types, strict=True))
        sql = (
            f"SELECT {', '.join(f'u.k{p}' for p in places)}, {HASH}"  # noqa: S608 - quoted
            f" FROM unnest({given}) AS u({names}) JOIN {self._from(endpoint)} ON ROW({own}) = ROW({wanted})"
        )
        values = {f"k{p}": [k[p] for k in keys] for p in places}
        return {tuple(row[:-1]): int(row[-1]) for row in endpoint.rows(sql, **values)}

    def _where(self, wanted: Range) -> tuple[str, Mapping[str, Any]]:
        """As SQL, with its values."""
        if self.slices:
            at = int(wanted.after[0]) + 1 if wanted.after else 0
            key = f"pg_catalog.hashtextextended({_row_as_text(self._own())}, 0)"
            return f" WHERE {key} & {self.slices - 1} = {at}", {}
        borders = {">": ("a", wanted.after), "<=": ("z", wanted.last)}
        said: list[str] = []
        values: dict[str, Any] = {}
        for sign, (letter, key) in borders.items():
            if key is not None:
                given = [f"CAST(:{letter}{p} AS {kind.sql})" for p, kind in enumerate(self.types)]
                said.append(f"ROW({', '.join(self._own())}) {sign} ROW({', '.join(given)})")
                values |= {f"{letter}{p}": value for p, value in enumerate(key)}
        return (f" WHERE {' AND '.join(said)}" if said else ""), values

    def _from(self, endpoint: DatabaseEndpoint) -> str:
        return f"ONLY {endpoint.named(self.table.name)} t"

    def _own(self) -> Sequence[str]:
        return [f"t.{identifier(c)}" for c in self.table.key]

    def _key_text(self) -> str:
        """By the output functions of its types, as the log has it."""
        texts = (f"pg_catalog.format('%s', {c})" for c in self._own())
        return f"ARRAY[{', '.join(texts)}]"


def _row_as_text(columns: Sequence[str]) -> str:
    return f"pg_catalog.textin(pg_catalog.record_out(ROW({', '.join(columns)})))"


def _sought(value: str, kind: KeyType) -> str:
    """A key's value, which is given as text, as what it is compared as."""
    return f"CAST({value} AS {kind.sql})" if kind.sql else _row_as_text([value])


def _found(column: str, kind: KeyType) -> str:
    """The same of a row's column."""
    return column if kind.sql else _row_as_text([column])
