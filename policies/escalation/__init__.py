"""Privilege-escalation analysis of a plan: each path from a workload's or tenant's role to more access."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import networkx as nx

from iam.documents import parse_data
from policies.escalation.edges import LETS_IN, edges
from policies.escalation.graph import Edge, Node, node
from policies.escalation.principals import Role
from policies.escalation.targets import PlanAccess, plan_access
from policies.escalation.techniques import TECHNIQUES
from policies.model import Plan

__all__ = ["Hop", "Path", "Report", "analyse"]


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a path, by any one of its techniques. `when`: what each of them hangs on."""

    start: str
    end: str
    by: tuple[str, ...]
    when: tuple[tuple[str, ...], ...]

    @property
    def conditional(self) -> bool:
        return all(self.when)


@dataclass(frozen=True, slots=True)
class Path:
    """A shortest way from a role to something that is more than it has."""

    source: str
    kind: str  # workload | tenant
    sink: str
    hops: tuple[Hop, ...]

    @property
    def conditional(self) -> bool:
        return any(hop.conditional for hop in self.hops)


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found.

    `declared`: roles that act for tenants, as the tenants' own trust says. `unclear`: what could not be read.
    `at_worst`: roles whose policies could not be, and what techniques their boundaries leave them whatever
    those say, but for assuming roles and using or opening things, which the other side has a say in.
    """

    paths: tuple[Path, ...]
    declared: tuple[tuple[str, str], ...]
    unclear: tuple[str, ...]
    at_worst: tuple[tuple[str, tuple[str, ...]], ...]
    roles: int
    sources: int


def analyse(plan: Plan) -> Report:
    """All paths of a plan. Raises `DocumentError` for a policy that is none."""
    found = plan_access(plan)
    all_edges = [e for role in found.roles for t in TECHNIQUES for e in edges(role, t, found)]
    graph = cast("Any", nx.MultiDiGraph())  # its types leave the nodes open
    graph.add_nodes_from(node(role) for role in found.roles)
    graph.add_edges_from((e.start, e.end, {"edge": e}) for e in all_edges)
    sources = [role for role in found.roles if role.workload or role.tenant]
    return Report(
        paths=tuple(path for role in sources for path in _paths(role, graph)),
        declared=tuple(sorted({(e.start.name, e.end.name) for e in all_edges if e.declared})),
        unclear=found.unclear,
        at_worst=tuple((role.name, worst) for role in sources if (worst := _at_worst(role, found))),
        roles=len(found.roles),
        sources=len(sources),
    )


ANYTHING: Final = parse_data({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


def _at_worst(role: Role, found: PlanAccess) -> tuple[str, ...]:
    """What a role could do to others if the policies that are not known allowed everything."""
    if role.whole:
        return ()
    greedy = replace(role, identity=(*ANYTHING, *role.identity))
    own = [t for t in TECHNIQUES if t.way not in LETS_IN]
    return tuple(t.id for t in own if any(edges(greedy, t, found)))


def _paths(role: Role, graph: Any) -> Iterator[Path]:
    """The shortest path to each node that is not the role's own."""
    start = node(role)
    own = {start} | {e.end for e in _edges_of(graph, start) if e.declared}
    ways: dict[Node, list[Node]] = nx.single_source_shortest_path(graph, start)
    for end in sorted(set(ways) - own):
        hops = tuple(_hop(a, b, graph) for a, b in zip(ways[end], ways[end][1:], strict=False))
        yield Path(role.name, "tenant" if role.tenant else "workload", str(end), hops)


def _edges_of(graph: Any, start: Node) -> Iterator[Edge]:
    for _, _, data in graph.out_edges(start, data=True):
        yield data["edge"]


def _hop(start: Node, end: Node, graph: Any) -> Hop:
    found: list[Edge] = [data["edge"] for data in graph.get_edge_data(start, end).values()]
    unique = {e.by: e for e in found}
    return Hop(str(start), str(end), tuple(unique), tuple(tuple(sorted(e.when)) for e in unique.values()))
