"""Columns whose values a service encrypts under the tenant's key, and how many values are not.

A value is looked at from outside: a message of the AWS Encryption SDK begins with its version, its algorithm,
its encryption context and the wrapped data key with the ARN of the KMS key, and says how long its parts are
(AWS Encryption SDK developer guide, "message format reference", version 2, 2026-11). The contract with the
services is `docs/field-encryption.md`.
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
# Whether `value` is a whole message under one of the `known` headers, to the byte: the wrapped key; that the
# content is framed, and how long a frame is; key commitment and tag of the header; frames, each with its
# number, an IV of 12 bytes and a tag of 16; a last one, which says how much of it there is; and no more.
# Nothing in here fails, whatever the bytes are: PostgreSQL takes what is not there for empty.
_IS_MESSAGE: Final = """
substring({value} FROM 1 FOR 3) = CAST(:message AS bytea) AND EXISTS (
    SELECT FROM (VALUES {headers}) AS known (header),
    LATERAL (SELECT 35 + octet_length(header) AS at) AS key_begins,
    LATERAL (SELECT {key_length} AS wrapped) AS key_of,
    LATERAL (SELECT {frame_length} AS frame, at + 2 + wrapped + 1 + 4 + 32 + 16 AS ends) AS header_of,
    LATERAL (SELECT octet_length({value}) - ends - 40 AS body) AS content,
    LATERAL (SELECT body / (frame + 32) AS frames, body % (frame + 32) AS rest) AS counted,
    LATERAL (SELECT (ends + frames * (frame + 32))::int4 AS last) AS final
    WHERE substring({value} FROM 36 FOR octet_length(header)) = header
    AND wrapped > 0 AND substring({value} FROM at + 3 + wrapped FOR 1) = '\\x02'
    AND frame > 0 AND rest BETWEEN 0 AND frame
    AND (frames = 0 OR substring({value} FROM ends + 1 FOR 4) = '\\x00000001')
    AND substring({value} FROM last + 1 FOR 8) = '\\xffffffff' || int4send((frames + 1)::int4)
    AND substring({value} FROM last + 21 FOR 4) = int4send(rest::int4))"""
_NUMBER: Final = "('x' || lpad(encode(substring({value} FROM {at} FOR {bytes}), 'hex'), 8, '0'))::bit(32)"
NOT_PROTECTED: Final = "values are not encrypted under the tenant's key"
COLUMN: Final = """
SELECT c.relkind IN ('r', 'p'), a.atttypid = 'pg_catalog.bytea'::pg_catalog.regtype
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND a.attname = :column
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


@dataclass(frozen=True, slots=True)
class Judgement:
    """A condition in SQL that a value is a message under one of the tenant's keys, and its parameters."""

    is_message: str
    parameters: Mapping[str, bytes]


def judgement(tenant: str, keys: Sequence[str], value: str) -> Judgement:
    """`value` is the value in SQL: bytea, and not NULL."""
    headers = {f"header{i}": header(tenant, key) for i, key in enumerate(keys)}
    condition = _IS_MESSAGE.format(
        value=value,
        headers=", ".join(f"(CAST(:{name} AS bytea))" for name in headers),
        key_length=_NUMBER.format(value=value, at="at + 1", bytes=2) + "::int4",
        frame_length=_NUMBER.format(value=value, at="at + 4 + wrapped", bytes=4) + "::int8",
    )
    return Judgement(condition, {"message": MESSAGE, **headers})


def unprotected(session: DatabaseEndpoint, protected: ProtectedColumns) -> list[str]:
    """A sentence for each column with values that are not encrypted under one of the tenant's keys.

    `session` is one of the tenant's (`functions.common.tenant_session`): what lies in the way of a table may
    be the tenant's code. Every row is read.
    """
    found: list[str] = []
    for named in protected.columns:
        table, column = split(named)
        if wrong := wrong_with(session, table, column):
            found.append(f"{named}: {wrong}")
        elif count := _count(session, protected, table, column):
            found.append(f"{named}: {count} {NOT_PROTECTED}")
    return found


def split(named: str) -> tuple[str, str]:
    """Table and column."""
    table, _, column = named.partition(".")
    return table, column


def wrong_with(session: DatabaseEndpoint, table: str, column: str) -> str:
    """Why a column cannot have protected values at all; "" where it can."""
    rows = session.rows(COLUMN, schema=session.request.schema, table=table, column=column)
    if not rows:
        return "there is no such column"
    ((is_table, is_bytes),) = rows
    if not is_table:
        return "it is no table's; name the column of the table where its values stand"
    return "" if is_bytes else "its type is not bytea"


def _count(session: DatabaseEndpoint, protected: ProtectedColumns, table: str, column: str) -> int:
    """Partitions and other children are read through their parent."""
    value = identifier(column)
    judged = judgement(session.request.tenant, protected.keys, value)
    query = (
        f"SELECT count(*)::int8 FROM {session.named(table)} WHERE {value} IS NOT NULL"  # noqa: S608
        f" AND NOT ({judged.is_message})"
    )
    return int(session.value(query, **judged.parameters))
