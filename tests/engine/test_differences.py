"""Nothing differs for ever: a stack that is up stays as it is, whether its state was read anew or not."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.deployed import ORG, PROD, Copies
from tests.engine.workspace import Workspace


def assert_nothing_differs(space: Workspace) -> None:
    """A run has nothing to do, nor has one after a refresh, which takes AWS's answers for the state."""
    second, refreshed, third = space.up(), space.refresh(), space.up()
    assert (second.status, second.changes) == (0, ()), second.output
    assert refreshed.status == 0, refreshed.output
    assert (third.status, third.changes) == (0, ()), third.output


@pytest.mark.slow
def test_nothing_of_dev_differs(whole: Workspace) -> None:
    assert_nothing_differs(whole)


@pytest.mark.slow
def test_nothing_of_the_organization_differs(tmp_path: Path, copied: Copies) -> None:
    assert_nothing_differs(Workspace(copied(ORG, tmp_path / "org"), "org"))


@pytest.mark.slow
def test_nothing_of_prod_differs(tmp_path: Path, copied: Copies) -> None:
    assert_nothing_differs(Workspace(copied(PROD, tmp_path / "prod"), "prod"))


@pytest.mark.slow
def test_nothing_differs_after_a_copy_of_the_state_was_brought_back(dev: Workspace) -> None:
    """It knows nothing of what was read since it was made."""
    recovery(dev, "save")
    (copy,) = (Path(dev.env["TENANTRY_COPIES_DIR"]) / "dev").glob("*-save.json")
    assert dev.refresh().status == 0
    recovery(dev, "restore", "--copy", copy.name)
    assert_nothing_differs(dev)


def recovery(space: Workspace, command: str, *options: str) -> None:
    words = [sys.executable, "-m", "recovery", command, space.stack, *options]
    subprocess.run(words, cwd=space.project, env=space.env, capture_output=True, check=True)
