"""What the stacks of a project may not do to one another: share an id, or addresses."""

import ipaddress
from collections.abc import Iterator

from tenants.cell import Cell
from tenants.files import registry_file, relative, stack_file
from tenants.nodes import Finding
from tenants.project import Project


def problems(project: Project, cell: Cell) -> Iterator[Finding]:
    """What of this stack is another's already."""
    entries, _ = project.entries(cell.stack)
    for other in project.stacks:
        neighbour, _ = project.cell(other)
        if neighbour is None or other == cell.stack:
            continue
        yield from _addresses(project, cell, neighbour)
        if neighbour.environment != cell.environment:
            continue
        theirs, _ = project.entries(other)
        buried = project.ledger(other)[0].erased
        file = relative(project.root, registry_file(project.root, other))
        for id_ in sorted(entries.nodes.keys() & theirs.nodes.keys()):
            wrong = f"is in {file}:{theirs.nodes[id_][0].line} too"
            yield entries.finding(id_, (), wrong, f"an id is one tenant's in all cells of {cell.environment}")
        for id_ in sorted((entries.nodes.keys() & buried.keys()) - theirs.nodes.keys()):
            yield entries.finding(
                id_, (), f"was erased from {file}", "take another id; erased ones stay taken"
            )


def _addresses(project: Project, cell: Cell, other: Cell) -> Iterator[Finding]:
    file = relative(project.root, stack_file(project.root, cell.stack))
    for key, mine in (("networkCidr", cell.network), ("tenantNetworks", cell.tenant_networks)):
        for theirs in (other.network, other.tenant_networks):
            if ipaddress.IPv4Network(mine).overlaps(ipaddress.IPv4Network(theirs)):
                wrong = f"{key} {mine} overlaps {theirs} of {other.stack}"
                yield Finding(
                    file, 1, 1, "", wrong, "no two cells share addresses; take others for the newer one"
                )
