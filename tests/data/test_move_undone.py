"""A run is killed, or a server goes away, while a cutover is being undone: the tenant writes at one side."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from functions.common.connection import BootstrapError, TenantDatabase
from functions.common.database_endpoint import MoveError
from functions.common.secret_store import Secret
from functions.tenant_data import failover
from tests.data.moving import Journey, Killed
from tests.data.server import Server, running
from tests.data.test_move_failover import MADE, WRITES, answers
from tests.waiting import wait_for

FAILED = (Killed, MoveError, BootstrapError, DatabaseError, InterfaceError, OSError)


@pytest.fixture(scope="module")
def pair() -> Iterator[dict[str, Server]]:
    """Servers that no other test uses: these stop."""
    with running() as origin, running() as target:
        yield {"origin": origin, "target": target}


@dataclass
class Undoing:
    """Cutovers that are called off at the last moment, each with a fault at one statement after that."""

    journey: Journey
    fault: Callable[[], None]
    at: int = 0  # the statement's number
    statements: int | None = None  # so far; None: it is not being undone
    written: int = 1

    def open(self, where: TenantDatabase, login: Secret) -> Connection:
        session = Journey.open(self.journey, where, login)
        run = session.run

        def counted(*arguments: Any, **values: Any) -> Any:
            self._count()
            return run(*arguments, **values)

        setattr(session, "run", counted)  # noqa: B010 - a method of somebody else's class
        return session

    def _count(self) -> None:
        if self.statements is None:
            return
        self.statements += 1
        if self.statements - 1 == self.at:
            self.fault()

    def write(self) -> None:
        self.journey.run(WRITES, at="origin")
        self.written += 1

    def go(self) -> bool:
        """Whether there was a statement of that number."""

        def step(name: str) -> None:
            if name == "copied":
                self.write()  # whatever the run before has left, this one opens it before all else
            if name == "password":
                self.statements = 0
                raise MoveError("called off")

        try:
            self.journey.go("cutover", step)
        except FAILED:
            assert self.statements is not None
        there_was, self.statements = (self.statements or 0) > self.at, None
        assert self.journey.serving == "origin"
        return there_was


@pytest.fixture
def journey(pair: dict[str, Server], tmp_path: Path) -> Journey:
    found = Journey(pair, tmp_path)
    found.run(MADE, WRITES)
    found.go("replicate")
    return found


def undoing(journey: Journey, fault: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> Undoing:
    found = Undoing(journey, fault)
    monkeypatch.setattr(journey, "open", found.open)
    return found


def ends_well(found: Undoing) -> None:
    journey = found.journey
    journey.go("cutover")
    assert journey.serving == "target"
    assert journey.run("SELECT count(*) FROM x") == [[found.written]]
    journey.go("done")
    assert [journey.left(name) for name in journey.servers] == [[], []]


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_while_it_undoes_is_undone_by_the_next(
    journey: Journey, monkeypatch: pytest.MonkeyPatch, stride: int
) -> None:
    """At every statement, or at some: the fifth of them cuts a subscription that is being dropped."""

    def kill() -> None:
        journey.die()
        raise Killed

    found = undoing(journey, kill, monkeypatch)
    while found.go():
        found.at += stride
    assert found.at > 10
    ends_well(found)


def away(journey: Journey, name: str, seconds: float = 1.0) -> Callable[[], None]:
    def fault() -> None:
        threading.Thread(target=journey.servers[name].restart, args=(seconds,)).start()
        wait_for(lambda: not answers(journey, name), "the end of the server")

    return fault


# The login is given back by the first statements; then the slots go, at the origin and at the target.
@pytest.mark.parametrize("at", [0, 2, pytest.param(1, marks=pytest.mark.slow), 4, 8])
@pytest.mark.parametrize("name", ["origin", "target"])
def test_a_server_that_goes_away_while_all_is_undone_leaves_the_origin_open(
    journey: Journey, monkeypatch: pytest.MonkeyPatch, name: str, at: int
) -> None:
    found = undoing(journey, away(journey, name), monkeypatch)
    found.at = at
    assert found.go()
    wait_for(lambda: answers(journey, name), "the server")
    found.write()
    assert [x for x in journey.left("origin") if x.endswith("_seen")] == []
    ends_well(found)


def test_a_target_that_stays_away_while_all_is_undone_keeps_nobody_from_writing(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failover, "FAILOVER", 0.5)
    target = journey.servers["target"]
    control = ("pg_ctl", "-D", str(target.directory / "data"))
    found = undoing(journey, lambda: print(target.program(*control, "stop", "-m", "immediate")), monkeypatch)
    assert found.go()
    found.write()
    target.program(*control, "start", "-w", "-l", str(target.directory / "log"))
    found.fault = lambda: None
    ends_well(found)
