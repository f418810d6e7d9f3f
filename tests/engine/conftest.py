"""Workspaces for the engine's tests; each test has its own, so that they run side by side."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.engine.invariants import assert_invariants
from tests.engine.live import Live
from tests.engine.workspace import Workspace


def pytest_runtest_setup(item: pytest.Item) -> None:
    Workspace.made.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """After every test of the engine that went well, the invariants hold in all of its workspaces."""
    yield
    for space in Workspace.made:
        assert_invariants(space)


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[[str], Workspace]:
    """Make a workspace for a stack, empty."""
    return lambda stack: Workspace(tmp_path / stack, stack)


@pytest.fixture
def live(tmp_path: Path) -> Generator[Live]:
    """The dev stack with databases that run; not up yet."""
    space = Live(tmp_path)
    try:
        yield space
    finally:
        space.service.remove_servers()


@pytest.fixture
def dev(tmp_path: Path) -> Workspace:
    """The dev stack, up."""
    made = Workspace(tmp_path, "dev")
    run = made.up()
    assert run.status == 0, run.output
    assert run.counts.keys() == {"create"}
    return made
