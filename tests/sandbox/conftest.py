"""The dev stack with a few tenants, deployed once for all processes; a copy of its cloud for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cloud.store import FILE
from sandbox.providers.aws import Aws
from tests.engine.deployed import SMALL, shared
from tests.sandbox.databases import Place, placed
from tests.sandbox.live import Live, alone, cloud_of_dev, running
from tests.sandbox.world import World


@pytest.fixture(scope="session")
def dev_cloud(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cloud_of_dev(SMALL.folder(shared(tmp_path_factory)), tmp_path_factory.mktemp("cloud") / FILE)


@pytest.fixture
def live(dev_cloud: Path, tmp_path: Path) -> Iterator[Live]:
    yield from running(dev_cloud, tmp_path)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Live]:
    """Nothing of the dev stack in the way."""
    yield from alone(tmp_path)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with placed(tmp_path) as made:
        yield made


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Aws:
    """The provider of an empty account."""
    found = Aws()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SANDBOX_DIR", str(tmp_path_factory.mktemp("sandbox")))
        found.configure({"region": "eu-west-1"})
    return found
