"""The last copy of a place that goes: statements that psql runs, compressed, under the tenant's own key."""

import gzip
import hashlib
import importlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from pg8000.native import identifier

from .catalog import Section
from .schema import Definition, definitions, sequences, tables
from .side import Side

PREFIX: Final = "moves/"  # in the tenant's bucket


class Out(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object: ...


class Objects(Protocol):
    """The bucket, as much of it as is needed."""

    def put(self, bucket: str, key: str, path: Path) -> None: ...


class Bucket:
    """The real one: the bucket encrypts with the tenant's key by itself."""

    def put(self, bucket: str, key: str, path: Path) -> None:
        # The runtime carries boto3; nothing else that imports this module does.
        importlib.import_module("boto3").client("s3").upload_file(str(path), bucket, key)


def last_dump(side: Side, objects: Objects) -> dict[str, Any]:
    """Write everything of the schema and put it away; where it is, its size and its SHA-256."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dump.sql.gz"
        with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, compresslevel=6) as file:
            write(side, file)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        key = f"{PREFIX}{side.request.tenant}-{side.name}-{moment}.sql.gz"
        objects.put(side.request.bucket, key, path)
        return {"bucket": side.request.bucket, "key": key, "bytes": path.stat().st_size, "sha256": digest}


def write(side: Side, file: Out) -> None:
    """One moment of the schema, in the order in which it can be made again."""
    side.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        found = definitions(side)
        _say(file, f"-- Data of tenant {side.request.tenant}, as it was at the {side.name} of its move.")
        _say(file, "SET check_function_bodies = off;", f"CREATE SCHEMA IF NOT EXISTS {side.schema};")
        _statements(file, [d for d in found if d.section < Section.INDEXES])
        for table in tables(side):
            columns = ", ".join(identifier(c) for c in table.columns)
            name = side.named(table.name)
            _say(file, "", f"COPY {name} ({columns}) FROM stdin;")
            side.session.run(f"COPY (SELECT {columns} FROM {name}) TO STDOUT", stream=file)  # noqa: S608
            _say(file, "\\.")
        _statements(file, [d for d in found if d.section >= Section.INDEXES])
        for name, last, called in sequences(side):
            quoted = side.named(str(name)).replace("'", "''")
            _say(file, f"SELECT setval('{quoted}', {int(last)}, {str(called).lower()});")
    finally:
        side.run("ROLLBACK")


def _statements(file: Out, found: list[Definition]) -> None:
    for one in found:
        _say(file, f"{one.sql};")


def _say(file: Out, *lines: str) -> None:
    for line in lines:
        file.write(f"{line}\n".encode())
