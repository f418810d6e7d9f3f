"""Nodes and edges of the escalation graph."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies.escalation.access import AccessAnswer
from policies.escalation.principals import Role


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A role, or something that it should not reach."""

    kind: str  # role | everything | unbound | user | outside | thing
    name: str

    def __str__(self) -> str:
        return f"{_KINDS[self.kind]}{self.name}"


_KINDS: Final = {
    "role": "role ",
    "everything": "everything, as ",
    "ceiling": "all that its boundary allows, as ",
    "unbound": "without what confines it: role ",
    "user": "",
    "outside": "what the account has besides this plan: ",
    "thing": "",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """`by` brings whoever is `start` to `end`, if `when` holds. `declared`: the plan means it so."""

    start: Node
    end: Node
    by: str
    when: frozenset[str] = frozenset()
    declared: bool = False


Reached = Iterator[tuple[Node, AccessAnswer]]


def node(role: Role) -> Node:
    return Node("role", role.name)
