"""What one tenant gets: where its data lives and what its resources are called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from plan.data import CELL_NETWORK, DatabasePlan, Size, plan_silo
from plan.names import Names, sql_name
from plan.network import NetworkPlan, plan_dedicated_network
from plan.settings import Settings
from tenants.models import Isolation, NetworkMode, Registry, State, Tenant

PASSWORD_DAYS: Final = 30  # between rotations of a tenant's password
WEBHOOK_DAYS: Final = 90  # between rotations of what its webhooks are signed with
STATEMENT_MS: Final = 60_000
IDLE_MS: Final = 60_000  # in a transaction; it would hold back the cleaning of a shard's tables
FOR_TENANTS: Final = 0.8  # share of a database's connections that tenants may take, all together


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantNames:
    """Physical names of a tenant's resources; each derives from the tenant's id alone."""

    key_alias: str  # without the leading "alias/"
    bucket: str
    role: str
    topic: str
    database_secret: str
    webhook_secret: str
    api_key: str  # and the client of the same tenant
    api_secret: str
    catalog: str  # an SSM parameter, with its leading slash
    sql: str  # role and schema in PostgreSQL


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlLimits:
    """What a tenant's role may take of its database."""

    connections: int
    statement_ms: int = STATEMENT_MS
    idle_ms: int = IDLE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantPlan:
    id: str
    display_name: str
    isolation: Isolation
    active: bool  # False: suspended; its requests and its login are refused, its data stays
    service_plan: str
    budget_usd: int  # a month
    limits: SqlLimits
    key_rotation_days: int
    email: str
    webhook: str | None
    tags: Mapping[str, str]
    home: str  # name of the DatabasePlan that holds the tenant's data
    silo: DatabasePlan | None  # its own instance, or None in the pool
    network: NetworkPlan | None  # its own VPC, or None in the cell's
    names: TenantNames


def plan_tenant(settings: Settings, names: Names, registry: Registry, tenant: Tenant) -> TenantPlan:
    """Place one tenant. Reads this tenant's entries only, so that no other one can change the answer."""
    network = None
    if tenant.network is NetworkMode.DEDICATED:
        network = plan_dedicated_network(tenant.id, registry.ledger.networks[tenant.id], settings)
    silo = None
    if tenant.isolation is Isolation.SILO:
        silo = plan_silo(settings, names, tenant, network.name if network else CELL_NETWORK)
    return TenantPlan(
        id=tenant.id,
        display_name=tenant.name,
        isolation=tenant.isolation,
        active=tenant.state is State.ACTIVE,
        service_plan=tenant.plan,
        budget_usd=registry.plans[tenant.plan].budget_usd,
        limits=_limits(settings, silo),
        key_rotation_days=tenant.key_rotation_days,
        email=tenant.contacts.email,
        webhook=tenant.contacts.webhook,
        tags=dict(tenant.tags),
        home=silo.name if silo else registry.ledger.shards[tenant.id],
        silo=silo,
        network=network,
        names=tenant_names(names, tenant.id),
    )


def _limits(settings: Settings, silo: DatabasePlan | None) -> SqlLimits:
    """A full shard of busy tenants stays below its limit, so none of them can shut another out."""
    size = silo.size if silo else Size(settings.shard_instance_class, settings.shard_storage)
    sharing = 1 if silo else settings.shard_capacity
    return SqlLimits(connections=max(1, int(size.max_connections * FOR_TENANTS) // sharing))


def tenant_names(names: Names, tenant_id: str) -> TenantNames:
    """What a tenant's resources are called, known before any of them exists."""
    return TenantNames(
        key_alias=names.path("alias", "tenants", tenant_id),
        bucket=names.bucket("t", tenant_id),
        role=names.label("role", "tenant", tenant_id),
        topic=names.label("topic", "tenant", tenant_id),
        database_secret=names.path("secret", "tenants", tenant_id, "database"),
        webhook_secret=names.path("secret", "tenants", tenant_id, "webhook"),
        api_key=names.label("any", "tenant", tenant_id),
        api_secret=names.path("secret", "tenants", tenant_id, "api"),
        catalog="/" + names.path("parameter", "tenants", tenant_id),
        sql=sql_name(tenant_id),
    )
