"""Somebody who keeps writing, and remembers what was acknowledged."""

import random
import threading
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from tests.data.moving import Journey
from tests.rows import rows_of

LEDGER = "CREATE TABLE ledger (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, said text NOT NULL)"
REFUSED = (DatabaseError, InterfaceError, OSError)


class WritingTenant(Protocol):
    """As much of a tenant as its writer needs."""

    def session(self) -> AbstractContextManager[Connection]: ...


@dataclass
class Writer:
    """Inserts, updates and deletes rows of `ledger` as the tenant, wherever its secret leads.

    `rows` is what the tenant was told that it has. Of what was asked and never answered either outcome is
    right: `maybe` has the values that a row may also have, None for gone.
    """

    tenant: WritingTenant
    seed: int = 0
    rows: dict[int, str] = field(default_factory=dict)
    maybe: dict[int, set[str | None]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)  # inserts that were never answered
    written: int = 0
    pauses: list[float] = field(default_factory=list)  # seconds between one write and the next
    wrong: BaseException | None = None

    def __enter__(self) -> Self:
        self._random, self._stop = random.Random(self.seed), threading.Event()  # noqa: S311
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        last = time.monotonic()
        while not self._stop.is_set():
            with suppress(*REFUSED), self.tenant.session() as connection:
                while not self._stop.is_set():
                    self._write(connection)
                    now = time.monotonic()
                    self.pauses.append(now - last)
                    self.written, last = self.written + 1, now
            time.sleep(0.002)

    def _write(self, connection: Connection) -> None:
        text = f"{self.written}-{self._random.random()}"
        known = sorted(self.rows.keys() - self.maybe.keys())
        what = self._random.random()
        if what < 0.6 or not known:
            self.made.add(text)
            insert = "INSERT INTO ledger (said) VALUES (:said) RETURNING id"
            ((number,),) = rows_of(connection, insert, said=text)
            self.made.discard(text)
            assert number not in self.rows, "a number is given twice"
            self.rows[number] = text
        else:
            number = self._random.choice(known)
            after = text if what < 0.9 else None
            self.maybe[number] = {after, self.rows[number]}
            if after:
                connection.run("UPDATE ledger SET said = :said WHERE id = :id", said=after, id=number)
            else:
                connection.run("DELETE FROM ledger WHERE id = :id", id=number)
            del self.maybe[number]
            if after:
                self.rows[number] = after
            else:
                del self.rows[number]

    def check(self, found: Any) -> None:
        """Nothing that was acknowledged is lost or doubled, and nothing is there that nobody wrote."""
        have = {int(n): str(text) for n, text in found}
        assert len(have) == len(found)
        for number, text in self.rows.items():
            may = self.maybe.get(number, {text})
            assert have.pop(number, None) in may, f"row {number}: {text}"
        assert set(have.values()) <= self.made


@dataclass
class Neighbour:
    """Another tenant at the origin, who must notice nothing."""

    journey: Journey
    failures: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)  # seconds for one write

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        origin = self.journey.servers["origin"]
        table = f"neighbour_{self.journey.number}"
        origin.superuser(f"CREATE TABLE {table} (n int)", database=self.journey.database)
        self._insert = f"INSERT INTO {table} VALUES (1)"
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        origin = self.journey.servers["origin"]
        try:
            connection = origin.connect("rdsadmin", database=self.journey.database)
            while not self._stop.is_set():
                began = time.monotonic()
                connection.run(self._insert)
                self.waits.append(time.monotonic() - began)
                time.sleep(0.001)
            connection.close()
        except REFUSED as wrong:
            self.failures.append(str(wrong))
