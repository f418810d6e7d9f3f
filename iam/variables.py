"""The context of a request, and the policy variables (`${aws:PrincipalTag/team}`) that it fills.

Rules: IAM user guide, "IAM policy elements: Variables and tags" (source of 2023-05-11, the last that AWS
published, and the page of 2026-11): keys know no case; a key of several values is no variable; a variable
without a value is null, which equals nothing and is like nothing; `${key, 'text'}` has a default; `${*}`,
`${?}` and `${$}` are the character itself; a document of a version before 2012-10-17, or of none, has no
variables. Assumed, where the page says nothing (`empty-values-are-no-value` of
sandbox/aws/assumptions.yaml): an empty value, and an empty default, are no value.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

Context = Mapping[str, tuple[str, ...]]
"""Condition key, in any case → its values. A key of one value has a tuple of one; an absent key has none."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a policy's text. A literal one came out of a variable: nothing in it is a wildcard."""

    text: str
    literal: bool = False


Filled = tuple[Piece, ...]
Fill = Callable[[str], Filled | None]
"""From a text of a policy to its pieces; None where a variable in it has no value."""

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_WITH_DEFAULT: Final = re.compile(r"(?P<key>[^,]+), '(?P<default>.*)'", re.DOTALL)
_CHARACTERS: Final = ("*", "?", "$")


def values_of(key: str, context: Context) -> tuple[str, ...] | None:
    """The values of a key whose case does not matter, nor that of the tag in `aws:PrincipalTag/Team`."""
    if key in context:
        return context[key]
    return next((v for k, v in context.items() if k.lower() == key.lower()), None)


def as_written(text: str) -> Filled:
    """A text in which `${…}` means nothing."""
    return (Piece(text),)


def filler(context: Context, *, variables: bool = True) -> Fill:
    """What fills a request's values into texts; `variables`: the document's version knows them."""
    return partial(_filled, context) if variables else as_written


def _filled(context: Context, text: str) -> Filled | None:
    pieces: list[Piece] = []
    for i, part in enumerate(_VARIABLE.split(text)):
        if i % 2 == 0:
            pieces.append(Piece(part))
            continue
        value = _value(part, context)
        if value is None:
            return None
        pieces.append(Piece(value, literal=True))
    return tuple(pieces)


def _value(inside: str, context: Context) -> str | None:
    if inside in _CHARACTERS:
        return inside
    found = _WITH_DEFAULT.fullmatch(inside)
    key, default = (found["key"], found["default"]) if found else (inside, "")
    values = values_of(key, context)
    alone = values[0] if values and len(values) == 1 else ""
    return alone or default or None


def text_of(filled: Filled) -> str:
    """The whole text, in which no character has a meaning of its own."""
    return "".join(piece.text for piece in filled)


def is_like(filled: Filled, value: str) -> bool:
    """Whether a value fits the text, whose `*` and `?` are wildcards outside of what was filled in."""
    written = "".join(re.escape(p.text) if p.literal else _wild(p.text) for p in filled)
    return re.fullmatch(written, value, re.DOTALL) is not None


def _wild(text: str) -> str:
    return "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text)


def components(filled: Filled) -> list[Filled]:
    """The six colon-separated components of an ARN pattern, or fewer; the last one keeps its colons.

    A colon inside of a variable's name or value separates nothing.
    """
    found: list[list[Piece]] = [[]]
    for piece in filled:
        parts = [piece.text] if piece.literal else piece.text.split(":", 6 - len(found))
        for i, part in enumerate(parts):
            if i:
                found.append([])
            found[-1].append(Piece(part, piece.literal))
    return [tuple(component) for component in found]
