"""The plan of a whole cell: everything that will exist, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass

from plan.account.deploy_roles import DeploymentPlan, plan_deployment
from plan.data.backups import VaultPlan, plan_vault, settings_of_copies
from plan.data.databases import DatabasePlan, plan_monolith_database, plan_reports_database, plan_shards
from plan.edge.edge import EdgePlan, plan_edge
from plan.names import Names
from plan.network.network import NetworkPlan, plan_cell_network
from plan.network.paths import CELL_PATHS, PathPlan, follow_paths
from plan.services.certificates import CaPlan, plan_ca
from plan.services.keep_active import KeepActivePlan, plan_keep_active
from plan.services.protected_check import ProtectedCheckPlan, plan_protected_check
from plan.services.services import (
    FunctionPlan,
    ReportsPlan,
    ServicePlan,
    internal_domain,
    plan_leaver,
    plan_monolith,
    plan_mover,
    plan_rekeyer,
    plan_reports,
)
from plan.services.session_watch import SessionWatchPlan, plan_session_watch
from plan.settings import Settings
from plan.tenants.lifecycle_machine import LifecyclePlan, plan_lifecycle
from plan.tenants.offboarding import LeavingPlan, plan_leaving, staying
from plan.tenants.tenant import TenantPlan, plan_tenant
from tenants.models import Registry
from tenants.models import ServicePlan as UsagePlan
from tenants.phases import MoveMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPlan:
    """All that the components need to know; they decide nothing that is not in here."""

    settings: Settings
    names: Names
    deployment: DeploymentPlan | None
    network: NetworkPlan
    paths: tuple[PathPlan, ...]
    internal_domain: str
    monolith: ServicePlan
    reports: ReportsPlan
    lifecycle: LifecyclePlan
    mover: FunctionPlan
    rekeyer: FunctionPlan
    keep_active: KeepActivePlan
    protected_check: ProtectedCheckPlan
    session_watch: SessionWatchPlan | None
    ca: CaPlan
    monolith_database: DatabasePlan
    reports_database: DatabasePlan
    shards: tuple[DatabasePlan, ...]
    vault: VaultPlan | None
    copies: Settings | None  # the settings as they are where database backups are copied to
    edge: EdgePlan
    usage_plans: tuple[UsagePlan, ...]
    tenants: tuple[TenantPlan, ...]
    leaving: tuple[LeavingPlan, ...]
    leaver: FunctionPlan

    @property
    def tags(self) -> Mapping[str, str]:
        """On every resource, by the provider's default tags."""
        return {"project": "tenantry", "cell": self.settings.stack, "environment": self.settings.environment}


def plan_cell(settings: Settings, registry: Registry) -> CellPlan:
    """Where everything goes. The order of tenants in the registry's file means nothing."""
    names = Names(settings.stack, settings.account_id)
    tenants = sorted(staying(registry.tenants), key=lambda t: t.id)
    shards = plan_shards(settings, names, registry)
    monolith, reports = plan_monolith(settings, names), plan_reports(settings, names)
    moves = [t.placement_kinds for t in tenants if t.move and t.move.by is MoveMethod.REPLICATION]
    return CellPlan(
        settings=settings,
        names=names,
        deployment=plan_deployment(settings, names),
        network=plan_cell_network(settings, moves),
        paths=(*CELL_PATHS, *follow_paths(moves)),
        internal_domain=internal_domain(names),
        monolith=monolith,
        reports=reports,
        lifecycle=plan_lifecycle(names),
        mover=plan_mover(names),
        rekeyer=plan_rekeyer(names),
        keep_active=plan_keep_active(names),
        protected_check=plan_protected_check(names),
        session_watch=plan_session_watch(names, shards),
        ca=plan_ca(settings, monolith, reports, internal_domain(names)),
        monolith_database=plan_monolith_database(settings, names),
        reports_database=plan_reports_database(settings, names),
        shards=shards,
        vault=plan_vault(settings, names),
        copies=settings_of_copies(settings),
        edge=plan_edge(settings, names, registry.plans.values()),
        usage_plans=tuple(sorted(registry.plans.values(), key=lambda p: p.id)),
        tenants=tuple(plan_tenant(settings, names, registry, t) for t in tenants),
        leaving=plan_leaving(settings, names, registry),
        leaver=plan_leaver(names),
    )
