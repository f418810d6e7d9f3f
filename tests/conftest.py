"""Hypothesis profiles: `dev` for people, `ci` for the gate (more examples, the same each time), `random` for
`make test-random`, which a seed alone plays again."""

import gc
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.checkout import write_checkout
from tests.distribution import distribute
from tests.team_files import guarded, refuse_team_files

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
    """Two more than there are cores: tests with an engine or databases wait a quarter of the time."""
    return (os.cpu_count() or 1) + 2


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product with the registries of `tests/project/`, for tests that run commands in it; read-only."""
    return write_checkout(tmp_path_factory.mktemp("checkout"))


# A test of the engine starts dozens of processes that import the checkout: none compiles it again, whatever
# the caller's environment says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# What a test opens, and what each process opens that a test starts.
sys.addaudithook(refuse_team_files)
os.environ.update(guarded(os.environ))
# A person's `aws` would ask a real account, or wait ten seconds for one that is not there.
os.environ["PATH"] = os.pathsep.join([str(Path(__file__).parent / "guard" / "bin"), os.environ["PATH"]])


# What was collected, for tests that look for what is passed over: file and name of each test, and whether it
# is slow.
COLLECTED = pytest.StashKey[frozenset[tuple[str, str, bool]]]()
NODE_IDS = pytest.StashKey[frozenset[str]]()  # and each test with its case, as pytest shows it


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
    config.stash[NODE_IDS] = frozenset(item.nodeid for item in items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Give each process its share of long tests; then let the garbage collector look no more at what stays.

    Modules and collected tests are a heap that it would go through again and again.
    """
    processes = int(getattr(session.config, "workerinput", {}).get("workercount", 1))
    if processes > 1:
        session.items[:] = distribute(session.items, lambda item: item.nodeid.split("::", 1)[0], processes)
    gc.collect()
    gc.freeze()
