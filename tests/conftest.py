"""Hypothesis profiles: `dev` for people, `ci` for the gate (more examples, the same each time), `random` for
`make test-random`, which a seed alone plays again."""

import gc
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.cells import ROOT
from tests.checkout import is_the_teams, write_checkout

settings.register_profile("dev", max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "random", max_examples=30, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
# For tests/mutation, which runs each property some hundred times: few examples, the same each time.
settings.register_profile("mutation", max_examples=10, deadline=None, derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.hookimpl(optionalhook=True)  # where xdist is switched off nobody asks
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: tests with an engine or databases wait a quarter of the time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product with the registries of `tests/project/`, for tests that run commands in it; read-only."""
    return write_checkout(tmp_path_factory.mktemp("checkout"))


CHECKOUT = ROOT.resolve()


def refuse_team_files(event: str, arguments: tuple[object, ...]) -> None:
    """Keep tests from files that a team edits as it likes: what reads one would be green today only."""
    if event != "open" or not isinstance(arguments[0], str | bytes):
        return
    opened = os.fsdecode(arguments[0])
    if not opened.endswith((".yaml", ".json")):  # as the team's do: no other file is worth the time
        return
    path = Path(opened).resolve()
    if path.is_relative_to(CHECKOUT) and is_the_teams(name := path.relative_to(CHECKOUT).as_posix()):
        raise PermissionError(f"tests read no file of the team's: {name}; take that of tests/project")


sys.addaudithook(refuse_team_files)


# What was collected, for tests that look for what is passed over: file and name of each test, and whether it
# is slow.
COLLECTED = pytest.StashKey[frozenset[tuple[str, str, bool]]]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Remember what was collected, before `-m` or `-k` leaves any of it out."""
    config.stash[COLLECTED] = frozenset(
        (
            item.nodeid.split("::", 1)[0],
            getattr(item, "originalname", item.name),
            item.get_closest_marker("slow") is not None,
        )
        for item in items
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the garbage collector look no more at what stays till the end: modules, and the collected tests.

    The harness collects before each run of a program, which took 0.4 s of CPU with that heap in its way.
    """
    gc.collect()
    gc.freeze()
