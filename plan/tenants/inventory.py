"""The names of everything that a tenant has, for `tenantry tenants show`."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from plan.data.databases import restored_name, silo_name
from plan.names import Names
from plan.tenants.keys import key_alias
from plan.tenants.tenant import TenantNames, tenant_names
from tenants.models import Registry
from tenants.states import PlacementKind

# Field of `TenantNames` → what it is the name of. A test holds the two together.
KINDS: Final = {
    "key_alias": "key alias",
    "bucket": "bucket",
    "role": "role",
    "topic": "topic",
    "database_secret": "secret",
    "webhook_secret": "secret",
    "api_key": "API key",
    "api_secret": "secret",
    "catalog": "parameter",
    "sql": "SQL role and schema",
}


def of_tenant(registry: Registry, account: str, tenant_id: str) -> Iterator[tuple[str, str]]:
    """Kind and physical name of each resource that is this tenant's alone."""
    tenant = next(t for t in registry.tenants if t.id == tenant_id)
    names = Names(registry.stack, account)
    own = tenant_names(names, tenant_id)
    for field in fields(TenantNames):
        if field.name == "webhook_secret" and tenant.contacts.webhook is None:
            continue
        yield KINDS[field.name], getattr(own, field.name)
    for number in range(2, tenant.key + 1):
        yield KINDS["key_alias"], key_alias(names, tenant_id, number)
    home = registry.ledger.placements.get(tenant_id)
    numbers = [(tenant.placement_kind, home.instance)] if home else []
    if tenant.move and home:
        numbers = [(tenant.move.origin, home.instance), (tenant.move.to, home.issued)]
    for kind, number in numbers:
        if kind.has_own_instance:
            yield "database", names.label("database", silo_name(tenant_id, number))
    if home and tenant.move and tenant.move.extracts:
        yield "database", names.label("database", restored_name(tenant_id, home.issued))
    if PlacementKind.DEDICATED in tenant.placement_kinds:
        yield "network", f"tenant-{tenant_id}, {registry.ledger.networks[tenant_id]}"
