"""Writes docs/tenant-resources.md from the table of what a tenant owns: `make generate`."""

from collections.abc import Iterable
from pathlib import Path

from plan.names import Names
from plan.tenants.owned_resources import OWNED, OwnedResource, Owner
from plan.tenants.stores import Store, When
from plan.tenants.tenant import tenant_names
from tenants.models import Contacts, Overrides, Placement, Tenant
from tenants.phases import Phase
from tenants.states import Isolation, Leaving, Move, NetworkMode, PlacementKind

PAGE = Path(__file__).parents[2] / "docs" / "tenant-resources.md"
HEAD = """\
# What a tenant owns

<!-- Written by `make generate` from plan/tenants/owned_resources.py; a test compares them. -->

Each line is a kind of thing that is one tenant's alone. `tenantry tenants show ID` prints those that a tenant
has now. Tests hold the table to what the program registers, to the demands in `tenants/quotas.yaml`, to the
policies that say who may read, to what erasing removes and the certificate of destruction looks for, and to
what CI's role may call.

## Names

Of a tenant `acme` that has one of each.

| owned | called | made of | quota |
| --- | --- | --- | --- |
"""
STORES = """
## Data, and its end

Keys are in [decision 19](adr/0019-a-tenants-next-key.md), the stages of offboarding in
[the life of a tenant](tenant-lifecycle.md). Roles are the cell's, by the word in their names. Beside them
reads who deploys, since a provider reads back what it wrote.

| store | holds | under | read by | erased | the certificate of destruction |
| --- | --- | --- | --- | --- | --- |
"""


def render() -> str:
    """The whole page."""
    rows = [_line((row.called, _names(row), _types(row), _quotas(row))) for row in OWNED]
    stores = [
        _line((row.called, s.data, s.key, _readers(s), s.erased, s.proof))
        for row in OWNED
        if (s := row.store) is not None
    ]
    return "".join([HEAD, *rows, STORES, *stores])


def example(names: Names) -> Owner:
    """A tenant that has something of every row, as no tenant has at one time."""
    tenant = Tenant(
        id="acme",
        name="Acme",
        isolation=Isolation.SILO,
        network=NetworkMode.DEDICATED,
        residency="eu",
        plan="premium",
        contacts=Contacts(email="ops@acme.example", webhook="https://acme.example"),
        move=Move(
            origin=PlacementKind.POOL,
            to=PlacementKind.DEDICATED,
            stage=Phase.PREPARE,
            at="2026-11-20T10:00:00Z",
        ),
        leaving=Leaving(handed_over=True),
        overrides=Overrides(report_replicas=1),
        protected_columns=("cards.number",),
    )
    placement = Placement(isolation=Isolation.POOL, network=NetworkMode.SHARED, state=Phase.ACTIVE, issued=1)
    return Owner(
        tenant=tenant, placement=placement, names=names, own=tenant_names(names, tenant.id), copies=True
    )


def _names(row: OwnedResource) -> str:
    return ", ".join(f"`{name}`" for name in row.names(example(Names("STACK", "ACCOUNT"))))


def _types(row: OwnedResource) -> str:
    first, *others = (kind.rpartition(":")[2] for kind in row.types)
    return f"**{first}**" + "".join(f", {other}" for other in others)


def _quotas(row: OwnedResource) -> str:
    return ", ".join(
        f"{quota}: {' + '.join(f'{times} × {term}' for term, times in terms.items())}"
        for quota, terms in row.takes.items()
    )


def _readers(store: Store) -> str:
    return ", ".join(
        role if when is When.ALWAYS else f"{role} {when}" for role, when in store.readers.items()
    )


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
