"""A YAML document as a tree that remembers positions, and the findings about it."""

from dataclasses import dataclass

from config.values import Broken, Items, Kind, Map, Node, Pair, Scalar, at, kind_of

__all__ = ["Broken", "Finding", "Items", "Kind", "Map", "Node", "Pair", "Scalar", "at", "kind_of"]


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
