"""Columns whose values a service encrypts under the tenant's key, and how many values are not.

A value is looked at from outside: a message of the AWS Encryption SDK begins with its version, its algorithm,
its encryption context and the wrapped data key with the ARN of the KMS key (AWS Encryption SDK developer
guide, "message format reference", version 2, 2026-11). `docs/field-encryption.md` is the contract with the
services.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pg8000.native import identifier

from functions.common.database_endpoint import DatabaseEndpoint

CONTEXT: Final = "tenant"  # the one key of the encryption context
MESSAGE: Final = bytes.fromhex("020478")  # version 2, AES-256-GCM with HKDF and key commitment
AFTER_ID: Final = 36  # where a message goes on behind its id of 32 bytes, counted from 1 as SQL does
# A column of a table of the schema; partitions are read through their parents.
COLUMN: Final = """
SELECT a.atttypid = 'pg_catalog.bytea'::pg_catalog.regtype,
    (SELECT sum(pg_catalog.pg_relation_size(oid)) FROM
        (SELECT c.oid UNION SELECT relid FROM pg_catalog.pg_partition_tree(c.oid)) AS part)::int8 / 8192
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND c.relkind IN ('r', 'p') AND a.attname = :column
AND a.attnum > 0 AND NOT a.attisdropped"""


@dataclass(frozen=True, slots=True)
class ProtectedColumns:
    """What the registry names: `table.column`; and the ARNs of all keys that the tenant has had."""

    columns: Sequence[str] = ()
    keys: Sequence[str] = ()

    @property
    def key(self) -> str:
        """The one in use."""
        return self.keys[-1]


NONE: Final = ProtectedColumns()


def read_protected(given: Mapping[str, Any]) -> ProtectedColumns:
    """Of an event's fields that were read; none where the tenant has none."""
    found: Mapping[str, Any] | None = given.get("protected")
    return ProtectedColumns(tuple(found["columns"]), tuple(found["keys"])) if found else NONE


def header(tenant: str, key: str) -> bytes:
    """What stands behind a message's id, up to the wrapped data key itself."""
    context = _field(CONTEXT) + _field(tenant)
    return struct.pack("!HH", len(context) + 2, 1) + context + struct.pack("!H", 1) + _field("aws-kms") + _field(key)  # fmt: skip  # noqa: E501


def _field(text: str) -> bytes:
    value = text.encode()
    return struct.pack("!H", len(value)) + value


def unprotected(
    session: DatabaseEndpoint, protected: ProtectedColumns, most_pages: int | None = None
) -> list[str]:
    """A sentence for each column with values that are not encrypted under one of the tenant's keys.

    `session` is one of the tenant's (`functions.common.tenant_session`): what lies in the way of a table may
    be the tenant's code. Of a table with more than `most_pages` pages a random part is read.
    """
    found: list[str] = []
    for named in protected.columns:
        table, _, column = named.partition(".")
        rows = session.rows(COLUMN, schema=session.request.schema, table=table, column=column)
        if not rows:
            found.append(f"{named}: there is no such column")
        elif not rows[0][0]:
            found.append(f"{named}: its type is not bytea")
        elif count := _count(session, protected, table, column, _sampled(rows[0][1], most_pages)):
            found.append(f"{named}: {count} values are not encrypted under the tenant's key")
    return found


def _sampled(pages: int, most: int | None) -> str:
    if most is None or pages <= most:
        return ""
    return f" TABLESAMPLE SYSTEM ({100 * most / pages:.4f})"


def _count(
    session: DatabaseEndpoint, protected: ProtectedColumns, table: str, column: str, sampled: str
) -> int:
    value = identifier(column)
    headers = {f"header{i}": header(session.request.tenant, key) for i, key in enumerate(protected.keys)}
    known = " OR ".join(
        f"substring({value} FROM {AFTER_ID} FOR {len(text)}) = CAST(:{name} AS bytea)"
        for name, text in headers.items()
    )
    query = (
        f"SELECT count(*)::int8 FROM {session.named(table)}{sampled} WHERE {value} IS NOT NULL"  # noqa: S608
        f" AND NOT (substring({value} FROM 1 FOR 3) = CAST(:message AS bytea) AND ({known}))"
    )
    return int(session.value(query, message=MESSAGE, **headers))
