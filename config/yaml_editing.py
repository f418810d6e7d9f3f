"""Edits the text of a registry, and leaves the bytes of every other tenant as they are.

An entry is found by its lines. Adding appends lines; a value that is there is replaced in its place; all
else passes that entry's lines, and no others, through a round-trip parser, which keeps comments, order
and quoting.
"""

import io
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from config.wording import allowed_or_near
from config.yaml_reader import compose
from config.yaml_tree import Map, Scalar, at, kind_of

_SAFE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._/@:+-]*[A-Za-z0-9])?")


class EditError(ValueError):
    """An edit that cannot be made; `str()` says why and what to do."""


# ------------------------------------------------------------------ writing


def scalar_text(value: object) -> str:
    """A value as YAML that reads back as itself, in quotes only where it must be."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    plain = _SAFE.fullmatch(value) and ": " not in value and kind_of(Scalar(value, True, 1, 1)) == "text"
    return value if plain else json.dumps(value, ensure_ascii=False)


# ------------------------------------------------------------------ editing


def nested(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes by dotted path as the fields of an entry; those to be left out are left out."""
    found: dict[str, Any] = {}
    for path, value in changes.items():
        _assign(found, path.split("."), value)
    return found


def set_fields(text: str, id_: str, changes: Mapping[str, Any]) -> str:
    """The registry with fields of one entry changed. `changes`: dotted path → value, None to leave it out."""
    places = entry_lines(text)
    if id_ not in places:
        raise EditError(f"{id_}: is not in the registry; {allowed_or_near(id_, places)}")
    first, last = places[id_]
    lines = text.splitlines(keepends=True)
    block = "".join(lines[first:last])
    rest: dict[str, Any] = {}
    for path, value in changes.items():
        replaced = None if value is None else _replace_scalar(block, [id_, *path.split(".")], value)
        if replaced is None:
            rest[path] = value
        else:
            block = replaced
    return "".join(lines[:first]) + (_round_trip(block, id_, rest) if rest else block) + "".join(lines[last:])


_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"")


def _replace_scalar(block: str, path: list[str], value: object) -> str | None:
    """The block with the value at the path replaced in its line, in the same quotes; None if it cannot be."""
    root, _ = compose(block, "")
    scalar = at(root, *path) if root is not None else None
    parent = at(root, *path[:-1]) if root is not None else None
    if not isinstance(scalar, Scalar) or scalar is parent or kind_of(scalar) == "null":
        return None
    lines = block.splitlines(keepends=True)
    line, start = lines[scalar.line - 1], scalar.column - 1
    old = _QUOTED.match(line, start)
    raw = scalar.text if scalar.plain else (old.group() if old else "")
    if not raw or not line.startswith(raw, start):
        return None
    lines[scalar.line - 1] = line[:start] + _in_quotes_of(raw, scalar, value) + line[start + len(raw) :]
    return "".join(lines)


def _in_quotes_of(raw: str, scalar: Scalar, value: object) -> str:
    if scalar.plain or not isinstance(value, str):
        return scalar_text(value)
    return "'" + value.replace("'", "''") + "'" if raw[0] == "'" else json.dumps(value, ensure_ascii=False)


def entry_lines(text: str) -> dict[str, tuple[int, int]]:
    """id → the lines of its entry, from 0, the last one excluded; comments that follow it are not its own."""
    root, findings = compose(text, "")
    if findings:
        raise EditError(f"the registry is not readable: line {findings[0].line}: {findings[0].wrong}")
    if root is None:
        return {}
    if not isinstance(root, Map) or any(key.column != 1 for key, _ in root.pairs):
        raise EditError("the registry is not one entry after the other; begin each id at the start of a line")
    lines = text.splitlines(keepends=True)
    starts = [key.line - 1 for key, _ in root.pairs] + [len(lines)]
    found: dict[str, tuple[int, int]] = {}
    for (key, _), first, end in zip(root.pairs, starts, starts[1:], strict=False):
        last = end
        while last > first + 1 and re.match(r"(#|\s*$|\.\.\.)", lines[last - 1]):
            last -= 1
        found[key.text] = (first, last)
    return found


def _round_trip(block: str, id_: str, changes: Mapping[str, Any]) -> str:
    """An entry's lines with its fields changed, everything else in them as it was."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - takes a tenth of a second, and only `set` needs it

    yaml: Any = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    indented = re.search(r"^( +)\S", block, re.MULTILINE)
    yaml.map_indent = len(indented.group(1)) if indented else 2
    end = "\r\n" if "\r\n" in block else "\n"
    document: Any = yaml.load(block.replace("\r\n", "\n"))
    for path, value in changes.items():
        _assign(document[id_], path.split("."), value)
    out = io.StringIO(newline="")
    yaml.dump(document, out)
    return out.getvalue().replace("\n", end)


def _assign(mapping: Any, path: list[str], value: Any) -> None:
    head, *rest = path
    if rest:
        if value is None and head not in mapping:
            return
        inner = mapping.setdefault(head, {})
        _assign(inner, rest, value)
        if not inner:
            del mapping[head]
    elif value is None:
        mapping.pop(head, None)
    else:
        mapping[head] = value
