"""A fingerprint of a schema's contents, to compare two databases."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.common.database_endpoint import DatabaseEndpoint
from functions.common.schema import ROW_AS_TEXT, Definition, definitions, difference, sequences, tables


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`sums` is of each table: rows, and the sum of their hashes."""

    definitions: tuple[Definition, ...]
    sums: Mapping[str, tuple[int, int]]
    sequences: Mapping[str, tuple[int, bool]]

    @property
    def rows(self) -> Mapping[str, int]:
        return {name: rows for name, (rows, _) in self.sums.items()}

    def plain(self) -> Any:
        """What a digest is made of, without numbers that are only the server's own."""
        return [
            sorted((d.section.name, d.name, d.sql) for d in self.definitions),
            {name: [rows, str(hashed)] for name, (rows, hashed) in self.sums.items()},
            {name: list(at) for name, at in self.sequences.items()},
        ]


def fingerprint_of(endpoint: DatabaseEndpoint) -> Fingerprint:
    """Every row of every table is read whole."""
    return Fingerprint(
        definitions(endpoint),
        {table.name: _sum(endpoint, table.name) for table in tables(endpoint)},
        {str(name): (int(last), bool(called)) for name, last, called in sequences(endpoint)},
    )


def _sum(endpoint: DatabaseEndpoint, table: str) -> tuple[int, int]:
    # `t.*` is the row whatever its columns are called; `t` would be a column of that name.
    hashes = f"coalesce(sum(hashtextextended({ROW_AS_TEXT}, 0)), 0)"
    rows, hashed = endpoint.rows(f"SELECT count(*), {hashes} FROM {endpoint.named(table)} t")[0]  # noqa: S608 - quoted
    return int(rows), int(hashed)


def differences(source: Fingerprint, copy: Fingerprint) -> list[str]:
    """The names of all in which the copy is not the same."""
    wrong = difference(source.definitions, copy.definitions)
    for name in sorted(source.sums.keys() | copy.sums.keys()):
        here, there = source.sums.get(name), copy.sums.get(name)
        if here and there and here != there:
            wrong.append(f"{name} ({there[0]} of {here[0]} rows)")
    return wrong + [
        f"sequence {name}" for name, at in source.sequences.items() if copy.sequences.get(name, at) != at
    ]
