"""Writes the declarations of the project's settings in Pulumi.yaml: `make generate`.

Type, default and meaning of a setting are written once: at its field in `plan/settings.py` or
`plan/organization/settings.py`. Error messages take the meaning from there, and Pulumi.yaml from here.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

import yaml

from config.settings_fields import default_of, keys_of
from plan.organization import OrganizationSettings
from plan.settings import Settings

PROJECT_FILE: Final = Path(__file__).parents[2] / "Pulumi.yaml"
BEGIN: Final = (
    "  # From here on written by `make generate` from plan/settings.py and plan/organization/settings.py.\n"
)
# Type of a field → the engine's type, and the default that stands for "must be filled in", where it has one.
ENGINE_TYPES: Final[Mapping[Any, tuple[str, str | tuple[str, ...] | None]]] = {
    str: ("string", ""),
    int: ("integer", None),
    bool: ("boolean", None),
    tuple[str, ...]: ("array", ()),
}


def render(text: str) -> str:
    """A project file with all settings declared as they are to be; what stands before them stays."""
    head = text.split(BEGIN, maxsplit=1)[0]
    known = {**keys_of(Settings), **keys_of(OrganizationSettings)}
    return head + BEGIN + "".join(line for key, field in known.items() for line in _declared(key, field))


def _declared(key: str, field: "dataclasses.Field[Any]") -> Iterator[str]:
    engine_type, empty = ENGINE_TYPES[field.type]
    default = empty if default_of(field) is None else default_of(field)
    if default is None:
        raise ValueError(f"{field.name}: give the setting a default; there is no empty {engine_type}")
    yield f"  {key}:\n    type: {engine_type}\n"
    if engine_type == "array":
        yield "    items: {type: string}\n"
    yield f"    default: {_plain(default)}\n"
    yield f"    description: {json.dumps(_sentence(field.metadata['doc']), ensure_ascii=False)}\n"


def _plain(value: Any) -> str:
    """A value in YAML, on one line and without quotes where they are not needed."""
    if value == "":
        return '""'
    given = list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value
    return yaml.safe_dump(given, default_flow_style=True, width=1000).removesuffix("...\n").strip()


def _sentence(doc: str) -> str:
    return doc[0].upper() + doc[1:]
