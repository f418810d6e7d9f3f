"""Projects that several modules begin with."""

from pathlib import Path

import pytest

from tenants import open_registry
from tests.registry.project import project


@pytest.fixture
def at_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose tenants are at rest, and a PATH without an engine."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = project(tmp_path / "project")
    open_registry("dev", root=found, locked=False)
    return found
