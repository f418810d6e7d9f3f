"""The edge of a cell: one public API in front of the private report service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import apigateway, apigatewayv2

from api import contract
from components.common.alarms import Watched, alarms
from components.common.context import CellContext
from components.edge.api import RestApi, RestApiArgs
from components.edge.entrance import ApiEntrance
from components.edge.gateway_body import TOKEN, Origin, gateway_body
from components.edge.identity import Identity, IdentityArgs
from components.edge.public_certificate import PublicCertificate, PublicCertificateArgs
from components.edge.token_authoriser import TokenAuthoriser, TokenAuthoriserArgs
from components.edge.waf import Waf, WafArgs
from components.network.dns import AliasArgs, alias
from plan import CellPlan
from plan.edge.edge import EDGE_ALARMS


@dataclass(frozen=True, kw_only=True)
class EdgeArgs:
    """The origin is a balancer inside the cell's network, under the name that its certificate has."""

    plan: CellPlan
    origin_host: str
    balancer_arn: Input[str]
    client_certificate_id: Input[str]  # the one that the origin expects
    subnet_ids: Sequence[Input[str]]  # where the gateway's private way in begins
    group_id: Input[str]
    callouts_group_id: Input[str]  # of functions that call servers outside
    shared: CellContext


class Edge(pulumi.ComponentResource):
    """Token, API key and usage plan of the caller are checked here; the origin is told who it was."""

    url: str
    rest_api_id: Output[str]
    stage_arn: Output[str]
    usage_plan_ids: Mapping[str, Output[str]]
    user_pool_id: Input[str] | None  # None with another issuer
    entrance: ApiEntrance  # what each tenant is given of it
    authoriser_arn: Output[str] | None = None  # of its function, where tokens are another issuer's

    def __init__(self, name: str, args: EdgeArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:edge:Edge", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        self._plan, loaded = args.plan.edge, contract()
        callers = self._make_callers(loaded)
        body = gateway_body(loaded, host=self._plan.host, origin=self._make_origin(), check=callers.check)
        rest = RestApi(
            f"{name}-rest",
            RestApiArgs(
                plan=self._plan,
                body=body,
                client_certificate_id=args.client_certificate_id,
                shared=args.shared,
            ),
            self._child,
        )
        if isinstance(callers, TokenAuthoriser):
            callers.let(rest.rest_api_id)
            self.authoriser_arn = callers.function_arn
        guarded = {"stage": rest.stage_arn, **callers.guarded}
        Waf(f"{name}-waf", WafArgs(plan=self._plan, guarded=guarded, shared=args.shared), self._child)
        self._serve(rest)
        self._watch()
        self.url = f"https://{self._plan.host}"
        self.rest_api_id, self.stage_arn = rest.rest_api_id, rest.stage_arn
        self.usage_plan_ids = rest.usage_plan_ids
        self.user_pool_id = callers.clients.user_pool_id if callers.clients else None
        self.entrance = ApiEntrance(url=self.url, usage_plan_ids=rest.usage_plan_ids, clients=callers.clients)
        self.register_outputs({"url": self.url, "restApiId": self.rest_api_id})

    def _make_callers(self, loaded: Mapping[str, Any]) -> Identity | TokenAuthoriser:
        """Who makes and who checks callers' tokens: the cell, or the issuer in the settings."""
        plan, args = self._plan, self._args
        if plan.issuer is None:
            found = IdentityArgs(plan=plan, scopes=_scopes(loaded), shared=args.shared)
            return Identity(f"{self._name}-identity", found, self._child)
        return TokenAuthoriser(
            f"{self._name}-authoriser",
            TokenAuthoriserArgs(
                plan=plan.issuer,
                contract=loaded,
                subnet_ids=args.subnet_ids,
                group_id=args.callouts_group_id,
                shared=args.shared,
            ),
            self._child,
        )

    def _make_origin(self) -> Origin:
        link = apigatewayv2.VpcLink(
            f"{self._name}-link",
            name=self._plan.name,
            subnet_ids=self._args.subnet_ids,
            security_group_ids=[self._args.group_id],
            opts=self._child,
        )
        return Origin(host=self._args.origin_host, balancer_arn=self._args.balancer_arn, link_id=link.id)

    def _serve(self, rest: RestApi) -> None:
        """Under the cell's own name, TLS 1.2 and newer."""
        zone_id = self._args.shared.settings.hosted_zone_id
        certificate = PublicCertificate(
            f"{self._name}-certificate",
            PublicCertificateArgs(host=self._plan.host, zone_id=zone_id),
            self._child,
        )
        domain = apigateway.DomainName(
            f"{self._name}-domain",
            domain_name=self._plan.host,
            regional_certificate_arn=certificate.arn,
            security_policy="TLS_1_2",
            endpoint_configuration={"types": "REGIONAL"},
            opts=self._child,
        )
        apigateway.BasePathMapping(
            f"{self._name}-mapping",
            rest_api=rest.rest_api_id,
            stage_name=rest.stage_name,
            domain_name=domain.domain_name,
            opts=self._child,
        )
        alias(
            f"{self._name}-name",
            AliasArgs(
                host=self._plan.host,
                zone_id=zone_id,
                target_host=domain.regional_domain_name,
                target_zone_id=domain.regional_zone_id,
                check_health=False,  # a gateway has no health to ask for
            ),
            self._child,
        )

    def _watch(self) -> None:
        watched = Watched(
            label="api",
            namespace="AWS/ApiGateway",
            dimensions={"ApiName": self._plan.name, "Stage": self._plan.stage},
        )
        alarms(self._name, EDGE_ALARMS, watched, self._args.shared, self._child)


def _scopes(loaded: Mapping[str, Any]) -> Mapping[str, str]:
    flows = loaded["components"]["securitySchemes"][TOKEN]["flows"]
    return flows["clientCredentials"]["scopes"]
