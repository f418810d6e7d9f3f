"""The last dump of a place that a tenant has left: in parts, each short enough to be done in one go.

Nobody writes there any more, so parts that were read at different times are of one moment, a table may be
cut where its blocks end, and several sessions read at once. All parts together, in the order of their names,
are one file for psql. Which are done is in the record, and another call goes on behind them.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from functions.common.database_endpoint import DatabaseEndpoint
from functions.common.dump import PREFIX, DumpText, Objects, compressed, new_marker
from functions.common.going_on import GoesOn
from functions.common.schema import Table, definitions, tables
from functions.tenant_data.progress_record import ProgressRecord

PART: Final = 128 * 2**20  # bytes of rows, about; before they are compressed
AT_ONCE: Final = 2  # parts: the function has little more than half a processor, a server more
FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
GIB: Final = 2**30
BLOCKS: Final = """
SELECT c.relname, pg_catalog.pg_table_size(c.oid),
  pg_catalog.pg_relation_size(c.oid) / CAST(current_setting('block_size') AS int8)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = :schema ORDER BY c.relname"""


@dataclass(frozen=True, slots=True)
class Rows:
    """Those of a table, from one block up to another; None: to the last one."""

    table: str
    first: int = 0
    end: int | None = None

    @classmethod
    def known(cls, table: str, first: int, end: int | None) -> "Rows":
        """As a record has it, which the tenant may have written to."""
        return cls(table, int(first), None if end is None else int(end))

    @property
    def condition(self) -> str:
        said = [f"ctid >= '({self.first},0)'"] if self.first else []
        said += [f"ctid < '({self.end},0)'"] if self.end is not None else []
        return f" WHERE {' AND '.join(said)}" if said else ""


Part = Sequence[Rows]  # the first and the last one hold definitions too


def parts_of(sizes: Sequence[tuple[str, int, int]]) -> list[Part]:
    """Of tables with their bytes and blocks: small ones together, large ones cut."""
    found: list[list[Rows]] = [[]]
    room = PART
    for table, size, blocks in sizes:
        cuts = max(1, min(blocks, -(-size // PART)))
        borders: list[int | None] = [*(blocks * cut // cuts for cut in range(cuts)), None]
        for first, end in pairwise(borders):
            if size // cuts > room and found[-1]:
                found.append([])
                room = PART
            found[-1].append(Rows(table, first or 0, end))
            room -= size // cuts
    return list(found)


@dataclass(frozen=True, slots=True)
class Written:
    """A part that is in the bucket."""

    key: str
    bytes: int
    sha256: str


@dataclass
class LastDump:
    """One place; `sessions` are the tenant's, each for one part at a time."""

    place: DatabaseEndpoint
    objects: Objects
    record: ProgressRecord
    ends: Callable[[], bool]
    folder: str = ""
    marker: str = ""
    parts: Sequence[Part] = ()
    written: int = 0

    def write(self, sessions: Sequence[DatabaseEndpoint]) -> Mapping[str, Any]:
        """Where it is, its size and its SHA-256. Raises `GoesOn` where this call ends before."""
        done = self._resumed()
        before = len(done)
        free = SimpleQueue[DatabaseEndpoint]()
        for session in sessions:
            free.put(session)
        with ThreadPoolExecutor(len(sessions)) as pool:
            while len(done) < len(self.parts):
                if len(done) > before and self.ends():
                    raise GoesOn(f"{len(done)} of {len(self.parts)} parts are dumped", self._save(done))
                at = range(len(done), min(len(done) + len(sessions), len(self.parts)))
                done += pool.map(partial(self._part, free), at)
        return self._manifest(done)

    def _resumed(self) -> list[Written]:
        """What calls before this one have written; where nothing is known, the parts are told anew."""
        known = self.record.load()
        if known:
            self.folder, self.marker = known["folder"], known["marker"]
            self.parts = [[Rows.known(*rows) for rows in part] for part in known["parts"]]
            return [Written(**one) for one in known["written"]]
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self.folder = f"{PREFIX}{self.place.request.tenant}-{self.place.name}-{moment}/"
        self.marker = new_marker()
        found = self.place.rows(BLOCKS, schema=self.place.request.schema)
        self.parts = parts_of([(str(name), int(size), int(blocks)) for name, size, blocks in found])
        return []

    def _save(self, done: Sequence[Written]) -> Mapping[str, Any]:
        return self.record.save(
            {
                "folder": self.folder,
                "marker": self.marker,
                "parts": [[(r.table, r.first, r.end) for r in part] for part in self.parts],
                "written": [asdict(one) for one in done],
            }
        )

    def _part(self, free: "SimpleQueue[DatabaseEndpoint]", number: int) -> Written:
        session = free.get()
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "part.sql.gz"
                with compressed(path) as file:
                    self._text(number, session, DumpText(file, self.marker))
                return self._put(path, f"{self.folder}{number:06}.sql.gz")
        finally:
            free.put(session)

    def _text(self, number: int, session: DatabaseEndpoint, text: DumpText) -> None:
        first, last = number == 0, number == len(self.parts) - 1
        found = definitions(session) if first or last else ()
        if first:
            text.before_rows(session, f"at the {self.place.name} of its move", found)
        known = {t.name: t for t in self._tables(session, number)}
        for rows in self.parts[number]:
            text.rows(session, known[rows.table], rows.condition)
        if last:
            text.after_rows(session, found)

    def _tables(self, session: DatabaseEndpoint, number: int) -> Iterator[Table]:
        wanted = {rows.table for rows in self.parts[number]}
        return (t for t in tables(session) if t.name in wanted)

    def _put(self, path: Path, key: str) -> Written:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        self.objects.put(self.place.request.bucket, key, path)
        return Written(key, size, digest)

    def _manifest(self, done: Sequence[Written]) -> Mapping[str, Any]:
        """`sha256` is the manifest's, which has those of all parts."""
        bucket, key = self.place.request.bucket, f"{self.folder}{MANIFEST}"
        content = json.dumps({"format": FORMAT, "parts": [asdict(one) for one in done]}).encode()
        self.objects.put_bytes(bucket, key, content)
        self.record.forget()
        return {
            "bucket": bucket,
            "key": key,
            "parts": len(done),
            "bytes": sum(one.bytes for one in done),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
