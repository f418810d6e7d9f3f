"""Compares the rows of both databases: each row is read in full in both, after its last change.

While the tenant writes, each table is read once, in ranges of its primary key. Meanwhile the source's log
says which rows were written, and those are looked up again, round after round. So when writes stop only the
rows of the last moment remain to be read, however large the tables are. It can stop after each range, and
another call goes on from its record.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from pg8000.exceptions import DatabaseError, InterfaceError

from functions.common.connection import server_code
from functions.common.database_endpoint import DatabaseEndpoint, MoveError
from functions.common.going_on import GoesOn
from functions.common.replication import Replication
from functions.common.schema import Table, tables
from functions.tenant_data.key_ranges import AT_ONCE, KeyRanges, Range, Sum, key_types, table_sizes
from functions.tenant_data.progress_record import ProgressRecord
from functions.tenant_data.written_rows import LONGEST, Key, WrittenRows

ROUNDS: Final = 10
CANCELED: Final = "57014"  # query_canceled: a statement that outlasted its timeout
SHORT: Final = 0.2  # seconds; a round as quick as this leaves little for the last one
LOOKS: Final = 30.0  # seconds after which the source's log is read meanwhile, which it keeps until then
KEYS: Final = 50_000  # of rows that were written, after which they are looked up before more are read
MOST: Final = 200_000  # rows of a range that are told apart; where there are more, all is read again
GIB: Final = 2**30

Late = Callable[[], None]  # raises once it is too late
Left = Callable[[], float]  # seconds


def never() -> bool:
    """No round ends before the work does."""
    return False


@dataclass
class Progress:
    """What of one table is not known to be equal."""

    ranges: KeyRanges
    bytes: int
    after: Key | None = None  # rows up to this key were compared
    whole: bool = False  # all were
    rows: int = 0  # that there were in those ranges
    unclear: bool = False  # there were more in a range than can be told apart
    keys: set[Key] = field(default_factory=set[Key])  # of rows that were not alike when they were looked at

    @property
    def table(self) -> Table:
        return self.ranges.table

    @property
    def clean(self) -> bool:
        return self.read and not self.keys

    @property
    def read(self) -> bool:
        """Whether all that is left to do is to look at some rows."""
        return self.whole and not self.unclear

    def begin(self) -> None:
        """All of it is to be read, again."""
        self.after, self.whole, self.rows, self.unclear, self.keys = None, False, 0, False, set()

    def change(self, now: "Progress") -> None:
        """The table is another one now."""
        self.ranges, self.bytes = now.ranges, now.bytes
        self.begin()


# What says that a table is still the one that it was: its file, which a change of type writes anew, its
# columns, of which one may be dropped and added again, and the types of the schema. None of that is in
# the log as rows.
DEFINED: Final = """
SELECT c.relname, c.relkind = 'c', concat_ws(' ', c.oid, c.relfilenode,
  (SELECT string_agg(concat_ws(':', a.attnum, a.xmin), ',' ORDER BY a.attnum)
   FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'c') AND n.nspname = :schema
UNION ALL
SELECT t.typname, true, string_agg(concat_ws(':', e.oid, e.xmin), ',' ORDER BY e.oid)
FROM pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = :schema GROUP BY t.typname"""


@dataclass(frozen=True, slots=True)
class Defined:
    """How tables, and the types that any of them may use, are defined at a moment."""

    tables: Mapping[str, str]
    types: Mapping[str, str]

    def changed(self, now: "Defined") -> set[str]:
        """Tables whose rows may read otherwise now, though nothing was written to them."""
        if self.types != now.types:
            return set(now.tables)
        return {name for name, state in now.tables.items() if self.tables.get(name) != state}


def defined_now(endpoint: DatabaseEndpoint) -> Defined:
    rows = [
        (str(name), bool(kind), str(state))
        for name, kind, state in endpoint.rows(DEFINED, schema=endpoint.request.schema)
    ]
    return Defined(
        {name: state for name, is_type, state in rows if not is_type},
        {name: state for name, is_type, state in rows if is_type},
    )


@dataclass
class Comparison:
    """Rows of a link's source against those of its follower, over several rounds.

    They are read as the tenant (`functions.common.tenant_session`), the source's log as the administrator.
    """

    link: Replication
    source: DatabaseEndpoint
    follower: DatabaseEndpoint
    record: ProgressRecord
    ends: Callable[[], bool] = never  # whether this call has to come to its end
    progress: dict[str, Progress] = field(default_factory=dict[str, Progress])

    def __post_init__(self) -> None:
        self.defined = defined_now(self.link.source)
        both = {t.name for t in tables(self.link.follower)}  # what is new is no question of rows
        self.progress = self._begun({t.name for t in tables(self.link.source)} & both)
        self._looked = 0.0

    @property
    def rows(self) -> int:
        """As many as there were when all of them were read."""
        return sum(p.rows for p in self.progress.values())

    def narrow(self, patience: float) -> int:
        """Rounds while the tenant writes, until they are short; how many.

        Raises `MoveError` where the follower has not caught up in `patience` seconds, and `GoesOn` where the
        call ends before all is read.
        """
        if not self._resumed():
            if self.record.resumes:
                self.record.forget()  # before there is a slot that it would be taken for the record of
            self.link.start_capture()
        for done in range(1, ROUNDS + 1):
            began = time.monotonic()
            self.look(patience)
            for one in self.progress.values():
                if one.unclear:
                    one.begin()
                if not one.whole:
                    self._read_ranges(one, lambda: self._between(patience))
            short = time.monotonic() - began < SHORT
            if short and done > 1 and all(one.read for one in self.progress.values()):
                return done
        return ROUNDS

    def save(self) -> Mapping[str, Any]:
        """What the next call goes on from."""
        return self.record.save(
            {
                "types": dict(self.defined.types),
                "tables": {name: self._plain(one) for name, one in self.progress.items()},
            }
        )

    def finish(self, late: Late, left: Left = lambda: math.inf) -> int:
        """The last round, when nobody writes and all has arrived; how many rows there are.

        Raises `MoveError` with the tables that differ, and what `late` raises once it is late. A statement
        that takes longer than the seconds that are `left` is ended: one range may take all of them.
        """
        try:
            self._in_time(late, left)
            self._note_changes()
            self._look_up_written(self.link.wait_caught_up(late), late, left)
            for one in self.progress.values():
                if not one.whole:
                    self._read_ranges(one, lambda: self._in_time(late, left))
        except DatabaseError as failure:
            if server_code(failure) == CANCELED:
                late()
            raise
        finally:
            with suppress(DatabaseError, InterfaceError, OSError):  # a session that has gone has no limit
                self._limit(math.inf)
        wrong = [
            f"{name} ({len(p.keys) or 'some'} of {p.rows} rows)"
            for name, p in self.progress.items()
            if not p.clean
        ]
        if wrong:
            raise MoveError(f"rows are not the same at both ends in {', '.join(wrong)}")
        return self.rows

    def redefined(self) -> bool:
        """Whether a table or type of the source was changed since the last round; its rows are read again."""
        return bool(self.defined.changed(defined_now(self.link.source)))

    # what another call has read

    def _resumed(self) -> bool:
        """Whether a call before this one has left a record, and the source tells what was written since.

        Where a table was changed meanwhile, `_note_changes` finds it.
        """
        known = self.record.load()
        if known is None or not self.link.captures:
            return False
        self.defined = Defined(
            {name: str(one["defined"]) for name, one in known["tables"].items()},
            {str(name): str(state) for name, state in known["types"].items()},
        )
        for name, one in self.progress.items():
            if name in known["tables"]:
                found = known["tables"][name]
                one.after = None if found["after"] is None else tuple(found["after"])
                one.whole, one.rows = bool(found["whole"]), int(found["rows"])
                one.unclear = bool(found["unclear"])
                one.keys = {tuple(key) for key in found["keys"]}
        return True

    def _plain(self, one: Progress) -> Mapping[str, Any]:
        return {
            "defined": self.defined.tables.get(one.table.name, ""),
            "after": one.after,
            "whole": one.whole,
            "rows": one.rows,
            "unclear": one.unclear,
            "keys": sorted(one.keys),
        }

    # what was written

    def look(self, patience: float) -> None:
        """Look rows up that were written, once they have arrived. They are known to the record before the
        source forgets them.
        """
        self._note_changes()
        position = self.link.wait_caught_up(self.link.until(time.monotonic() + patience))
        if self._look_up_written(position) and self.record.resumes:
            self.save()
        self.link.forget_captured(position)
        self._looked = time.monotonic()

    def _note_changes(self) -> None:
        """Tables that are other ones now are read again, as they are now."""
        before, self.defined = self.defined, defined_now(self.link.source)
        if changed := before.changed(self.defined):
            for name, now in self._begun(changed & self.progress.keys()).items():
                self.progress[name].change(now)

    def _begun(self, names: Iterable[str]) -> dict[str, Progress]:
        source, wanted = self.link.source, set(names)
        types, sizes = key_types(source), table_sizes(source)
        return {
            t.name: Progress(KeyRanges.of(t, types[t.name], sizes[t.name]), sizes[t.name])
            for t in tables(source)
            if t.name in wanted and t.key  # without a key it is refused, by name
        }

    def _look_up_written(
        self, position: str, late: Late = lambda: None, left: Left = lambda: math.inf
    ) -> bool:
        """Up to a position of the log; whether there was anything."""
        written = WrittenRows({name: p.table.key for name, p in self.progress.items()})
        count = 0
        with closing(self.link.captured(position, LONGEST)) as messages:
            for count, message in enumerate(messages, 1):
                written.take(message)
                if count % KEYS == 0:
                    late()
                    self._take(written, late, left)
        self._take(written, late, left)
        return count > 0

    def _take(self, written: WrittenRows, late: Late, left: Left) -> None:
        found = written.told()
        for name in found.whole & self.progress.keys():
            self.progress[name].begin()
        for name, one in self.progress.items():
            one.keys |= found.keys.get(name, set())
            if one.keys:
                self._in_time(late, left)
                one.keys = self._unequal(one, late)

    def _unequal(self, one: Progress, late: Late) -> set[Key]:
        """Of the rows that were not alike those that still are not; gone from both is alike."""
        keys, wrong = sorted(one.keys), set[Key]()
        for at in range(0, len(keys), AT_ONCE):
            late()
            some = keys[at : at + AT_ONCE]
            here, there = self._both(lambda end, some=some: one.ranges.look_up(end, some))
            wrong |= {k for k in some if here.get(k) != there.get(k)}
        return wrong

    # what was not read yet

    def _between(self, patience: float) -> None:
        """After a range, while the tenant writes."""
        if self.ends():
            raise GoesOn(self._come_so_far(), self.save())
        if time.monotonic() - self._looked > LOOKS:
            self.look(patience)

    def _read_ranges(self, one: Progress, between: Callable[[], None]) -> None:
        """Those that are left of a table. `between` is called after each, which is compared by then; it may
        begin the table again.
        """
        with ThreadPoolExecutor(1) as pool:
            ahead: tuple[Range, Sum] | None = None
            while not one.whole:
                at = one.after
                found, here = ahead or one.ranges.next_range(self.source, at)
                # While the follower reads a range, the source reads the next one.
                then = pool.submit(one.ranges.next_range, self.source, found.last) if found.last else None
                there = one.ranges.sum_of(self.follower, found)
                ahead = then.result() if then else None
                if here != there:
                    self._tell_apart(one, found)
                one.rows, one.after, one.whole = one.rows + here.rows, found.last, found.last is None
                between()
                ahead = ahead if one.after == found.last else None

    def _tell_apart(self, one: Progress, found: Range) -> None:
        here, there = self._both(lambda end: one.ranges.hashes_of(end, found, MOST))
        one.unclear = one.unclear or max(len(here), len(there)) == MOST
        one.keys |= {key for key in here.keys() | there.keys() if here.get(key) != there.get(key)}

    def _come_so_far(self) -> str:
        known = sum(p.bytes for p in self.progress.values() if p.whole)
        whole = sum(p.bytes for p in self.progress.values())
        return f"rows of {known / GIB:.1f} of {whole / GIB:.1f} GiB are compared"

    def _both(self, call: Callable[[DatabaseEndpoint], Any]) -> tuple[Any, Any]:
        """At both servers at once."""
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(call, self.follower)
            first = call(self.source)
            return first, second.result()

    def _in_time(self, late: Late, left: Left) -> None:
        late()
        if not math.isinf(seconds := left()):
            self._limit(seconds)

    def _limit(self, seconds: float) -> None:
        """Of the next statements."""
        limit = 0 if math.isinf(seconds) else max(1, int(seconds * 1000) + 10)  # ms; 0: none
        for endpoint in (self.source, self.follower, self.link.source):
            endpoint.run(f"SET statement_timeout = {limit}")
