"""Which rows were written since a moment: read from the server's log, whatever the size of the tables.

A replication slot remembers the moment. The log is decoded by `pgoutput`, PostgreSQL's own plugin, for the
tables of a publication (PostgreSQL 16, 55.9, "Logical Replication Message Formats").
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Key: TypeAlias = tuple[str, ...]  # of one row, as text
IN_KEY: Final = 1  # flag of a column
# Bytes of a message that are asked for: all of a table's description, and of a row, which may be long, enough
# to find its key. A row whose key comes later has its table read whole.
LONGEST: Final = 1 << 17
OLD: Final = (b"K", b"O")  # what an updated or deleted row was: its key, or all of it


@dataclass
class Changes:
    """Keys of rows by table; a table of which it cannot be told row by row is in `whole`.

    Of those in `inserted` nothing more has been told.
    """

    keys: dict[str, set[Key]] = field(default_factory=dict)
    inserted: dict[str, set[Key]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Relation:
    name: str
    columns: tuple[str, ...]
    key: tuple[int, ...]  # indexes of the columns that tell rows apart


class _CutError(Exception):
    """The message was cut before what is to be read."""


class _Reader:
    """One message, from its front to its end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, length: int) -> bytes:
        if self._at + length > len(self._data):
            raise _CutError
        self._at += length
        return self._data[self._at - length : self._at]

    @property
    def has_more(self) -> bool:
        return self._at < len(self._data) or len(self._data) == LONGEST

    def number(self, form: str) -> int:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def text(self) -> str:
        end = self._data.index(b"\0", self._at)
        found = self._data[self._at : end].decode()
        self._at = end + 1
        return found

    def tuple(self, most: int) -> list[str | None]:
        """Its first values, `most` of them."""
        return [self._value() for _ in range(min(self.number("!h"), most))]

    def _value(self) -> str | None:
        return self.take(self.number("!i")).decode() if self.take(1) == b"t" else None


@dataclass
class WrittenRows:
    """The changes that messages tell of, as they come; `keys` are the columns of each table's key."""

    keys: Mapping[str, tuple[str, ...]]
    changes: Changes = field(default_factory=Changes)
    _relations: dict[int, _Relation] = field(default_factory=dict[int, _Relation])

    def take(self, message: bytes) -> None:
        reader = _Reader(message)
        kind = reader.take(1)
        if kind == b"R":
            number = reader.number("!I")
            self._relations[number] = _relation(reader)
        elif kind == b"T":
            count, _ = reader.number("!i"), reader.take(1)
            self.changes.whole |= {self._relations[reader.number("!I")].name for _ in range(count)}
        elif kind in (b"I", b"U", b"D"):
            table = self._relations[reader.number("!I")]
            _row(reader, table, self.keys, self.changes, inserts=kind == b"I")

    def told(self) -> Changes:
        """What was told since this was last asked for."""
        found, self.changes = self.changes, Changes()
        return found


def read(messages: Iterator[bytes], keys: Mapping[str, tuple[str, ...]]) -> Changes:
    """The changes that all of some messages tell of."""
    written = WrittenRows(keys)
    for message in messages:
        written.take(message)
    return written.told()


def _relation(reader: _Reader) -> _Relation:
    _schema, name, _identity = reader.text(), reader.text(), reader.take(1)
    columns: list[str] = []
    key: list[int] = []
    for index in range(reader.number("!h")):
        flags = reader.number("!b")
        columns.append(reader.text())
        reader.take(8)  # type and its modifier
        if flags & IN_KEY:
            key.append(index)
    return _Relation(name, tuple(columns), tuple(key))


def _row(
    reader: _Reader, table: _Relation, keys: Mapping[str, tuple[str, ...]], found: Changes, *, inserts: bool
) -> None:
    """A row as it was and as it is: where its key changes, both are of interest."""
    if {table.columns[p] for p in table.key} != set(keys.get(table.name, ())):
        found.whole.add(table.name)
        return
    indexes = [table.columns.index(c) for c in keys[table.name]]
    rows, inserted = (each.setdefault(table.name, set()) for each in (found.keys, found.inserted))
    try:
        kind = reader.take(1)
        while kind:
            # What it is now comes last, and is read no further than to the end of its key.
            values = reader.tuple(len(table.columns) if kind in OLD else max(indexes) + 1)
            key = tuple(v for p in indexes if (v := values[p]) is not None)
            if len(key) == len(indexes):
                (inserted.add if inserts and key not in rows else inserted.discard)(key)
                rows.add(key)
            kind = reader.take(1) if kind in OLD and reader.has_more else b""
    except _CutError:
        found.whole.add(table.name)
