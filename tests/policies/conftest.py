"""Where commands that tests call in their own process find stacks and code."""

from pathlib import Path

import pytest


@pytest.fixture
def judged_in_checkout(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, registries and code that a judgement names are those of the tests' checkout."""
    monkeypatch.setattr("policies.settings.ROOT", checkout)
    monkeypatch.setattr("policies.evidence.ROOT", checkout)
