"""The function that verifies access tokens of an issuer other than the cell's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import lambda_

from components.common.context import CellContext
from components.common.key import EncryptionKey, EncryptionKeyArgs
from components.common.network_function import NetworkFunction, NetworkFunctionArgs, function_role
from components.edge.gateway_body import TokenCheck, operations
from plan.edge.edge import IssuerPlan

KEPT_SECONDS = 60  # that the gateway keeps an answer for a token: an ended one works so much longer


@dataclass(frozen=True, kw_only=True)
class TokenAuthoriserArgs:
    plan: IssuerPlan
    contract: Mapping[str, Any]
    subnet_ids: Sequence[Input[str]]
    group_id: Input[str]
    shared: CellContext


class TokenAuthoriser(pulumi.ComponentResource):
    """It holds no secret and no data: it knows the issuer's public keys and the contract's scopes."""

    check: TokenCheck
    clients: None = None  # the issuer makes them
    guarded: Mapping[str, Output[str]]
    function_arn: Output[str]

    def __init__(self, name: str, args: TokenAuthoriserArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:edge:TokenAuthoriser", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        shared = args.shared
        role = function_role(f"{name}-role", "authoriser", "Checks access tokens", shared, self._child)
        key = EncryptionKey(
            name,
            EncryptionKeyArgs(
                settings=shared.settings,
                alias=shared.names.path("alias", "authoriser"),
                purpose="Environment of the function that checks access tokens",
                users={"function": role.arn},
                via=("lambda",),
            ),
            self._child,
        )
        function = NetworkFunction(
            name,
            NetworkFunctionArgs(
                plan=args.plan.function,
                description="Checks access tokens of the issuer in the settings",
                role=role,
                statements=[],
                subnet_ids=args.subnet_ids,
                group_id=args.group_id,
                key_arn=key.arn,
                environment=_environment(args),
                shared=shared,
            ),
            self._child,
        )
        self._function, self.function_arn, self.guarded = function.name, function.arn, {}
        self.check = TokenCheck(
            authtype="custom",
            authoriser={
                "type": "token",
                "authorizerUri": function.invoke_arn,
                "identityValidationExpression": "^Bearer [A-Za-z0-9_.~+/-]+$",
                "authorizerResultTtlInSeconds": KEPT_SECONDS,
            },
            scoped=False,  # the function compares scopes itself
            caller={"X-Caller-Tenant": "context.authorizer.tenant"},
        )
        self.register_outputs({"functionArn": function.arn})

    def let(self, rest_api_id: Input[str]) -> None:
        """Let the API call the function, as its authoriser and in no other way."""
        source = Output.concat(self._args.shared.arn("execute-api", ""), rest_api_id, "/authorizers/*")
        lambda_.Permission(
            f"{self._name}-permission",
            statement_id="the-api",
            action="lambda:InvokeFunction",
            function=self._function,
            principal="apigateway.amazonaws.com",
            source_arn=source,
            source_account=self._args.shared.settings.account_id,
            opts=self._child,
        )


def _environment(args: TokenAuthoriserArgs) -> Mapping[str, str]:
    needed = [
        {"method": method.upper(), "path": path, "scopes": sorted(operation["security"][0]["token"])}
        for path, method, operation in operations(args.contract)
    ]
    return {
        "ISSUER": args.plan.issuer,
        "AUDIENCE": args.plan.audience,
        "TENANT_CLAIM": args.plan.tenant_claim,
        "OPERATIONS": json.dumps(needed, separators=(",", ":")),
    }
