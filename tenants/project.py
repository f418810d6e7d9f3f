"""The files of a project, each read and parsed once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from config.typed_files import Entries, Later
from config.wording import allowed_or_near
from config.yaml_tree import Finding
from tenants.cell import Cell, read_cell
from tenants.files import (
    ledger_file,
    plans_file,
    quota_increases_file,
    quotas_file,
    registry_file,
    relative,
    stacks,
)
from tenants.ledger import parse_ledger
from tenants.models import Ledger, Quota, QuotaIncrease, ServicePlan, Tenant
from tenants.registry_files import read_plans, read_quota_increases, read_quotas, read_tenants

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidFiles:
    """The files of one stack when nothing is wrong with them and everybody has a place."""

    cell: Cell
    tenants: tuple[Tenant, ...]
    ledger: Ledger


class Project:
    """What the repository says. `texts` stand in for files that are about to be written."""

    def __init__(self, root: Path, texts: Mapping[Path, str] | None = None) -> None:
        self.root = root
        self.sound: set[str] = set()  # stacks that were adopted
        self.texts = dict(texts or {})
        self._bytes: dict[Path, bytes] = {}
        self._cells: dict[str, tuple[Cell | None, list[Finding]]] = {}
        self._entries: dict[str, tuple[Entries[Tenant], list[Finding]]] = {}
        self._ledgers: dict[str, tuple[Ledger, list[Finding]]] = {}
        self._once: dict[Any, Any] = {}

    def once(self, make: "Callable[[Project], T]") -> T:
        """What `make` says of this project, asked a single time."""
        if make not in self._once:
            self._once[make] = make(self)
        return self._once[make]

    def take_valid(self, stack: str, sound: ValidFiles) -> None:
        """Take the files of a stack as read and found in order."""
        path = registry_file(self.root, stack)
        file = relative(self.root, path)
        models = {t.id: t for t in sound.tenants}
        nodes = Later(lambda: read_tenants(self.read(path), file)[0].nodes)
        self.sound.add(stack)
        self._cells[stack] = sound.cell, []
        self._entries[stack] = Entries(file, models, nodes, frozenset(models)), []
        self._ledgers[stack] = sound.ledger, []

    def has(self, path: Path) -> bool:
        return path in self.texts or path.is_file()

    def read(self, path: Path) -> bytes:
        if path in self.texts:
            return self.texts[path].encode("utf-8", "surrogatepass")
        if path not in self._bytes:
            self._bytes[path] = path.read_bytes()
        return self._bytes[path]

    @cached_property
    def stacks(self) -> tuple[str, ...]:
        """Every stack that has a registry, sorted."""
        return stacks(self.root)

    def cell(self, stack: str) -> tuple[Cell | None, list[Finding]]:
        if stack not in self._cells:
            self._cells[stack] = read_cell(self.root, stack, self.read)
        return self._cells[stack]

    def entries(self, stack: str) -> tuple[Entries[Tenant], list[Finding]]:
        """The registry of a stack that has one."""
        if stack not in self._entries:
            path = registry_file(self.root, stack)
            self._entries[stack] = read_tenants(self.read(path), relative(self.root, path))
        return self._entries[stack]

    def ledger(self, stack: str) -> tuple[Ledger, list[Finding]]:
        """The ledger of a stack; missing, it is empty where nobody could be in it, and else refused."""
        if stack not in self._ledgers:
            self._ledgers[stack] = self._read_ledger(stack)
        return self._ledgers[stack]

    def _read_ledger(self, stack: str) -> tuple[Ledger, list[Finding]]:
        path = ledger_file(self.root, stack)
        file = relative(self.root, path)
        cell, _ = self.cell(stack)
        if self.has(path):
            return parse_ledger(self.read(path), file, cell.parent if cell else None)
        if not self.entries(stack)[0].ids:
            return Ledger(), []
        wrong = f"the ledger of {stack} is missing, which says where its tenants' data lives"
        right = (
            f"restore it from git (git checkout -- {file}); "
            f"only for a stack that was never deployed: tenantry tenants ledger init {stack}"
        )
        return Ledger(), [Finding(file, 1, 1, "", wrong, right)]

    @cached_property
    def plans(self) -> tuple[Mapping[str, ServicePlan], list[Finding]]:
        """The service plans."""
        path = plans_file(self.root)
        file = relative(self.root, path)
        if not self.has(path):
            right = f"write {file}; tenants name them"
            return {}, [Finding(file, 1, 1, "", "there are no service plans", right)]
        entries, findings = read_plans(self.read(path), file)
        return entries.models, findings

    @cached_property
    def quotas(self) -> tuple[Mapping[str, Quota], list[Finding]]:
        """The quotas of AWS, with what is raised of them; none are known where there is no file of them."""
        path = quotas_file(self.root)
        if not self.has(path):
            return {}, []
        entries, findings = read_quotas(self.read(path), relative(self.root, path))
        increases, more = self._quota_increases(entries.ids)
        raised = {
            id_: replace(quota, raised=increases[id_].raised if id_ in increases else quota.raised)
            for id_, quota in entries.models.items()
        }
        return raised, [*findings, *more]

    def _quota_increases(self, quotas: Collection[str]) -> tuple[Mapping[str, QuotaIncrease], list[Finding]]:
        path = quota_increases_file(self.root)
        if not self.has(path):
            return {}, []
        entries, findings = read_quota_increases(self.read(path), relative(self.root, path))
        unknown = [id_ for id_ in sorted(entries.ids) if id_ not in quotas]
        wrong = "is no quota of tenants/quotas.yaml"
        return entries.models, findings + [
            entries.finding(id_, (), wrong, allowed_or_near(id_, tuple(sorted(quotas)))) for id_ in unknown
        ]
