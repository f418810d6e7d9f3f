"""The names of everything that a tenant has, for `tenantry tenants show`."""

from collections.abc import Iterator

from plan.names import Names
from plan.tenants.owned_resources import OWNED, Owner
from plan.tenants.tenant import tenant_names
from tenants.cell import NOWHERE, Cell
from tenants.models import Registry


def of_tenant(registry: Registry, cell: Cell, tenant_id: str) -> Iterator[tuple[str, str]]:
    """Kind and physical name of each thing that is this tenant's alone."""
    owner = owner_of(registry, cell, tenant_id)
    return ((row.called, name) for row in OWNED for name in row.names(owner))


def owner_of(registry: Registry, cell: Cell, tenant_id: str) -> Owner:
    """A tenant with what the names of its resources are made of."""
    names = Names(registry.stack, cell.account)
    return Owner(
        tenant=next(t for t in registry.tenants if t.id == tenant_id),
        placement=registry.ledger.placements.get(tenant_id),
        names=names,
        own=tenant_names(names, tenant_id),
        copies=cell.backup_copy_region != NOWHERE,
    )
