"""Workspaces for the engine's tests; each test has its own, so that they run side by side."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[[str], Workspace]:
    """Make a workspace for a stack, empty."""
    return lambda stack: Workspace(tmp_path / stack, stack)


@pytest.fixture
def dev(tmp_path: Path) -> Workspace:
    """The dev stack, up."""
    made = Workspace(tmp_path, "dev")
    run = made.up()
    assert run.status == 0, run.output
    assert run.counts.keys() == {"create"}
    return made
