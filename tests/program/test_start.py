"""What the program does once for each run or each resource stays small."""

import asyncio
import subprocess
import sys
import traceback
from collections.abc import Mapping
from typing import Any

import pytest

from components.entry import FRAMES, refusing
from tests.cells import ROOT

# The SDK's packages are lazy: whoever touches one loads thousands of classes. A service whose classes are
# needed at once shows by the module that holds them.
LOADED = r"""
import re, sys
import components.entry
print(*sorted(m for m in sys.modules if re.fullmatch(r"pulumi_aws\.\w+\._inputs", m)))
"""


def test_importing_the_program_loads_no_service_of_the_sdk() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [], "annotate as text (from __future__ import annotations)"


def nested(depth: int) -> Mapping[str, Any]:
    """The stack as the SDK takes it where a resource is made, that many calls deep."""
    return nested(depth - 1) if depth else {"stack": traceback.extract_stack()}


def test_a_registration_takes_only_the_innermost_frames_of_the_stack() -> None:
    async def whole() -> Mapping[str, Any]:
        return await refusing(lambda: nested(2 * FRAMES))()

    names = [frame.name for frame in asyncio.run(whole())["stack"]]
    assert names == ["nested"] * FRAMES


def failing(depth: int) -> Mapping[str, Any]:
    if depth:
        return failing(depth - 1)
    raise ValueError("the innermost line")


def test_an_error_shows_its_whole_stack() -> None:
    async def whole() -> None:
        await refusing(lambda: failing(2 * FRAMES))()

    with pytest.raises(ValueError, match="the innermost line") as failed:
        asyncio.run(whole())
    shown = traceback.extract_tb(failed.value.__traceback__)
    assert "raise ValueError" in (shown[-1].line or "")
