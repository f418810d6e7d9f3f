"""Workspaces for the engine's tests; each test has its own, so that they run side by side."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.engine.deployed import LIVE, SMALL, WHOLE, Copies, Deployed, copy, shared
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


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    """Copy a deployed stack to a folder. It is deployed once, whatever number of processes run the tests."""

    def make(deployed: Deployed, home: Path) -> Path:
        copy(deployed.folder(shared(tmp_path_factory)), home)
        return home

    return make


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[[str], Workspace]:
    """Make a workspace for a stack, empty."""
    return lambda stack: Workspace(tmp_path / stack, stack)


@pytest.fixture
def dev(tmp_path: Path, copied: Copies) -> Workspace:
    """The dev stack with a few tenants, up."""
    return Workspace(copied(SMALL, tmp_path / "dev"), "dev")


@pytest.fixture
def whole(tmp_path: Path, copied: Copies) -> Workspace:
    """The dev stack with all its tenants, up."""
    return Workspace(copied(WHOLE, tmp_path / "dev"), "dev")


@pytest.fixture
def live(tmp_path: Path, copied: Copies) -> Generator[Live]:
    """The dev stack with a few tenants, up, with databases that run."""
    space = Live(copied(LIVE, tmp_path / "dev"))
    try:
        space.start()
        yield space
    finally:
        space.service.remove_servers()
