"""Reads a dump in pieces, so that it never has to fit into memory."""

import gzip
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final, cast

from functions.common.dump import FORMAT
from functions.tenant_leaving.tools import OffboardingError, Source

BLOCK: Final = 1 << 16  # bytes of rows that are sent at once
LAST: Final = b"\\.\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """A statement; one that takes rows has them, and they must be taken before the next piece."""

    sql: str
    rows: Iterator[bytes] | None = None


@contextmanager
def opened(source: Source) -> Generator[Iterator[Piece]]:
    """The pieces of a compressed dump; whatever is wrong with its bytes is one sentence."""
    try:
        with gzip.GzipFile(fileobj=cast("IO[bytes]", source), mode="rb") as file:
            yield pieces(file)
    except (gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError) as failure:
        raise OffboardingError(f"the dump that was handed over cannot be read: {failure}") from None


def pieces(file: gzip.GzipFile) -> Iterator[Piece]:
    first = file.readline().decode().rstrip("\n")
    if not first.startswith(f"{FORMAT} "):
        raise OffboardingError("what was handed over is not a dump of this program's")
    mark = f"-- {first.rpartition(' ')[2]} ".encode()
    line = file.readline()
    while not line.startswith(mark):
        line = _next(file)
    while (kind := line.removeprefix(mark).split()) != [b"end"]:
        if kind[0] == b"rows":
            sql = b"".join(_next(file) for _ in range(int(kind[1])))
            yield Piece(sql.decode(), _rows(file))
            line = _next(file)
        else:
            lines: list[bytes] = []
            while not (line := _next(file)).startswith(mark):
                lines.append(line)
            yield Piece(b"".join(lines).decode())
        if not line.startswith(mark):
            raise OffboardingError(
                "the dump that was handed over is not whole: rows end where they should not"
            )


def _rows(file: gzip.GzipFile) -> Generator[bytes]:
    block: list[bytes] = []
    size = 0
    while (line := _next(file)) != LAST:
        block.append(line)
        size += len(line)
        if size > BLOCK:
            yield b"".join(block)
            block, size = [], 0
    yield b"".join(block)


def _next(file: gzip.GzipFile) -> bytes:
    line = file.readline()
    if not line:
        raise OffboardingError("the dump that was handed over is not whole: its end is missing")
    return line


def restore(session: Any, found: Iterator[Piece]) -> None:
    """Make it all, one statement after the other, as psql would."""
    for piece in found:
        if piece.rows is None:
            session.run(piece.sql)
        else:
            session.run(piece.sql, stream=piece.rows)
