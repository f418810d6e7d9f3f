"""A tenant's registry entry as lines of YAML."""

import json
from collections.abc import Mapping
from typing import Any, cast

from config.fields import Record, fields_of
from config.yaml_editing import EditError, entry_lines, scalar_text
from tenants.models import Tenant


def entry_text(id_: str, values: Mapping[str, Any]) -> str:
    """The lines of an entry: a field a line, in the order of the model; mappings in braces."""
    lines = [f"{id_}:"]
    for name in fields_of(Tenant):
        if name in values:
            lines.append(f"  {name}: {_value_text(values[name])}")
    return "".join(f"{line}\n" for line in lines)


def _value_text(value: object) -> str:
    if not isinstance(value, Mapping):
        return scalar_text(value)
    fields = cast("Mapping[str, object]", value)
    return "{" + ", ".join(f"{scalar_text(k)}: {_flow_text(v)}" for k, v in fields.items()) + "}"


def _flow_text(value: object) -> str:
    """As `scalar_text`, in a place where a colon or a comma would end the value."""
    text = scalar_text(value)
    return (
        json.dumps(text, ensure_ascii=False)
        if isinstance(value, str) and text == value and ":" in text
        else text
    )


def values_of(tenant: Tenant) -> dict[str, Any]:
    """A tenant's fields as the file has them: what equals its default is left out."""
    return _plain(tenant, Tenant)


def _plain(model: object, kind: type[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, entry in fields_of(kind).items():
        value = getattr(model, name)
        if isinstance(entry.type, Record) and value is not None:
            value = _plain(value, entry.type.model)
        empty = value in (None, {}) or (not entry.required and value == entry.default)
        if not empty:
            found[name] = value
    return found


def add_entry(text: str, id_: str, values: Mapping[str, Any]) -> str:
    """The registry with one entry more, at its end."""
    if id_ in entry_lines(text):
        raise EditError(f"{id_}: is in the registry already; change it with set")
    body = text if not text or text.endswith("\n") else text + "\n"
    if body.rstrip().endswith("{}"):
        raise EditError("the registry is written as {}; delete that and add again")
    return body + entry_text(id_, values)
