"""What the tests of the services and of the edge stand on: a planned cell and the components before them."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

from pulumi import ResourceOptions
from pulumi_aws import iam

from components.common.context import CellContext
from components.data.database import Database, DatabaseArgs
from components.edge.edge import Edge, EdgeArgs
from components.network.dns import PrivateZone, PrivateZoneArgs
from components.network.network import Network, NetworkArgs
from components.services.cluster import Cluster, ClusterArgs
from components.services.fargate_service import task_role
from components.services.monolith import Monolith, MonolithArgs
from components.services.private_ca import PrivateCa, PrivateCaArgs
from components.services.report_service import ReportService, ReportServiceArgs
from components.services.revision import read_revision_records
from devtools.mocks import Recording, Registered, run
from plan import CellPlan, parse_settings, plan_cell
from plan.data.databases import DatabasePlan
from plan.services.services import ServicePlan
from tenants.models import Ledger, Registry
from tenants.models import ServicePlan as UsagePlan
from tests.cells import values_of

KEY = "arn:aws:kms:eu-west-1:111122223333:key/of-the-service"
BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"


@cache
def cell(stack: str = "dev", issuer: str = "cognito") -> CellPlan:
    """The cell of a stack's settings with two service plans and no tenant."""
    plans = [usage_plan("standard", 10, 20, 100_000), usage_plan("enterprise", 50, 100, 1_000_000)]
    registry = Registry(stack=stack, tenants=(), plans={p.id: p for p in plans}, ledger=Ledger())
    return plan_cell(parse_settings(stack, {**values_of(stack), "jwtIssuer": issuer}), registry)


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


def shared(plan: CellPlan) -> CellContext:
    return CellContext(
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
            "revisions": read_revision_records(self.shared, self.cluster),
            "shared": self.shared,
        }

    def monolith(self) -> Monolith:
        zone = PrivateZone(
            "internal", PrivateZoneArgs(domain=self.plan.internal_domain, vpc_id=self.network.vpc_id)
        )
        return Monolith(
            "monolith",
            MonolithArgs(
                plan=self.plan.monolith,
                database=self.database(self.plan.monolith_database),
                internal_zone_id=zone.zone_id,
                task_role=self.role(self.plan.monolith),
                **self.common(),
            ),
        )

    def reports(self, replicas: int) -> ReportService:
        return ReportService(
            "reports",
            ReportServiceArgs(
                plan=self.plan.reports,
                database=self.database(self.plan.reports_database, replicas),
                certificate_arn="arn:aws:acm:eu-west-1:111122223333:certificate/origin",
                monolith_host=self.plan.monolith.host,
                task_role=self.role(self.plan.reports),
                **self.common(),
            ),
        )

    def edge(self) -> Edge:
        return Edge(
            "edge",
            EdgeArgs(
                plan=self.plan,
                origin_host=self.plan.reports.host,
                balancer_arn="arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/reports/1",
                client_certificate_id="gateway-certificate",
                subnet_ids=self.network.subnet_ids["reports"],
                group_id=self.network.group_ids["vpc-link"],
                callouts_group_id=self.network.group_ids["callouts"],
                shared=self.shared,
            ),
        )


@cache
def services(stack: str, replicas: int = 2) -> Recording:
    """Both services of a stack, as they would be registered."""

    def program() -> None:
        parts = Parts(cell(stack))
        parts.monolith()
        parts.reports(replicas)

    return run(program, stack_name=stack)


@cache
def edge(stack: str, issuer: str = "cognito") -> Recording:
    return run(lambda: Parts(cell(stack, issuer)).edge(), stack_name=stack)


def container(recording: Recording, service: str) -> dict[str, Any]:
    """The one container of a service's task."""
    task = recording.one("ecs/taskDefinition:TaskDefinition", f"{service}-service-task-definition")
    found = json.loads(task.inputs["containerDefinitions"])
    assert len(found) == 1
    return found[0]


def environment(recording: Recording, service: str) -> dict[str, str]:
    return {e["name"]: e["value"] for e in container(recording, service)["environment"]}


def statements(policy: Registered) -> dict[str, dict[str, Any]]:
    """The statements of a policy by their ids."""
    found = json.loads(policy.inputs["policy"])["Statement"]
    assert len({s["Sid"] for s in found}) == len(found)
    return {s["Sid"]: s for s in found}
