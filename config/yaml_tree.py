"""A YAML document as a tree that remembers where each piece stands, and the findings about it.

Scalars stay text: what they mean is for the typed models to say (YAML 1.2, so `NO` is two letters,
`1_000` is a word and `010` is ten).
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias


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


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong. Sorts by place; `str()` is its line of text."""

    file: str  # relative to the project, with forward slashes
    line: int  # from 1
    column: int  # from 1, in characters
    tenant: str  # id of the tenant or plan that it is about, or ""
    wrong: str
    right: str  # what to do, or what is allowed

    def __str__(self) -> str:
        who = f" {self.tenant}:" if self.tenant else ""
        return f"{self.file}:{self.line}:{self.column}:{who} {self.wrong}; {self.right}"


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
