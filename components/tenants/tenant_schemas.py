"""A tenant's schema in databases: role and schema, and the move between two databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Alias, Input, Output, ResourceOptions
from pulumi_aws import lambda_

from components.data.database import Database
from components.tenants.bootstrap import Bootstrap
from components.tenants.lifecycle_calls import LifecycleCall, lifecycle_call
from components.tenants.tenant_secrets import TenantSecrets
from components.tenants.tenant_worker import TenantWorker
from plan.tenants.placement import MovePlan, PlacePlan
from plan.tenants.tenant import TenantPlan
from tenants.phases import MoveMethod

# Raise it when the bootstrap function's guards change: every tenant's place is then gone over again.
REVISION: Final = 2


@dataclass(frozen=True, kw_only=True)
class TenantSchemasArgs:
    plan: TenantPlan
    protected: Mapping[str, Any]  # what the functions are told of its protected columns
    databases: Mapping[str, Database]  # its shard or its silo, both while it moves, by name
    restored: Database | None
    secrets: TenantSecrets
    bucket: Input[str]
    bootstrap: Bootstrap
    mover: TenantWorker
    network_dependencies: Sequence[pulumi.Resource]  # what lies between the functions and the databases


@dataclass(frozen=True)
class TenantSchemas:
    """What others of the tenant's wait for, and what was told of the move."""

    resources: Sequence[pulumi.Resource]
    moved: Output[Mapping[str, Any]] | None


def make_tenant_schemas(name: str, args: TenantSchemasArgs, parent: pulumi.Resource) -> TenantSchemas:
    """Each place by the name of its database; the move, where there is one, when both are there."""
    made = [_place(name, place, args, parent) for place in args.plan.places]
    if args.plan.move is None:
        return TenantSchemas(made, None)
    move = _move(name, args.plan.move, args, [*made, *args.network_dependencies], parent)
    return TenantSchemas([*made, move.resource], move.result)


def _place(
    name: str, place: PlacePlan, args: TenantSchemasArgs, parent: pulumi.Resource
) -> lambda_.Invocation:
    """Role, schema and grants."""
    plan = args.plan
    event = {
        **end_of(args.databases[place.database_name]),
        "tenantSecret": args.secrets.database_arn,
        "webhookSecret": args.secrets.webhook_arn,
        "login": plan.active,
        # Whether to let the tenant in is not this function's to say while it moves, nor from when on
        # its key is to be deleted: what it has left then is not opened again, and not logged in to.
        "hold": plan.move is not None or plan.released,
        "connections": place.limits.connections,
        "statementMs": place.limits.statement_ms,
        "idleMs": place.limits.idle_ms,
        **args.protected,
        "transactionMs": place.limits.transaction_ms,
    }
    # Before places had names of their own there was one, and it is where the tenant is or comes from.
    first = plan.places[0] is place
    opts = ResourceOptions(
        parent=parent,
        # Made anew, the old one must go first: its end takes the login away. The way must be there before
        # it, and still be there at its end.
        delete_before_replace=True,
        depends_on=list(args.network_dependencies),
        aliases=[Alias(name=f"{name}-place")] if first else None,
    )
    call = f"place-{place.database_name}"
    return _call(f"{name}-{call}", call, args.bootstrap, plan, event, opts).resource


def _move(
    name: str,
    move: MovePlan,
    args: TenantSchemasArgs,
    ready: Sequence[pulumi.Resource],
    parent: pulumi.Resource,
) -> LifecycleCall:
    """One stage for each change of it; what failed half way is called again by the next run."""
    event = {
        "stage": move.stage,
        "origin": end_of(args.databases[move.origin.database_name]),
        "target": end_of(args.databases[move.target.database_name]),
        "targetGib": move.target.storage_gib,
        "tenantSecret": args.secrets.database_arn,
        "bucket": args.bucket,
        "budgetSeconds": move.read_only_seconds,
        "catalog": args.plan.names.catalog,
        "readers": {
            end: args.databases[place.database_name].reader_endpoints
            for end, place in (("origin", move.origin), ("target", move.target))
        },
        **args.protected,
        **({"by": move.by} if move.by is not MoveMethod.REPLICATION else {}),
        **({"restoredTo": move.at} if move.at else {}),
        **({"restored": end_of(args.restored)} if args.restored else {}),
    }
    opts = ResourceOptions(parent=parent, depends_on=list(ready))
    return _call(f"{name}-move", "move", args.mover, args.plan, event, opts)


def _call(
    name: str,
    call: str,
    worker: Bootstrap | TenantWorker,
    plan: TenantPlan,
    event: Mapping[str, Any],
    opts: ResourceOptions,
) -> LifecycleCall:
    """Says whose place it is and, of secrets, their ARNs only: the function reads them itself."""
    whose = {"role": plan.names.sql, "schema": plan.names.sql}
    return lifecycle_call(
        name,
        call,
        function=worker.function_name,
        tenant=plan.id,
        event={**whose, **event, "revision": REVISION},
        records=worker.records,
        opts=opts,
    )


def end_of(database: Database) -> Mapping[str, Input[Any]]:
    """A database as the functions are told of it."""
    return {
        "host": database.endpoint,
        "port": database.port,
        "database": database.database,
        "masterSecret": database.master_secret_arn,
    }
