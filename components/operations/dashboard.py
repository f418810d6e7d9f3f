"""The CloudWatch dashboard of a cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import cloudwatch

from components.services.fargate_service import FargateService
from plan import CellPlan
from plan.operations.dashboard import Front, dashboard_body


@dataclass(frozen=True, kw_only=True)
class DashboardArgs:
    plan: CellPlan
    services: Mapping[str, FargateService]


class Dashboard(pulumi.ComponentResource):
    """What is on it is planned; only the balancers' ids are AWS's to give."""

    name: Output[str]

    def __init__(self, name: str, args: DashboardArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:operations:Dashboard", name, None, opts)
        suffixes = {
            service: Output.all(balancer=made.balancer_suffix, targets=made.target_group_suffix)
            for service, made in args.services.items()
        }

        def body(found: Mapping[str, Mapping[str, Any]]) -> str:
            return dashboard_body(args.plan, {s: Front(**front) for s, front in found.items()})

        dashboard = cloudwatch.Dashboard(
            f"{name}-page",
            dashboard_name=args.plan.names.label("any", "cell"),
            dashboard_body=Output.all(**suffixes).apply(body),
            opts=ResourceOptions(parent=self),
        )
        self.name = dashboard.dashboard_name
        self.register_outputs({"name": self.name})
