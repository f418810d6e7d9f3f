"""Hypothesis profiles: `dev` for people, `ci` for the gate (more examples, the same each time)."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.checkout import write_checkout

settings.register_profile("dev", max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product with the registries of `tests/project/`, for tests that run commands in it; read-only."""
    return write_checkout(tmp_path_factory.mktemp("checkout"))
