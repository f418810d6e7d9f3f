"""Small cells for the tests of single components: settings, shared parts and tenants of every kind."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from pulumi import Output

from components.common.context import CellContext
from components.data.database import Database, DatabaseArgs
from components.edge.entrance import ApiEntrance, ClientPool
from components.operations.protected_check import ProtectedCheck, ProtectedCheckArgs
from components.tenants.bootstrap import Bootstrap, BootstrapArgs
from components.tenants.lifecycle_calls import CallRecords, records_path
from components.tenants.lifecycle_machine import LifecycleMachine, LifecycleMachineArgs
from components.tenants.tenant_key_and_role import TenantKeyAndRole, TenantKeyAndRoleArgs
from components.tenants.tenant_mover import MOVER
from components.tenants.tenant_offboarder import LEAVER
from components.tenants.tenant_rekeyer import REKEYER
from components.tenants.tenant_resources import TenantResources, TenantResourcesArgs
from components.tenants.tenant_worker import TenantWorker, TenantWorkerArgs, WorkerKind, Workers
from devtools.mocks import Recording, Registered, run
from plan.data.databases import DatabasePlan, plan_shards
from plan.names import Names
from plan.services.protected_check import plan_protected_check
from plan.services.services import FunctionPlan, plan_leaver, plan_mover, plan_rekeyer
from plan.tenants.lifecycle_machine import plan_lifecycle
from plan.tenants.tenant import TenantPlan, plan_tenant
from tenants import models
from tenants.lifecycle.edit_checks import placement_of
from tests.cells import settings_of
from tests.strategies import DAY

ACME = models.Tenant(
    id="acme", name="Acme", isolation=models.Isolation.POOL, residency="eu", plan="basic",
    contacts=models.Contacts(email="ops@acme.example"),
)  # fmt: skip
BOLT = replace(ACME, id="bolt", name="Bolt", contacts=models.Contacts(email="ops@bolt.example"))
CASA = replace(
    ACME, id="casa", isolation=models.Isolation.SILO,
    contacts=models.Contacts(email="ops@casa.example", webhook="https://hooks.casa.example/t"),
)  # fmt: skip
DUNE = replace(
    CASA,
    id="dune",
    name="Dune",
    network=models.NetworkMode.DEDICATED,
    contacts=models.Contacts(email="ops@dune.example", webhook="https://hooks.dune.example/t"),
)
BASIC = models.ServicePlan(
    id="basic", name="Basic", rate_limit=5, burst_limit=10, quota=1000, quota_period="DAY", budget_usd=250
)


def names(stack: str = "dev") -> Names:
    return Names(stack, settings_of(stack).account_id)


def shared(stack: str = "dev") -> CellContext:
    return CellContext(
        settings=settings_of(stack),
        names=names(stack),
        boundary_arn="arn:boundary",
        logs_key_arn="arn:logs-key",
        access_logs_bucket="access-logs",
        alarms_topic_arn="arn:alarms",
        alarms_key_arn="arn:alarms-key",
    )


def registry(*tenants: models.Tenant, stack: str = "dev") -> models.Registry:
    pooled = [t.id for t in tenants if t.isolation is models.Isolation.POOL]
    dedicated = [t.id for t in tenants if t.network is models.NetworkMode.DEDICATED]
    return models.Registry(
        stack=stack,
        tenants=tuple(sorted(tenants, key=lambda t: t.id)),
        plans={"basic": BASIC},
        ledger=models.Ledger(
            shards=dict.fromkeys(pooled, "shard-a"),
            networks={t: f"10.64.{8 * i}.0/21" for i, t in enumerate(dedicated)},
            placements={t.id: placement_of(t, None, DAY) for t in tenants},
        ),
    )


def tenant_plan(tenant: models.Tenant, stack: str = "dev") -> TenantPlan:
    return plan_tenant(settings_of(stack), names(stack), registry(tenant, stack=stack), tenant)


def shard_plan(stack: str = "dev") -> DatabasePlan:
    return plan_shards(settings_of(stack), names(stack), registry(ACME, stack=stack))[0]


def make_database(plan: DatabasePlan, stack: str = "dev") -> Database:
    return Database(
        plan.name,
        DatabaseArgs(
            plan=plan,
            subnet_group="subnets",
            parameter_group="parameters",
            monitoring_role_arn="arn:monitoring",
            group_id="sg-db",
            key_arn=f"arn:key-of-{plan.owner or plan.name}",
            shared=shared(stack),
        ),
    )


def records(stack: str, **found: str) -> CallRecords:
    """What functions have recorded of their calls: nothing yet, or JSON by parameter."""
    return CallRecords(path=records_path(shared(stack)), values=Output.from_input(found))


def make_bootstrap(stack: str = "dev") -> Bootstrap:
    return Bootstrap(
        "bootstrap",
        BootstrapArgs(
            subnet_ids=["subnet-a", "subnet-b"],
            group_id="sg-fn",
            records=records(stack),
            shared=shared(stack),
        ),
    )


def make_machine(stack: str = "dev") -> LifecycleMachine:
    plan = plan_lifecycle(names(stack))
    args = LifecycleMachineArgs(
        plan=plan, subnet_ids=["subnet-a"], group_id="sg-starters", shared=shared(stack)
    )
    return LifecycleMachine("lifecycle", args)


def make_workers(stack: str = "dev") -> Workers:
    machine = make_machine(stack)

    def made(kind: WorkerKind, plan: FunctionPlan) -> TenantWorker:
        args = TenantWorkerArgs(
            kind=kind,
            plan=plan,
            subnet_ids=["subnet-a"],
            group_id="sg-fn",
            machine=machine,
            records=records(stack),
            shared=shared(stack),
        )
        return TenantWorker(kind.word, args)

    return Workers(
        mover=made(MOVER, plan_mover(names(stack))),
        rekeyer=made(REKEYER, plan_rekeyer(names(stack))),
        leaver=made(LEAVER, plan_leaver(names(stack))),
    )


CLIENTS = ClientPool(
    user_pool_id="the-pool",
    scopes=["reports/read", "reports/write"],
    token_url="https://auth.example/oauth2/token",
)


def make_tenants(
    tenants: Iterable[models.Tenant], stack: str = "dev", clients: ClientPool | None = CLIENTS
) -> None:
    """What the platform does for its tenants: shared parts first, then one tenant beside the other."""
    bootstrap, workers = make_bootstrap(stack), make_workers(stack)
    check = ProtectedCheck(
        "protected-columns",
        ProtectedCheckArgs(
            plan=plan_protected_check(names(stack)),
            function_arn=bootstrap.function_arn,
            shared=shared(stack),
        ),
    )
    found = list(tenants)
    shard = (
        make_database(shard_plan(stack), stack)
        if any(t.isolation is models.Isolation.POOL for t in found)
        else None
    )
    for tenant in found:
        plan = tenant_plan(tenant, stack)
        identity = TenantKeyAndRole(
            f"{plan.id}-identity",
            TenantKeyAndRoleArgs(
                plan=plan,
                service_role_arns={"monolith": "arn:monolith-role", "reports": "arn:reports-role"},
                bootstrap_role_arn=bootstrap.role_arn,
                workers=workers,
                shared=shared(stack),
            ),
        )
        homes = {p.database_name: make_database(p.silo, stack) if p.silo else shard for p in plan.places}
        TenantResources(
            plan.id,
            TenantResourcesArgs(
                plan=plan,
                identity=identity,
                databases={name: home for name, home in homes.items() if home},
                bootstrap=bootstrap,
                workers=workers,
                protected_check=check,
                entrance=ApiEntrance(
                    url="https://api.dev.tenantry.example",
                    usage_plan_ids={"basic": "usage-basic"},
                    clients=clients,
                ),
                shared=shared(stack),
            ),
        )


def record(program: Callable[[], object], stack: str = "dev") -> Recording:
    return run(program, stack_name=stack)


def secret_free(value: Any) -> Any:
    """Inputs without the engine's secret marks: what a person would see of them."""
    if isinstance(value, Mapping):
        if value.get("4dabf18193072939515e22adb298388d"):
            return secret_free(value.get("value"))
        return {k: secret_free(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [secret_free(v) for v in value]
    return value


def of_tenant(recording: Recording, tenant_id: str) -> list[Registered]:
    """Everything that is one tenant's: its identity, its place, its silo, and all below them."""
    heads = {tenant_id, f"{tenant_id}-identity", f"silo-{tenant_id}"}
    by_urn = {r.urn: r for r in recording.resources}

    def head(r: Registered) -> str:
        return head(by_urn[r.parent]) if r.parent in by_urn else r.name

    return [r for r in recording.resources if head(r) in heads]
