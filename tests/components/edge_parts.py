"""What the tests of the services and of the edge stand on: a planned cell and the components before them."""

from dataclasses import replace
from functools import cache
from typing import Any

from pulumi import ResourceOptions
from pulumi_aws import iam

from components.cluster import Cluster, ClusterArgs
from components.database import Database, DatabaseArgs
from components.fargate_service import task_role
from components.network import Network, NetworkArgs
from components.private_ca import PrivateCa, PrivateCaArgs
from components.shared import Shared
from plan import CellPlan, parse_settings, plan_cell
from plan.data import DatabasePlan
from plan.services import ServicePlan
from tenants.models import Ledger, Registry
from tenants.models import ServicePlan as UsagePlan
from tests.cells import values_of

KEY = "arn:aws:kms:eu-west-1:111122223333:key/of-the-service"
BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"


@cache
def cell(stack: str = "dev") -> CellPlan:
    """The cell of a stack's settings with two service plans and no tenant."""
    plans = [usage_plan("standard", 10, 20, 100_000), usage_plan("enterprise", 50, 100, 1_000_000)]
    registry = Registry(stack=stack, tenants=(), plans={p.id: p for p in plans}, ledger=Ledger())
    return plan_cell(parse_settings(stack, values_of(stack)), registry)


def usage_plan(key: str, rate: float, burst: int, quota: int) -> UsagePlan:
    return UsagePlan(
        id=key,
        name=key.title(),
        rate_limit=rate,
        burst_limit=burst,
        quota=quota,
        quota_period="MONTH",
        budget_usd=100,
    )


def shared(plan: CellPlan) -> Shared:
    return Shared(
        settings=plan.settings,
        names=plan.names,
        boundary_arn=BOUNDARY,
        logs_key_arn="arn:aws:kms:eu-west-1:111122223333:key/of-the-logs",
        access_logs_bucket="access-logs",
        alarms_topic_arn="arn:aws:sns:eu-west-1:111122223333:alarms",
        alarms_key_arn="arn:aws:kms:eu-west-1:111122223333:key/of-the-alarms",
    )


class Parts:
    """Everything that a service is given, made as the platform makes it."""

    def __init__(self, plan: CellPlan) -> None:
        self.plan, self.shared = plan, shared(plan)
        self.network = Network(
            "network", NetworkArgs(plan=plan.network, paths=plan.paths, shared=self.shared)
        )
        self.cluster = Cluster("cluster", ClusterArgs(shared=self.shared))
        self.ca = PrivateCa("ca", PrivateCaArgs(plan=plan.ca, key_arn=f"{KEY}-ca", shared=self.shared))

    def database(self, plan: DatabasePlan, replicas: int = 0) -> Database:
        return Database(
            f"{plan.name}-database",
            DatabaseArgs(
                plan=replace(plan, replicas=replicas),
                subnet_group="subnets",
                parameter_group="parameters",
                monitoring_role_arn="arn:aws:iam::111122223333:role/monitoring",
                group_id=self.network.group_ids[plan.place.group],
                key_arn=KEY,
                shared=self.shared,
            ),
        )

    def role(self, plan: ServicePlan) -> iam.Role:
        return task_role(f"{plan.name}-task-role", plan, self.shared, ResourceOptions())

    def common(self) -> dict[str, Any]:
        return {
            "cluster_arn": self.cluster.arn,
            "cluster_name": self.cluster.name,
            "network": self.network,
            "ca": self.ca,
            "key_arn": KEY,
            "shared": self.shared,
        }
