"""Every function in the network answers the daily call at once, and nothing else in its place."""

import importlib
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from components.common.function_code import FUNCTIONS
from functions.common.keep_active import KEEP_ACTIVE, answers_keep_active

FOLDERS = sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_answers_at_once_whatever_is_there(
    folder: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without its environment, credentials, a context or a Region, none of which it needs for this."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "MACHINE", "WORKER", "OPERATIONS", "CATALOG_PATH"):
        monkeypatch.delenv(name, raising=False)
    handle = importlib.import_module(f"functions.{folder}.handler").handle
    with caplog.at_level(logging.DEBUG):
        assert handle({"keepActive": True}, None) == KEEP_ACTIVE
    assert caplog.records == []


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"keepActive": False},
        {"keepActive": True, "tenant": "acme-pay"},
        {"type": "TOKEN", "authorizationToken": "keepActive"},
    ],
)
def test_whatever_else_a_function_is_called_with_it_judges_itself(event: Mapping[str, Any]) -> None:
    calls: list[tuple[Mapping[str, Any], Any]] = []

    @answers_keep_active
    def handle(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        calls.append((event, context))
        return {"done": True}

    assert handle(event, "context") == {"done": True}
    assert calls == [(event, "context")]
