"""Dumps a tenant's schema: statements for psql, compressed, under the tenant's own key."""

import gzip
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedWriter, RawIOBase
from pathlib import Path
from typing import Final, Protocol, cast

from pg8000.native import identifier

from functions.common.aws_client import aws_client
from functions.common.catalog import Section
from functions.common.database_endpoint import DatabaseEndpoint
from functions.common.schema import Definition, Table, definitions, sequences, tables

PREFIX: Final = "moves/"  # in the tenant's bucket
# Of gzip, which everything reads: less than half the time of its usual 6, for 13 % more bytes (ADR 34).
LEVEL: Final = 1
BUFFER: Final = 1 << 17  # bytes
FORMAT: Final = "-- tenantry dump 1"  # a dump's first line; its marker follows


class Out(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object: ...


class Objects(Protocol):
    """The bucket, as much of it as is needed."""

    def put(self, bucket: str, key: str, path: Path) -> None: ...

    def put_bytes(self, bucket: str, key: str, content: bytes) -> None: ...

    def get(self, bucket: str, key: str) -> bytes | None:
        """None where there is no such object."""
        ...

    def remove(self, bucket: str, key: str) -> None:
        """One that is not there is no mistake."""
        ...


class Bucket:
    """The real one: the bucket encrypts with the tenant's key by itself."""

    def put(self, bucket: str, key: str, path: Path) -> None:
        aws_client("s3").upload_file(str(path), bucket, key)

    def put_bytes(self, bucket: str, key: str, content: bytes) -> None:
        aws_client("s3").put_object(Bucket=bucket, Key=key, Body=content)

    def get(self, bucket: str, key: str) -> bytes | None:
        if not self._is_there(bucket, key):
            return None
        return bytes(aws_client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def remove(self, bucket: str, key: str) -> None:
        if self._is_there(bucket, key):  # else a bucket with versions would remember that it is not
            aws_client("s3").delete_object(Bucket=bucket, Key=key)

    def _is_there(self, bucket: str, key: str) -> bool:
        """Asked for as a list: to GetObject, a role that may list some names alone gets no clear answer."""
        found = aws_client("s3").list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
        return any(one["Key"] == key for one in found.get("Contents", ()))


@contextmanager
def compressed(path: Path) -> Generator[Out]:
    with (
        path.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, compresslevel=LEVEL) as file,
        BufferedWriter(cast("RawIOBase", file), BUFFER) as buffer,  # rows come one by one
    ):
        yield buffer


@contextmanager
def one_moment(endpoint: DatabaseEndpoint) -> Generator[None]:
    """All that is read until the end is of one moment."""
    endpoint.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        yield
    finally:
        endpoint.run("ROLLBACK")


def write(endpoint: DatabaseEndpoint, file: Out, when: str, order: Sequence[Definition] = ()) -> None:
    """The schema, in the order in which it can be made again: `order`, where that was found out.

    psql runs it as it stands. A program tells its pieces apart by the lines between them, which begin with
    a word that is drawn anew for each dump, so that nothing in a tenant's schema can be taken for one.
    """
    text, found = DumpText(file, new_marker()), order or definitions(endpoint)
    text.before_rows(endpoint, when, found)
    for table in tables(endpoint):
        text.rows(endpoint, table)
    text.after_rows(endpoint, found)


def new_marker() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class DumpText:
    """What a dump is made of, in the order of its methods; `tenant_leaving.dump_reader` reads it."""

    file: Out
    marker: str

    def before_rows(self, endpoint: DatabaseEndpoint, when: str, found: Sequence[Definition]) -> None:
        about = f"Data of tenant {endpoint.request.tenant}, as it was {when}."
        self._say(f"{FORMAT} {self.marker}", f"-- {about}")
        self._statement("SET client_encoding = 'UTF8'")
        self._statement("SET check_function_bodies = off")
        self._statement(f"CREATE SCHEMA IF NOT EXISTS {endpoint.schema}")
        # Functions of indexes and checks run while rows come, and may name others as their tenant does.
        self._statement(f"SET search_path = {endpoint.schema}")
        for one in found:
            if one.section < Section.INDEXES:
                self._statement(one.sql)

    def rows(self, endpoint: DatabaseEndpoint, table: Table, which: str = "") -> None:
        """Of a table; `which` of them is a condition, as SQL."""
        if not table.columns:
            return
        columns, name = ", ".join(identifier(c) for c in table.columns), endpoint.named(table.name)
        sql = f"COPY {name} ({columns}) FROM stdin;"
        lines = sql.count("\n") + 1  # a name may hold some
        self._say(f"-- {self.marker} rows {lines}", sql)
        rows = f"COPY (SELECT {columns} FROM {name}{which}) TO STDOUT"  # noqa: S608
        endpoint.session.run(rows, stream=self.file)
        self._say("\\.")

    def after_rows(self, endpoint: DatabaseEndpoint, found: Sequence[Definition]) -> None:
        for one in found:
            if one.section >= Section.INDEXES:
                self._statement(one.sql)
        for name, last, called in sequences(endpoint):
            quoted = endpoint.named(str(name)).replace("'", "''")
            self._statement(f"SELECT setval('{quoted}', {int(last)}, {str(called).lower()})")
        self._say(f"-- {self.marker} end")

    def _statement(self, sql: str) -> None:
        self._say(f"-- {self.marker} statement", f"{sql};")

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.file.write(f"{line}\n".encode())
