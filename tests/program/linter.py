"""Parliament, which still asks for a module that setuptools no longer has (`pkg_resources`, gone in 82)."""

import importlib.resources
import importlib.util
import sys
from types import ModuleType
from typing import Any


def _resource_filename(package: str, name: str) -> str:
    return str(importlib.resources.files(package).joinpath(name))


if importlib.util.find_spec("pkg_resources") is None:
    stand_in: Any = ModuleType("pkg_resources")
    stand_in.resource_filename = _resource_filename
    sys.modules["pkg_resources"] = stand_in

from parliament import analyze_policy_string, enhance_finding  # noqa: E402

__all__ = ["analyze_policy_string", "enhance_finding"]
