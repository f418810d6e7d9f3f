"""Load the registry of a stack, check all of it, and see to it that everybody has a place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from tenants import lifecycle, rules
from tenants.allocation import NoRoom, extend, missing
from tenants.cell import Cell, read_cell
from tenants.files import (
    ledger_file,
    plans_file,
    project_root,
    registry_file,
    relative,
    stacks,
    write_atomically,
)
from tenants.ledger import parse_ledger, render_ledger
from tenants.models import Ledger, Registry, ServicePlan, Tenant
from tenants.nodes import Finding
from tenants.reading import Entries, read_plans, read_tenants
from tenants.words import allowed_or_near

TRUE: Final = frozenset({"1", "true", "yes", "on"})


class RegistryError(ValueError):
    """The registry of a stack cannot be used; `str()` is the list of all findings, a line each."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = tuple(sorted(set(findings)))
        super().__init__("\n".join(map(str, self.findings)))


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
        placed = sorted((t for t in self.entries.models.values() if t.state.placed), key=lambda t: t.id)
        return Registry(stack=self.stack, tenants=tuple(placed), plans=self.plans, ledger=self.extended)


def today() -> date:
    """The date of this run, in UTC."""
    return datetime.now(UTC).date()


def locked_by_environment() -> bool:
    """Whether `CI` says that nothing may be written."""
    return os.environ.get("CI", "").lower() in TRUE


def open_registry(stack: str, *, root: Path | None = None, locked: bool | None = None) -> Registry:
    """The checked registry of a stack, everybody placed.

    Extends the ledger's file where somebody has no place yet, unless `locked` (default: where the
    environment has a true `CI`). Raises `RegistryError` with everything that is wrong.
    """
    root = root or project_root()
    found = examine(root, stack, locked=locked_by_environment() if locked is None else locked)
    if found.findings:
        raise RegistryError(list(found.findings))
    if found.extended != found.ledger:
        write_atomically(ledger_file(root, stack), render_ledger(found.extended, stack))
    return found.registry


def examine(root: Path, stack: str, *, locked: bool, on: date | None = None) -> Examined:
    """Read and check everything of a stack. Writes nothing, raises nothing for bad input."""
    path = registry_file(root, stack)
    name = relative(root, path)
    if not path.is_file():
        known = stacks(root)
        right = f"write {name}, or name a stack that has one: {allowed_or_near(stack, known)}"
        gone = Finding(name, 1, 1, "", f"stack {stack} has no registry", right)
        return Examined(stack, None, Entries(name, {}, {}), {}, Ledger(), Ledger(), (gone,))
    cell, findings = read_cell(root, stack)
    plans, plan_findings = read_all_plans(root)
    entries, registry_findings = read_tenants(path.read_bytes(), name)
    findings += plan_findings + registry_findings
    readable = entries.nodes or not registry_findings
    for tenant in entries.models.values():
        findings += [
            entries.finding(*p) for p in rules.problems(tenant, None if plan_findings else plans, cell)
        ]
    ledger, ledger_findings = _read_ledger(root, stack, cell, entries)
    findings += ledger_findings
    extended = ledger
    if readable and not ledger_findings:
        present = frozenset(entries.nodes)
        problems = lifecycle.problems(entries.models, present, ledger)
        findings += [entries.finding(*p) for p in problems]
        if cell is not None and not problems:
            extended, more = _extended(cell, entries, ledger, locked=locked, on=on or today())
            findings += more
    return Examined(stack, cell, entries, plans, ledger, extended, tuple(sorted(set(findings))))


def read_all_plans(root: Path) -> tuple[Mapping[str, ServicePlan], list[Finding]]:
    """The service plans of the project."""
    path = plans_file(root)
    file = relative(root, path)
    if not path.is_file():
        return {}, [Finding(file, 1, 1, "", "there are no service plans", f"write {file}; tenants name them")]
    entries, findings = read_plans(path.read_bytes(), file)
    return entries.models, findings


def _read_ledger(
    root: Path, stack: str, cell: Cell | None, entries: Entries[Tenant]
) -> tuple[Ledger, list[Finding]]:
    path = ledger_file(root, stack)
    file = relative(root, path)
    if path.is_file():
        return parse_ledger(path.read_bytes(), file, cell.parent if cell else None)
    if not entries.nodes:
        return Ledger(), []
    wrong = f"the ledger of {stack} is missing, which says where its tenants' data lives"
    right = (
        f"restore it from git (git checkout -- {file}); "
        f"only for a stack that was never deployed: python -m tenants ledger init {stack}"
    )
    return Ledger(), [Finding(file, 1, 1, "", wrong, right)]


def _extended(
    cell: Cell, entries: Entries[Tenant], ledger: Ledger, *, locked: bool, on: date
) -> tuple[Ledger, list[Finding]]:
    tenants = entries.models.values()
    if locked:
        right = (
            f"run python -m tenants ledger update {cell.stack} and commit tenants/ledger/{cell.stack}.yaml"
        )
        return ledger, [entries.finding(i, (), wrong, right) for i, wrong in missing(ledger, tenants).items()]
    try:
        return extend(ledger, tenants, cell, on), []
    except NoRoom as full:
        return ledger, [entries.finding(u.tenant, (), u.wrong, u.right) for u in full.unplaced]
