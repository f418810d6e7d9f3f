"""One server for all tests of a process, one shard with fresh tenants for each test."""

import itertools
from collections.abc import Iterator

import pytest

from functions.tenant_data import cutover
from tests.data.moving import BudgetClock
from tests.data.server import Server, running
from tests.data.shard import Shard

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def other() -> Iterator[Server]:
    """A second one, for tenants that move."""
    with running() as found:
        yield found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> BudgetClock:
    found = BudgetClock()
    monkeypatch.setattr(cutover, "time", found)
    return found


@pytest.fixture
def empty(server: Server) -> Shard:
    """Nobody is placed yet."""
    return Shard(server, next(_numbers))


@pytest.fixture
def shard(empty: Shard) -> Shard:
    return empty.opened()


@pytest.fixture(scope="session")
def steady(server: Server) -> Shard:
    """For attacks that change nothing where they are refused."""
    return Shard(server, next(_numbers)).opened()


@pytest.fixture(scope="session")
def beside() -> Iterator[Server]:
    """A shard as it was. Each restore shuts all tenants out of it, so no other test may use it."""
    with running() as found:
        yield found
