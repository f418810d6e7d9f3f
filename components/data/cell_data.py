"""The databases of a cell that belong to no tenant: the services' own, and the shards of the pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.common.context import CellContext
from components.common.key import EncryptionKey, EncryptionKeyArgs
from components.data.database import Database, DatabaseArgs
from components.data.database_commons import DatabaseCommons, DatabaseSubnets, DatabaseSubnetsArgs
from components.data.database_copy import CopyPlace, DatabaseCopy, DatabaseCopyArgs
from components.network.network import Network
from plan import CellPlan
from plan.data.databases import DatabasePlan

SEGMENTS = ("monolith-data", "reports-data", "pool-data", "silo-data")


@dataclass(frozen=True, kw_only=True)
class CellDataArgs:
    plan: CellPlan
    network: Network
    monolith_role_arn: Input[str]
    reports_role_arn: Input[str]
    copies: CopyPlace | None  # where backups are copied to
    shared: CellContext


class CellData(pulumi.ComponentResource):
    """Each database under a key of its own, which also encrypts what its service keeps elsewhere."""

    monolith: Database
    reports: Database
    shards: Mapping[str, Database]
    key_arns: Mapping[str, Output[str]]  # by the name of the database

    def __init__(self, name: str, args: CellDataArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:data:CellData", name, None, opts)
        self._args, self._child = args, ResourceOptions(parent=self)
        self.key_arns = {}
        self._commons = DatabaseCommons(f"{name}-commons", args.shared, self._child)
        self._subnets = {s: _subnets(f"{name}-{s}", s, args, self._child) for s in SEGMENTS}
        plan = args.plan
        self.monolith = self._own(plan.monolith_database, {"task": args.monolith_role_arn})
        self.reports = self._own(plan.reports_database, {"task": args.reports_role_arn})
        self.shards = {s.name: self._own(s, {}) for s in plan.shards}
        self.register_outputs({"shards": {n: d.endpoint for n, d in self.shards.items()}})

    def _own(self, plan: DatabasePlan, users: Mapping[str, Input[str]]) -> Database:
        """A database under a key that this makes; `users` may use the key beyond the database."""
        shared = self._args.shared
        key = EncryptionKey(
            f"{plan.name}-data",
            EncryptionKeyArgs(
                settings=shared.settings,
                alias=shared.names.path("alias", plan.name),
                purpose=f"Database {plan.name} and what goes with it",
                users=users,
                via=("rds", "secretsmanager"),
            ),
            self._child,
        )
        self.key_arns = {**self.key_arns, plan.name: key.arn}
        return self.place(plan, key.arn, self._args.network, self._subnets[plan.place.segment], self._child)

    def place(
        self,
        plan: DatabasePlan,
        key_arn: Input[str],
        network: Network,
        subnets: DatabaseSubnets | None,
        child: ResourceOptions,
    ) -> Database:
        """A database in `network`, below `child`'s parent; None for the subnets of the cell's own segment."""
        group = subnets or self._subnets[plan.place.segment]
        database = Database(
            plan.name,
            DatabaseArgs(
                plan=plan,
                subnet_group=group.group_name,
                parameter_group=self._commons.parameter_group,
                monitoring_role_arn=self._commons.monitoring_role_arn,
                group_id=network.group_ids[plan.place.group],
                key_arn=key_arn,
                shared=self._args.shared,
            ),
            child,
        )
        self._copy(plan, database, child)
        return database

    def _copy(self, plan: DatabasePlan, database: Database, child: ResourceOptions) -> None:
        args = self._args
        if args.copies and plan.copied:
            DatabaseCopy(
                f"{plan.name}-copy",
                DatabaseCopyArgs(plan=plan, source_arn=database.arn, place=args.copies, shared=args.shared),
                child,
            )


def _subnets(name: str, segment: str, args: CellDataArgs, child: ResourceOptions) -> DatabaseSubnets:
    return DatabaseSubnets(
        name,
        DatabaseSubnetsArgs(
            network=args.plan.network.name,
            segment=segment,
            subnet_ids=args.network.subnet_ids[segment],
            shared=args.shared,
        ),
        child,
    )
