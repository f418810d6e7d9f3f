"""What a tenant has and how it is called, for people: `python -m tenants show` prints it."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from plan.names import Names
from plan.tenant import TenantNames, tenant_names
from tenants.models import Isolation, NetworkMode, Registry

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
    if tenant.isolation is Isolation.SILO:
        yield "database", names.label("database", f"silo-{tenant_id}")
    if tenant.network is NetworkMode.DEDICATED:
        yield "network", f"tenant-{tenant_id}, {registry.ledger.networks[tenant_id]}"
