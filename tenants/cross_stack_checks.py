"""Checks across the stacks of a project: no shared tenant ids, no shared addresses."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from config.yaml_tree import Finding
from tenants.allocation import overlaps
from tenants.cell import Cell
from tenants.files import stack_file
from tenants.project import Project

Owners = Mapping[tuple[str, str], list[str]]
"""Environment and id → the stacks of it that have the id."""


def problems(project: Project, cell: Cell) -> Iterator[Finding]:
    """What of this stack is another's already."""
    yield from project.once(_addresses).get(cell.stack, [])
    entries, _ = project.entries(cell.stack)
    living, buried = project.once(_ids_in_use), project.once(_erased_ids)
    for id_ in sorted(entries.ids):
        key = cell.environment, id_
        for other in living[key] if len(living[key]) > 1 else ():
            if other != cell.stack:
                theirs, _ = project.entries(other)
                wrong = f"is in {theirs.file}:{theirs.nodes[id_][0].line} too"
                right = f"an id is one tenant's in all cells of {cell.environment}"
                yield entries.finding(id_, (), wrong, right)
        for other in buried.get(key, ()):
            if other not in living[key]:
                wrong = f"was erased from {project.entries(other)[0].file}"
                yield entries.finding(id_, (), wrong, "take another id; erased ones stay taken")


def _ids_in_use(project: Project) -> Owners:
    return _owners(project, lambda stack: project.entries(stack)[0].ids)


def _erased_ids(project: Project) -> Owners:
    return _owners(project, lambda stack: project.ledger(stack)[0].erased)


def _owners(project: Project, ids_of: Callable[[str], Iterable[str]]) -> Owners:
    found: dict[tuple[str, str], list[str]] = {}
    for stack in project.stacks:
        cell, _ = project.cell(stack)
        if cell is not None:
            for id_ in ids_of(stack):
                found.setdefault((cell.environment, id_), []).append(stack)
    return found


def _addresses(project: Project) -> Mapping[str, list[Finding]]:
    """Stack → where its addresses are another cell's, in its own file."""
    blocks: dict[tuple[str, str], str] = {}
    for stack in project.stacks:
        cell, _ = project.cell(stack)
        if cell is not None:
            blocks[stack, "networkCidr"], blocks[stack, "tenantNetworks"] = cell.network, cell.tenant_networks
    found: dict[str, list[Finding]] = {}
    for one, other in overlaps(blocks):
        for mine, theirs in ((one, other), (other, one)):
            if mine[0] == theirs[0]:
                continue  # within one cell: the program's own settings refuse it
            file = stack_file(project.root, mine[0]).name
            wrong = f"{mine[1]} {blocks[mine]} overlaps {blocks[theirs]} of {theirs[0]}"
            right = "no two cells share addresses; take others for the newer one"
            found.setdefault(mine[0], []).append(Finding(file, 1, 1, "", wrong, right))
    return found
