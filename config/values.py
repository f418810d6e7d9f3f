"""Values as a tree, each with its position: of a YAML document, of a stack's settings, of a function's event.

Scalars stay text: what they mean is for the fields to say (YAML 1.2, so `NO` is two letters, `1_000` is a
word and `010` is ten). Pure Python, since it ships with the functions.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast


class Scalar(NamedTuple):
    """A leaf. `plain` is true where it stands without quotes, so that it may be a number or a boolean."""

    text: str
    plain: bool
    line: int
    column: int


class Pair(NamedTuple):
    key: Scalar
    value: "Node"


class Map(NamedTuple):
    """A mapping whose keys are known to be different scalars."""

    pairs: tuple[Pair, ...]
    line: int
    column: int


class Items(NamedTuple):
    """A list."""

    items: tuple["Node", ...]
    line: int
    column: int


class Broken(NamedTuple):
    """Something that was refused already: whoever meets it need not say more."""

    line: int
    column: int


Node: TypeAlias = Scalar | Map | Items | Broken


def at(node: Node, *path: str) -> Node:
    """The value beneath `node` at the path of keys, or as near to it as there is."""
    for name in path:
        found = (
            next((value for key, value in node.pairs if key.text == name), None)
            if isinstance(node, Map)
            else None
        )
        if found is None:
            return node
        node = found
    return node


Kind: TypeAlias = Literal["null", "bool", "int", "float", "text"]

# YAML 1.2.2, section 10.3.2 (core schema): what a plain scalar means. Everything else is text.
_CORE: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("null", re.compile(r"null|Null|NULL|~|")),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("int", re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")),
    (
        "float",
        re.compile(
            r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
        ),
    ),
)
# Only a scalar that begins so can be anything but text.
_MAYBE: Final = frozenset("nN~tTfF+-.0123456789")


def kind_of(scalar: Scalar) -> Kind:
    """What YAML 1.2 says that a scalar is."""
    if not scalar.plain or (scalar.text and scalar.text[0] not in _MAYBE):
        return "text"
    for kind, pattern in _CORE:
        if pattern.fullmatch(scalar.text):
            return kind
    return "text"


def tree_of(value: object) -> Node:
    """The tree of a value as JSON has it: None, bool, number, text, list, mapping. It has no places."""
    match value:
        case None:
            return Scalar("", True, 0, 0)
        case bool():
            return Scalar(str(value).lower(), True, 0, 0)
        case int() | float():
            return Scalar(repr(value), True, 0, 0)
        case str():
            return Scalar(value, False, 0, 0)
        case list() | tuple():
            return Items(tuple(tree_of(one) for one in cast("list[Any]", value)), 0, 0)
        case Mapping():
            pairs = cast("Mapping[Any, Any]", value).items()
            return Map(tuple(Pair(Scalar(str(k), False, 0, 0), tree_of(v)) for k, v in pairs), 0, 0)
        case _:
            raise TypeError(f"JSON has no {type(value).__name__}")
