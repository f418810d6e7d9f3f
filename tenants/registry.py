"""Loads the registry of a stack, checks all of it, and allocates what tenants lack."""

import gc
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from config.files import write_atomically
from config.yaml_tree import Finding
from tenants.examination import Examined, examine
from tenants.files import ledger_file, project_root
from tenants.ledger import render_ledger
from tenants.models import Registry
from tenants.phases import DEPLOYABLE, Phase
from tenants.project import Project

TRUE: Final = frozenset({"1", "true", "yes", "on"})


MANY: Final = 8  # stacks, from which those in order are remembered


class RegistryError(ValueError):
    """The registry of a stack cannot be used; `str()` is the list of all findings, a line each."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = tuple(sorted(set(findings)))
        super().__init__("\n".join(map(str, self.findings)))


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
            f"this version cannot deploy {tenant.phase}",
            f"take it back; what it deploys is {', '.join(sorted(phases))}",
        )
        for tenant in found.entries.models.values()
        if tenant.phase not in phases
    ]


def _know(project: Project, stacks: Iterable[str]) -> None:
    """Where there are many stacks, take those that were in order before from the cache."""
    if len(project.stacks) > MANY:
        from tenants import registry_cache  # noqa: PLC0415 - it takes a while to load, and small projects need it not

        registry_cache.load(project, list(stacks))


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
