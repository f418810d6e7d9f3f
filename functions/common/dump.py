"""Dumps a tenant's schema: statements for psql, compressed, under the tenant's own key."""

import gzip
import hashlib
import secrets
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from pg8000.native import identifier

from functions.common.aws_client import aws_client
from functions.common.catalog import Section
from functions.common.database_endpoint import DatabaseEndpoint
from functions.common.schema import Definition, Table, definitions, sequences, tables

PREFIX: Final = "moves/"  # in the tenant's bucket
FORMAT: Final = "-- tenantry dump 1"  # a dump's first line; its marker follows


class Out(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object: ...


class Objects(Protocol):
    """The bucket, as much of it as is needed."""

    def put(self, bucket: str, key: str, path: Path) -> None: ...


class Bucket:
    """The real one: the bucket encrypts with the tenant's key by itself."""

    def put(self, bucket: str, key: str, path: Path) -> None:
        aws_client("s3").upload_file(str(path), bucket, key)


def last_dump(endpoint: DatabaseEndpoint, objects: Objects) -> dict[str, Any]:
    """Write everything of the schema and put it away; where it is, its size and its SHA-256."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dump.sql.gz"
        with compressed(path) as file, one_moment(endpoint):
            write(endpoint, file, f"at the {endpoint.name} of its move")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        key = f"{PREFIX}{endpoint.request.tenant}-{endpoint.name}-{moment}.sql.gz"
        objects.put(endpoint.request.bucket, key, path)
        return {"bucket": endpoint.request.bucket, "key": key, "bytes": path.stat().st_size, "sha256": digest}


@contextmanager
def compressed(path: Path) -> Generator[Out]:
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, compresslevel=6) as file:
        yield file


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
    pieces = _Pieces(file, secrets.token_hex(16))
    pieces.begin(f"Data of tenant {endpoint.request.tenant}, as it was {when}.")
    found = order or definitions(endpoint)
    pieces.statement("SET client_encoding = 'UTF8'")
    pieces.statement("SET check_function_bodies = off")
    pieces.statement(f"CREATE SCHEMA IF NOT EXISTS {endpoint.schema}")
    # Functions of indexes and checks run while rows come, and may name others as their tenant does.
    pieces.statement(f"SET search_path = {endpoint.schema}")
    for one in found:
        if one.section < Section.INDEXES:
            pieces.statement(one.sql)
    for table in tables(endpoint):
        if table.columns:
            pieces.rows(endpoint, table)
    for one in found:
        if one.section >= Section.INDEXES:
            pieces.statement(one.sql)
    for name, last, called in sequences(endpoint):
        quoted = endpoint.named(str(name)).replace("'", "''")
        pieces.statement(f"SELECT setval('{quoted}', {int(last)}, {str(called).lower()})")
    pieces.end()


@dataclass(frozen=True, slots=True)
class _Pieces:
    """What a dump is made of; `tenant_leaving.dump_reader` reads it."""

    file: Out
    marker: str

    def begin(self, about: str) -> None:
        self._say(f"{FORMAT} {self.marker}", f"-- {about}")

    def statement(self, sql: str) -> None:
        self._say(f"-- {self.marker} statement", f"{sql};")

    def rows(self, endpoint: DatabaseEndpoint, table: Table) -> None:
        columns, name = ", ".join(identifier(c) for c in table.columns), endpoint.named(table.name)
        sql = f"COPY {name} ({columns}) FROM stdin;"
        lines = sql.count("\n") + 1  # a name may hold some
        self._say(f"-- {self.marker} rows {lines}", sql)
        endpoint.session.run(f"COPY (SELECT {columns} FROM {name}) TO STDOUT", stream=self.file)  # noqa: S608
        self._say("\\.")

    def end(self) -> None:
        self._say(f"-- {self.marker} end")

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.file.write(f"{line}\n".encode())
