"""One tenant: identity and key, its own network and instance if it has them, its schema, its resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.common.context import CellContext
from components.common.waiting import after
from components.data.cell_data import CellData
from components.data.database import Database
from components.data.database_commons import DatabaseSubnets, DatabaseSubnetsArgs
from components.edge.edge import Edge
from components.network.network import Network, NetworkArgs
from components.network.peering import Peering, PeeringArgs
from components.operations.protected_check import ProtectedCheck
from components.tenants.bootstrap import Bootstrap
from components.tenants.tenant_key_and_role import (
    TenantKeyAndRole,
    TenantKeyAndRoleArgs,
    protected_columns,
)
from components.tenants.tenant_resources import TenantResources, TenantResourcesArgs
from components.tenants.tenant_worker import Workers
from plan.data.databases import DatabasePlan
from plan.network.network import NetworkPlan
from plan.tenants.placement import PlacePlan
from plan.tenants.tenant import TenantPlan


@dataclass(frozen=True, kw_only=True)
class TenantStackArgs:
    """What a tenant takes from its cell. Nothing here is another tenant's."""

    plan: TenantPlan
    cell_network: Network
    cell_network_plan: NetworkPlan
    data: CellData
    bootstrap: Bootstrap
    workers: Workers
    protected_check: ProtectedCheck
    # Given the ARNs of all its keys, makes what comes before everything that is under them.
    key_prerequisite: Callable[[Sequence[Output[str]]], pulumi.Resource] | None = None
    edge: Edge
    service_role_arns: Mapping[str, Input[str]]
    shared: CellContext


class TenantStack(pulumi.ComponentResource):
    """Everything below it is this tenant's alone, and carries its id in its name."""

    tenant: TenantResources
    key_arns: Sequence[Output[str]]  # by number; the last is in use
    protected: Mapping[str, Any]  # what the functions are told of its protected columns
    summary: Output[Mapping[str, Any]]
    moved: Output[Mapping[str, Any]] | None

    def __init__(self, name: str, args: TenantStackArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:tenancy:Tenancy", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        identity = TenantKeyAndRole(
            f"{name}-identity",
            TenantKeyAndRoleArgs(
                plan=args.plan,
                service_role_arns=args.service_role_arns,
                bootstrap_role_arn=args.bootstrap.role_arn,
                workers=args.workers,
                shared=args.shared,
            ),
            self._child,
        )
        self._keys = {number: key.arn for number, key in sorted(identity.keys.items())}
        self.key_arns = list(self._keys.values())
        self.protected = protected_columns(args.plan, self.key_arns)
        self._network_dependencies: list[pulumi.Resource] = []
        self._subnets: dict[str, DatabaseSubnets] = {}
        if args.key_prerequisite:
            self._network_dependencies.append(args.key_prerequisite(self.key_arns))
            self._keys = {n: after(arn, [self._network_dependencies[0].urn]) for n, arn in self._keys.items()}
        networks = {plan.name: self._network(plan) for plan in args.plan.networks}
        self.tenant = tenant = TenantResources(
            f"{name}-tenant",
            TenantResourcesArgs(
                plan=args.plan,
                identity=identity,
                databases={p.database_name: self._database(p, networks) for p in args.plan.places},
                restored=self._restored(),
                bootstrap=args.bootstrap,
                workers=args.workers,
                protected_check=args.protected_check,
                entrance=args.edge.entrance,
                network_dependencies=self._network_dependencies,
                shared=args.shared,
            ),
            self._child,
        )
        self.summary, self.moved = tenant.summary, tenant.moved
        self.register_outputs({"summary": self.summary})

    def _network(self, plan: NetworkPlan) -> Network:
        args = self._args
        network = Network(
            f"{self._name}-network", NetworkArgs(plan=plan, paths=(), shared=args.shared), self._child
        )
        peering = Peering(
            f"{self._name}-peering",
            PeeringArgs(
                cell=args.cell_network,
                cell_plan=args.cell_network_plan,
                tenant=network,
                tenant_plan=plan,
                shared=args.shared,
            ),
            self._child,
        )
        self._network_dependencies.append(peering)
        return network

    def _database(self, place: PlacePlan, networks: Mapping[str, Network]) -> Database:
        if place.silo is None:
            return self._args.data.shards[place.database_name]
        return self._silo(place.silo, networks.get(place.silo.place.network))

    def _restored(self) -> Database | None:
        """Its shard as it was, while it is restored from there; under the shard's key."""
        move, data = self._args.plan.move, self._args.data
        if move is None or move.restored is None:
            return None
        key = data.key_arns[move.origin.database_name]
        return data.place(move.restored, key, self._args.cell_network, None, self._child)

    def _silo(self, plan: DatabasePlan, network: Network | None) -> Database:
        subnets = self._subnets_of(plan, network) if network else None
        key = self._keys[plan.key]
        return self._args.data.place(plan, key, network or self._args.cell_network, subnets, self._child)

    def _subnets_of(self, plan: DatabasePlan, network: Network) -> DatabaseSubnets:
        """One for all instances of a network: while a restore is on there are two."""
        segment = plan.place.segment
        if segment not in self._subnets:
            self._subnets[segment] = DatabaseSubnets(
                f"{self._name}-{segment}",
                DatabaseSubnetsArgs(
                    network=plan.place.network,
                    segment=segment,
                    subnet_ids=network.subnet_ids[segment],
                    shared=self._args.shared,
                ),
                self._child,
            )
        return self._subnets[segment]
