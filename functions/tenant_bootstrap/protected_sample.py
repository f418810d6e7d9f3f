"""Looks at a part of a tenant's protected columns: bounded in time, memory and locks, whatever their size.

Of a table, or of its partitions and other children, are read: the last pages, where rows stand that were
written lately as long as there is no room before them, and random pages of all the rest. Each statement reads
one column of one of them, and counts: no value leaves the server.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pg8000.exceptions import DatabaseError

from functions.common.connection import server_words
from functions.common.database_endpoint import DatabaseEndpoint, identifier
from functions.common.protected_columns import (
    NOT_PROTECTED,
    ProtectedColumns,
    judgement,
    split,
    wrong_with,
)

PAGES: Final = 4_000  # of all columns together, of 8 KiB each as RDS has them
MOST_PARTS: Final = 20  # of a table's partitions, for each column
NEW: Final = 4  # one page of so many is one of the last
# A change of the table waits for who reads it, and everybody else then waits for the change.
STATEMENT: Final = "SET statement_timeout = '8s'"
# A table with all that is read with it; what has rows of its own, the newest first.
PARTS: Final = """
WITH RECURSIVE part AS (
    SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname = :table
    UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN part ON part.oid = i.inhparent)
SELECT n.nspname::text, c.relname::text,
    coalesce(pg_catalog.pg_relation_size(c.oid), 0) / pg_catalog.current_setting('block_size')::int8
FROM part JOIN pg_catalog.pg_class c USING (oid) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' ORDER BY c.oid DESC"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one column's look has found. `wrong` is a sentence without a value."""

    table: str
    column: str
    values: int = 0  # that were looked at; NULLs are not counted
    findings: int = 0
    wrong: str = ""
    unread: str = ""  # why not all of it was read that should have been
    whole: bool = False  # whether all that there is was read


@dataclass(frozen=True, slots=True)
class _Part:
    """A table, a partition or another child: its name in SQL, and how much of it there is."""

    name: str
    pages: int


def sample(
    session: DatabaseEndpoint, protected: ProtectedColumns, is_late: Callable[[], bool], pages: int = PAGES
) -> Iterator[Look]:
    """One look for each column, in a random order, so that time never ends at the same ones.

    `session` is one of the tenant's (`functions.common.tenant_session`).
    """
    session.run(STATEMENT)
    share = max(1, pages // len(protected.columns))
    for named in random.sample(protected.columns, len(protected.columns)):
        table, column = split(named)
        if is_late():
            yield Look(table=table, column=column, unread="there was no time left")
        else:
            yield _look(session, protected.keys, table, column, share, is_late)


def _look(
    session: DatabaseEndpoint,
    keys: Sequence[str],
    table: str,
    column: str,
    pages: int,
    is_late: Callable[[], bool],
) -> Look:
    values = findings = 0
    unread, whole = "", False
    try:
        if wrong := wrong_with(session, table, column):
            return Look(table=table, column=column, findings=1, wrong=wrong)
        parts = _parts(session, table)
        chosen = _chosen(parts)
        total = sum(part.pages for part in chosen)
        whole = len(chosen) == len(parts) and total <= pages
        for part in chosen:
            if is_late():
                unread = "there was no time left"
                break
            of_part, wrong_values = _count(session, keys, part, column, pages / max(1, total))
            values, findings = values + of_part, findings + wrong_values
    except DatabaseError as refusal:
        unread = server_words(refusal)
    return Look(
        table=table,
        column=column,
        values=values,
        findings=findings,
        wrong=f"{findings} {NOT_PROTECTED}" if findings else "",
        unread=unread,
        whole=whole and not unread,
    )


def _parts(session: DatabaseEndpoint, table: str) -> Sequence[_Part]:
    found = session.rows(PARTS, schema=session.request.schema, table=table)
    return [_Part(f"{identifier(schema)}.{identifier(name)}", pages) for schema, name, pages in found]


def _chosen(parts: Sequence[_Part]) -> Sequence[_Part]:
    """The newest, and of the others some by chance, the larger ones rather."""
    if len(parts) <= MOST_PARTS:
        return parts
    newest, others = parts[0], parts[1:]
    weights = [1 + part.pages for part in others]
    drawn = random.choices(others, weights, k=MOST_PARTS - 1)  # noqa: S311 - a sample
    return [newest, *dict.fromkeys(drawn)]


def _count(
    session: DatabaseEndpoint, keys: Sequence[str], part: _Part, column: str, share: float
) -> tuple[int, int]:
    """Values, and those of them that are not protected."""
    judged = judgement(session.request.tenant, keys, "value")
    query = (
        "SELECT count(*)::int8, count(*) FILTER (WHERE NOT ("  # noqa: S608
        f"{judged.is_message}))::int8 FROM ({_read(part, column, share)}) AS looked WHERE value IS NOT NULL"
    )
    ((values, wrong),) = session.rows(query, **judged.parameters)
    return int(values), int(wrong)


def _read(part: _Part, column: str, share: float) -> str:
    """Rows of a part, as SQL: all, or the last pages and random ones of those before."""
    values = f"SELECT {identifier(column)} AS value FROM ONLY {part.name}"  # noqa: S608
    if share >= 1:
        return values
    most = max(2, int(part.pages * share))
    new = max(1, most // NEW)
    before = max(1, part.pages - new)
    percent = min(100.0, 100 * (most - new) / before)
    return (
        f"{values} TABLESAMPLE SYSTEM ({percent:.12f}) WHERE ctid < '({before},0)'"
        f" UNION ALL {values} WHERE ctid >= '({before},0)'"
    )
