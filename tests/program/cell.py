"""The whole program under mocks, and whose each of its registrations is."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache

from devtools.mocks import Recording, Registered
from devtools.registrations import record_registrations
from plan import CellPlan, plan_cell
from tenants.allocation import extend
from tenants.cell import read_cell
from tenants.models import Tenant
from tests.cells import PROJECT, cell_of, registry_of, settings_of

TENANCY = "tenantry:tenancy:Tenancy"
TODAY = datetime.date(2026, 11, 23)


def deploy(cell: CellPlan) -> Recording:
    """All that the program registers for a cell, its exports too."""
    return record_registrations(cell)


@cache
def deployed(stack: str) -> Recording:
    """A committed stack, run once for all tests that only read it."""
    return deploy(cell_of(stack))


def edited(stack: str, tenants: Iterable[Tenant]) -> CellPlan:
    """The cell after an edit of its registry; the ledger grows as a local run would let it."""
    before = registry_of(stack)
    now = tuple(sorted(tenants, key=lambda t: t.id))
    limits, findings = read_cell(PROJECT, stack)
    assert limits is not None, findings
    ledger = extend(before.ledger, now, limits, TODAY)
    return plan_cell(settings_of(stack), replace(before, tenants=now, ledger=ledger))


def owners(recording: Recording) -> Mapping[str, str | None]:
    """URN → the tenant below whose component it hangs, or None for the cell's own."""
    found: dict[str, str | None] = {}
    for r in recording.resources:
        found[r.urn] = r.name if r.type == TENANCY else found.get(r.parent)
    return found


def belonging(recording: Recording, tenant: str | None) -> dict[tuple[str, str], Registered]:
    """What belongs to one tenant (None: to the cell), by type and name."""
    whose = owners(recording)
    return {r.key: r for r in recording.resources if whose[r.urn] == tenant}
