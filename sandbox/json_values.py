"""Parts of JSON values (inputs, outputs, requests) that may be left out."""

from collections.abc import Mapping
from typing import Any


def members(value: Any) -> Mapping[str, Any]:
    """The members of an object, none where it is left out."""
    return value or {}


def items(value: Any) -> list[Any]:
    """The items of a list, none where it is left out."""
    return value or []
