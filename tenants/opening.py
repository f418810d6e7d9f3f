"""Load the registry of a stack, check all of it, and see to it that everybody has a place."""

import gc
import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from tenants import family, lifecycle, quotas, rules
from tenants.allocation import NoRoom, extend, missing
from tenants.cell import Cell
from tenants.files import ledger_file, project_root, registry_file, relative, write_atomically
from tenants.ledger import render_ledger
from tenants.models import Ledger, Registry, ServicePlan, Tenant
from tenants.nodes import Finding
from tenants.phases import DEPLOYABLE, Phase, phase_of
from tenants.project import Project, Sound
from tenants.reading import Entries

TRUE: Final = frozenset({"1", "true", "yes", "on"})


# With it and an id of 20 characters the longest name that holds both, the bucket's with its account, has 63.
LONGEST_STACK: Final = 18
MANY: Final = 8  # stacks, from which those in order are remembered


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
        erased = sorted((t for t in self.entries.models.values() if not t.state.placed), key=lambda t: t.id)
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
    said = os.environ.get("TENANTRY_TODAY")
    return date.fromisoformat(said) if said else datetime.now(UTC).date()


def locked_by_environment() -> bool:
    """Whether `CI` says that nothing may be written."""
    return os.environ.get("CI", "").lower() in TRUE


def open_registry(
    stack: str,
    *,
    root: Path | None = None,
    locked: bool | None = None,
    phases: frozenset[Phase] = DEPLOYABLE,
) -> Registry:
    """The checked registry of a stack, everybody placed.

    Extends the ledger's file where somebody has no place yet, unless `locked` (default: where the
    environment has a true `CI`). `phases` are those that a run can make so. Raises `RegistryError` with
    everything that is wrong.
    """
    root = root or project_root()
    project = Project(root)
    # The stack itself is read from its files, whatever the cache says.
    _know(project, (other for other in project.stacks if other != stack))
    found = examine(project, stack, locked=locked_by_environment() if locked is None else locked)
    if found.findings:
        raise RegistryError(list(found.findings))
    if early := _too_early(found, phases):
        raise RegistryError(early)
    if found.extended != found.ledger:
        write_atomically(ledger_file(root, stack), render_ledger(found.extended, stack))
    return found.registry


def _too_early(found: Examined, phases: frozenset[Phase]) -> list[Finding]:
    """Tenants in a phase that a run of this version cannot make so."""
    return [
        found.entries.finding(
            tenant.id,
            ("move", "stage") if tenant.move else ("state",),
            f"this version cannot deploy {phase_of(tenant)}",
            f"take it back; what it deploys is {', '.join(sorted(phases))}",
        )
        for tenant in found.entries.models.values()
        if phase_of(tenant) not in phases
    ]


def _know(project: Project, stacks: Iterable[str]) -> None:
    """Where there are many stacks, take those that were in order before from the cache."""
    if len(project.stacks) > MANY:
        from tenants import bulk  # noqa: PLC0415 - it takes a while to load, and small projects need it not

        bulk.load(project, list(stacks))


@contextmanager
def _no_collection() -> Generator[None]:
    """Of the many objects that are read none is garbage yet: looking for some takes longer than the rest."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def examine_all(
    project: Project, names: Iterable[str], *, locked: bool, many: bool = False
) -> tuple[list[Examined], list[Finding]]:
    """Several stacks, and all findings about them, each once, sorted by place. `many` may leave at once."""
    with _no_collection():
        _know(project, project.stacks)
        examined = [examine(project, stack, locked=locked, many=many) for stack in names]
    return examined, sorted({finding for found in examined for finding in found.findings})


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
        findings += family.problems(project, cell)
        if settled:
            findings += quotas.problems(project, cell, entries.models.values(), ledger, extended)
    return Examined(stack, cell, entries, plans, ledger, extended, tuple(sorted(set(findings))))


def sound_or_none(project: Project, stack: str) -> Sound | None:
    """What the stack's files say, if nothing is wrong in them and everybody has a place, whatever the day."""
    cell, _ = project.cell(stack)
    if cell is None or project.plans[1]:
        return None
    _, findings, settled = _own(project, stack, locked=True, on=date.min)
    if findings or not settled:
        return None
    tenants = tuple(project.entries(stack)[0].models.values())
    return Sound(cell=cell, tenants=tenants, ledger=project.ledger(stack)[0])


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
        problems = rules.problems(tenant, None if plan_findings else plans, cell)
        findings += [entries.finding(*p) for p in problems]
    if ledger_findings or (registry_findings and not entries.ids):
        return ledger, findings, False
    moves = lifecycle.problems(entries.models, entries.ids, ledger, on, many=many)
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
        right = (
            f"run python -m tenants ledger update {cell.stack} and commit tenants/ledger/{cell.stack}.yaml"
        )
        return ledger, [entries.finding(i, (), wrong, right) for i, wrong in missing(ledger, tenants).items()]
    try:
        return extend(ledger, tenants, cell, on), []
    except NoRoom as full:
        return ledger, [entries.finding(u.tenant, (), u.wrong, u.right) for u in full.unplaced]
