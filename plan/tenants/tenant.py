"""The plan of one tenant: where its data is, and what its resources are called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from plan.data.databases import DatabasePlan
from plan.names import Names, sql_name
from plan.network.network import NetworkPlan
from plan.settings import Settings
from plan.tenants.keys import KeysPlan, key_alias, plan_keys
from plan.tenants.offboarding import handover_bucket
from plan.tenants.placement import MovePlan, PlacePlan, plan_places
from tenants.models import Registry, Tenant
from tenants.phases import Phase, Released
from tenants.states import Leaving

PASSWORD_DAYS: Final = 30  # between rotations of a tenant's password
WEBHOOK_DAYS: Final = 90  # between rotations of what its webhooks are signed with


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantNames:
    """Physical names of a tenant's resources; each derives from the tenant's id alone."""

    key_alias: str  # of its first key, without the leading "alias/"
    bucket: str
    role: str
    topic: str
    database_secret: str
    webhook_secret: str
    api_key: str  # and the client of the same tenant
    api_secret: str
    catalog: str  # an SSM parameter, with its leading slash
    protected_check: str  # the schedule that has its protected columns looked at
    sql: str  # role and schema in PostgreSQL


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantPlan:
    """`place` is where the services find the tenant's data; a move has a second one."""

    id: str
    display_name: str
    phase: Phase
    active: bool  # False: suspended; its requests and its login are refused, its data stays
    service_plan: str
    budget_usd: int  # a month
    keys: KeysPlan
    key_rotation_days: int
    protected_columns: tuple[str, ...]  # table.column; their values are encrypted under the tenant's key
    email: str
    webhook: str | None
    tags: Mapping[str, str]
    place: PlacePlan
    move: MovePlan | None
    leaving_tag: str | None  # how far it has come on its way out, as its resources' tag says; None: it stays
    released: bool  # what is the tenant's has lost its protection, to be erased
    handover: str | None  # the bucket with a copy of its data, where it was handed over
    own_instances: bool  # whether it has or had any: their backups are under its key
    names: TenantNames

    @property
    def places(self) -> tuple[PlacePlan, ...]:
        """Every place that the tenant has now."""
        return (self.move.origin, self.move.target) if self.move else (self.place,)

    @property
    def checked_daily(self) -> bool:
        """Whether somebody looks at its protected columns; once it leaves, no row changes any more."""
        return bool(self.protected_columns) and self.leaving_tag is None

    @property
    def silos(self) -> tuple[DatabasePlan, ...]:
        """Instances of its own."""
        return tuple(p.silo for p in self.places if p.silo)

    @property
    def networks(self) -> tuple[NetworkPlan, ...]:
        """Networks of its own."""
        found = {p.network.name: p.network for p in self.places if p.network}  # one for both of a restore
        return tuple(found.values())


def plan_tenant(settings: Settings, names: Names, registry: Registry, tenant: Tenant) -> TenantPlan:
    """Place one tenant. Reads this tenant's entries only, so that no other one can change the answer."""
    place, move = plan_places(settings, names, registry, tenant)
    return TenantPlan(
        id=tenant.id,
        display_name=tenant.name,
        phase=tenant.phase,
        active=tenant.state is Phase.ACTIVE,
        service_plan=tenant.plan,
        budget_usd=registry.plans[tenant.plan].budget_usd,
        keys=plan_keys(names, tenant, registry.ledger.placements[tenant.id]),
        key_rotation_days=tenant.key_rotation_days,
        protected_columns=tenant.protected_columns,
        email=tenant.contacts.email,
        webhook=tenant.contacts.webhook,
        tags=dict(tenant.tags),
        place=place,
        move=move,
        leaving_tag=tenant.phase.row.tag,
        released=tenant.phase.row.released is Released.ALL,
        handover=handover_bucket(names, tenant.id) if (tenant.leaving or Leaving()).handed_over else None,
        own_instances=registry.ledger.placements[tenant.id].issued > 0,
        names=tenant_names(names, tenant.id),
    )


def tenant_names(names: Names, tenant_id: str) -> TenantNames:
    """What a tenant's resources are called, known before any of them exists."""
    return TenantNames(
        key_alias=key_alias(names, tenant_id, 1),
        bucket=names.bucket("t", tenant_id),
        role=names.label("role", "tenant", tenant_id),
        topic=names.label("topic", "tenant", tenant_id),
        database_secret=names.path("secret", "tenants", tenant_id, "database"),
        webhook_secret=names.path("secret", "tenants", tenant_id, "webhook"),
        api_key=names.label("any", "tenant", tenant_id),
        api_secret=names.path("secret", "tenants", tenant_id, "api"),
        catalog="/" + names.path("parameter", "tenants", tenant_id),
        protected_check=names.label("schedule", "protected", tenant_id),
        sql=sql_name(tenant_id),
    )
