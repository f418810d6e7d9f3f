"""The public contract of the platform, `openapi.yaml`, as data."""

from pathlib import Path
from typing import Any, Final

import yaml

CONTRACT: Final = Path(__file__).parent / "openapi.yaml"


def contract() -> dict[str, Any]:
    """Read the contract; a new copy each time, so that a caller may change it."""
    loaded: dict[str, Any] = yaml.load(CONTRACT.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded
