"""The REST API, its stage, and the limits of each service plan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import apigateway, cloudwatch, iam

from components.common.context import CellContext
from components.common.iam_policy import Statement, document
from components.common.json_text import json_text
from plan.account.baseline import duties
from plan.edge.edge import EdgePlan
from tenants.models import ServicePlan as UsagePlan

# One line of JSON a request. Ids of keys and clients, never keys and tokens; no headers, no query.
ACCESS_LOG: Final = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "path": "$context.resourcePath",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "latencyMs": "$context.responseLatency",
    "originMs": "$context.integrationLatency",
    "originStatus": "$context.integrationStatus",
    "address": "$context.identity.sourceIp",
    "apiKeyId": "$context.identity.apiKeyId",
    "clientId": "$context.authorizer.claims.client_id",
    "tenant": "$context.authorizer.tenant",
    "wafStatus": "$context.wafResponseCode",
    "errorType": "$context.error.responseType",
    "traceId": "$context.xrayTraceId",
}


@dataclass(frozen=True, kw_only=True)
class RestApiArgs:
    plan: EdgePlan
    body: Input[str]  # the contract with the gateway's extensions, JSON
    client_certificate_id: Input[str]  # shown to the origin
    shared: CellContext


class RestApi(pulumi.ComponentResource):
    """Deployed anew whenever its body changes; reached under its own domain and no other.

    It has no resource policy: one that let everybody in would say nothing. Who comes in is up to the
    authoriser and the API key, and before them to the firewall.
    """

    rest_api_id: Output[str]
    stage_name: Output[str]
    stage_arn: Output[str]
    usage_plan_ids: Mapping[str, Output[str]]

    def __init__(self, name: str, args: RestApiArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:edge:RestApi", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        api = apigateway.RestApi(
            f"{name}-api",
            name=args.plan.name,
            body=args.body,
            api_key_source="HEADER",
            disable_execute_api_endpoint=True,
            endpoint_configuration={"types": "REGIONAL"},
            opts=self._child,
        )
        deployment = apigateway.Deployment(
            f"{name}-deployment",
            rest_api=api.id,
            triggers={"body": Output.from_input(args.body).apply(_digest)},
            opts=self._child,
        )
        stage = self._make_stage(api, deployment)
        self._limit(api, stage)
        self.rest_api_id, self.stage_name, self.stage_arn = api.id, stage.stage_name, stage.arn
        self.usage_plan_ids = {p.id: self._make_usage_plan(api, stage, p) for p in args.plan.usage_plans}
        self.register_outputs({"restApiId": self.rest_api_id, "stageArn": self.stage_arn})

    def _make_logs(self, role: str, group: Input[str]) -> cloudwatch.LogGroup:
        shared = self._args.shared
        return cloudwatch.LogGroup(
            f"{self._name}-{role}-logs",
            name=group,
            kms_key_id=shared.logs_key_arn,
            retention_in_days=shared.settings.audit_log_days,
            opts=self._child,
        )

    def _make_stage(self, api: apigateway.RestApi, deployment: apigateway.Deployment) -> apigateway.Stage:
        plan = self._args.plan
        access = self._make_logs("access", plan.access_log_group)
        return apigateway.Stage(
            f"{self._name}-stage",
            rest_api=api.id,
            deployment=deployment.id,
            stage_name=plan.stage,
            client_certificate_id=self._args.client_certificate_id,
            cache_cluster_enabled=False,  # answers are one tenant's and must reach no other
            xray_tracing_enabled=True,
            access_log_settings={
                "destination_arn": access.arn,
                "format": json_text(ACCESS_LOG, compact=True),
            },
            # AWS refuses a stage with logs before the Region's gateway has a role to write them.
            opts=ResourceOptions(parent=self, depends_on=self._make_account()),
        )

    def _make_account(self) -> list[apigateway.Account]:
        """The one setting of API Gateway that is the Region's and not an API's."""
        shared = self._args.shared
        if not duties(shared.settings).region:
            return []
        role = iam.Role(
            f"{self._name}-logs-role",
            name=shared.names.label("role", "api-logs"),
            description="API Gateway writes its logs",
            # Without a condition: the gateway checks the role in no API's name when it takes it.
            assume_role_policy=document(
                Statement(
                    sid="Assume",
                    actions=["sts:AssumeRole"],
                    principals={"Service": ["apigateway.amazonaws.com"]},
                )
            ),
            permissions_boundary=shared.boundary_arn,
            opts=self._child,
        )
        attached = iam.RolePolicyAttachment(
            f"{self._name}-logs-policy",
            role=role.name,
            policy_arn="arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
            opts=self._child,
        )
        account = apigateway.Account(
            f"{self._name}-account",
            cloudwatch_role_arn=role.arn,
            opts=ResourceOptions(parent=self, depends_on=[attached]),
        )
        return [account]

    def _limit(self, api: apigateway.RestApi, stage: apigateway.Stage) -> None:
        """For every method: metrics, errors in the log, bodies never, no more than so many requests."""
        plan = self._args.plan
        # Made before the gateway would make it, without a key and for ever.
        errors = self._make_logs(
            "execution", Output.concat("API-Gateway-Execution-Logs_", api.id, "/", plan.stage)
        )
        apigateway.MethodSettings(
            f"{self._name}-methods",
            rest_api=api.id,
            stage_name=stage.stage_name,
            method_path="*/*",
            settings={
                "metrics_enabled": True,
                "logging_level": "ERROR",
                "data_trace_enabled": False,
                "throttling_rate_limit": plan.rate,
                "throttling_burst_limit": plan.burst,
                "caching_enabled": False,
                "cache_data_encrypted": True,  # were somebody to turn it on by hand
                "require_authorization_for_cache_control": True,
                "unauthorized_cache_control_header_strategy": "FAIL_WITH_403",
            },
            opts=ResourceOptions(parent=self, depends_on=[errors]),
        )

    def _make_usage_plan(
        self, api: apigateway.RestApi, stage: apigateway.Stage, plan: UsagePlan
    ) -> Output[str]:
        """One for each service plan and never one for each tenant: an account has 300 (2026-11)."""
        return apigateway.UsagePlan(
            f"{self._name}-plan-{plan.id}",
            name=self._args.shared.names.label("any", "plan", plan.id),
            description=plan.name,
            api_stages=[{"api_id": api.id, "stage": stage.stage_name}],
            throttle_settings={"rate_limit": plan.rate_limit, "burst_limit": plan.burst_limit},
            quota_settings={"limit": plan.quota, "period": plan.quota_period},
            opts=self._child,
        ).id


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
