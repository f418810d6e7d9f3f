"""Reads everything of a stack's files, and finds everything that is wrong with them. Writes nothing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from config.typed_files import Entries
from config.yaml_tree import Finding
from tenants import cross_stack_checks, entry_checks, quotas
from tenants.allocation import CellFullError, extend, missing
from tenants.cell import Cell
from tenants.files import registry_file, relative
from tenants.lifecycle import edit_checks
from tenants.models import Ledger, Registry, ServicePlan, Tenant
from tenants.project import Project, ValidFiles

# With it and an id of 20 characters the longest name that holds both, the bucket's with its account, has 63.
LONGEST_STACK: Final = 18


@dataclass(frozen=True, slots=True)
class Examined:
    """All that could be read of a stack, and all that is wrong with it."""

    stack: str
    cell: Cell | None
    entries: Entries[Tenant]
    plans: Mapping[str, ServicePlan]
    ledger: Ledger  # as the file has it
    extended: Ledger  # as it would be after this run
    findings: tuple[Finding, ...]

    @property
    def registry(self) -> Registry:
        placed = sorted((t for t in self.entries.models.values() if t.phase.row.placed), key=lambda t: t.id)
        erased = sorted(
            (t for t in self.entries.models.values() if not t.phase.row.placed), key=lambda t: t.id
        )
        return Registry(
            stack=self.stack,
            tenants=tuple(placed),
            erased=tuple(erased),
            plans=self.plans,
            ledger=self.extended,
        )


def today() -> date:
    """The date of this run, in UTC; `TENANTRY_TODAY` says another one, to rehearse what waits for a day.

    Nothing is lost by a wrong one: who erases asks the key itself whether it is gone.
    """
    given = os.environ.get("TENANTRY_TODAY")
    return date.fromisoformat(given) if given else datetime.now(UTC).date()


def examine(
    project: Project, stack: str, *, locked: bool, on: date | None = None, many: bool = False
) -> Examined:
    """Read and check everything of a stack. Writes nothing, raises nothing for bad input.

    `on` is the date of the run, by default today's in UTC; `many`: several tenants may leave at once.
    """
    path = registry_file(project.root, stack)
    if not path.is_file():
        name = relative(project.root, path)
        known = ", ".join(project.stacks) or "none yet"
        right = f"write {name}, or take a stack that has one: {known}"
        gone = Finding(name, 1, 1, "", f"stack {stack} has no registry", right)
        return Examined(stack, None, Entries(name, {}, {}, frozenset()), {}, Ledger(), Ledger(), (gone,))
    cell, _ = project.cell(stack)
    entries, _ = project.entries(stack)
    ledger, _ = project.ledger(stack)
    plans, plan_findings = project.plans
    findings = [*plan_findings, *project.quotas[1]]
    extended, settled = ledger, True
    if stack not in project.sound:
        extended, own, settled = _own(project, stack, locked=locked, on=on or today(), many=many)
        findings += own
    if cell is not None:
        findings += cross_stack_checks.problems(project, cell)
        if settled:
            findings += quotas.problems(project, cell, entries.models.values(), ledger, extended)
    return Examined(stack, cell, entries, plans, ledger, extended, tuple(sorted(set(findings))))


def valid_files_or_none(project: Project, stack: str) -> ValidFiles | None:
    """What the stack's files say, if nothing is wrong in them and everybody has a place, whatever the day."""
    cell, _ = project.cell(stack)
    if cell is None or project.plans[1]:
        return None
    _, findings, settled = _own(project, stack, locked=True, on=date.min)
    if findings or not settled:
        return None
    tenants = tuple(project.entries(stack)[0].models.values())
    return ValidFiles(cell=cell, tenants=tenants, ledger=project.ledger(stack)[0])


def _own(
    project: Project, stack: str, *, locked: bool, on: date, many: bool = False
) -> tuple[Ledger, list[Finding], bool]:
    """The next ledger, what is wrong within the stack, and whether its tenants have settled places."""
    cell, cell_findings = project.cell(stack)
    entries, registry_findings = project.entries(stack)
    ledger, ledger_findings = project.ledger(stack)
    plans, plan_findings = project.plans
    findings = [*cell_findings, *registry_findings, *ledger_findings]
    if len(stack) > LONGEST_STACK:
        wrong = f"the stack's name has {len(stack)} characters"
        right = f"at most {LONGEST_STACK}, so that no name of a tenant's resource has to be cut"
        findings.append(Finding(entries.file, 1, 1, "", wrong, right))
    for tenant in entries.models.values():
        problems = entry_checks.problems(tenant, None if plan_findings else plans, cell)
        findings += [entries.finding(*p) for p in problems]
    if ledger_findings or (registry_findings and not entries.ids):
        return ledger, findings, False
    moves = edit_checks.problems(entries.models, entries.ids, ledger, on, many=many)
    findings += [entries.finding(*p) for p in moves]
    if cell is None or moves:
        return ledger, findings, False
    extended, more = _extended(cell, entries, ledger, locked=locked, on=on)
    return extended, findings + more, True


def _extended(
    cell: Cell, entries: Entries[Tenant], ledger: Ledger, *, locked: bool, on: date
) -> tuple[Ledger, list[Finding]]:
    tenants = entries.models.values()
    if locked:
        right = f"run tenantry tenants ledger update {cell.stack} and commit tenants/ledger/{cell.stack}.yaml"
        return ledger, [entries.finding(i, (), wrong, right) for i, wrong in missing(ledger, tenants).items()]
    try:
        return extend(ledger, tenants, cell, on), []
    except CellFullError as full:
        return ledger, [entries.finding(u.tenant, (), u.wrong, u.right) for u in full.unplaced]
