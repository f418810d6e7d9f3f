"""A tenant's access to the API: its key in its usage plan, its client, and both as a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import apigateway, cognito, secretsmanager

from components.common.context import CellContext
from components.common.iam_policy import EVERYONE, Statement, document
from components.common.json_text import json_text
from components.data.database import recovery_days
from components.edge.entrance import ApiEntrance, ClientPool
from components.tenants.tenant_key_and_role import TenantKeyAndRole, tenant_tags
from plan.tenants.tenant import TenantPlan

TOKEN_MINUTES = 60


@dataclass(frozen=True, kw_only=True)
class ApiAccessArgs:
    plan: TenantPlan
    identity: TenantKeyAndRole
    entrance: ApiEntrance
    shared: CellContext


class ApiAccess(pulumi.ComponentResource):
    """Both ids are in the catalog, so that the service can tell a key and a token of different tenants.

    The secret is what is handed to the tenant; no service reads it.
    """

    key_id: Output[str]
    client_id: Output[str] | None
    secret_arn: Output[str]  # what is handed to the tenant

    def __init__(self, name: str, args: ApiAccessArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:tenancy:ApiAccess", name, None, opts)
        child = ResourceOptions(parent=self)
        plan, entrance = args.plan, args.entrance
        key = apigateway.ApiKey(
            f"{name}-key",
            name=plan.names.api_key,
            description=f"Tenant {plan.id}",
            enabled=plan.active,
            tags=tenant_tags(plan),
            opts=ResourceOptions(parent=self, additional_secret_outputs=["value"]),
        )
        apigateway.UsagePlanKey(
            f"{name}-usage",
            key_id=key.id,
            key_type="API_KEY",
            usage_plan_id=entrance.usage_plan_ids[plan.service_plan],
            opts=child,
        )
        client = _client(name, plan, entrance.clients, self) if entrance.clients else None
        content = {"api_key": key.value, "url": entrance.url}
        if client and entrance.clients:
            content |= {
                "client_id": client.id,
                "client_secret": client.client_secret,
                "token_url": entrance.clients.token_url,
            }
        self.secret_arn = _keep(name, args, content, child)
        self.key_id, self.client_id = key.id, client.id if client else None
        self.register_outputs({"keyId": self.key_id, "clientId": self.client_id})


def _client(name: str, plan: TenantPlan, pool: ClientPool, parent: pulumi.Resource) -> cognito.UserPoolClient:
    """A machine that gets tokens for itself; nobody signs in with it."""
    return cognito.UserPoolClient(
        f"{name}-client",
        name=plan.names.api_key,
        user_pool_id=pool.user_pool_id,
        generate_secret=True,
        allowed_oauth_flows_user_pool_client=True,
        allowed_oauth_flows=["client_credentials"],
        allowed_oauth_scopes=pool.scopes,
        # One that alone signs nobody in. Cognito answers an empty set with none, which differs for ever
        # (sandbox/aws/differences.yaml); left out, it allows signing in.
        explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH"],
        access_token_validity=TOKEN_MINUTES,
        token_validity_units={"access_token": "minutes"},
        enable_token_revocation=True,
        prevent_user_existence_errors="ENABLED",
        opts=ResourceOptions(parent=parent, additional_secret_outputs=["clientSecret"]),
    )


def _keep(
    name: str, args: ApiAccessArgs, content: Mapping[str, Input[str]], child: ResourceOptions
) -> Output[str]:
    secret = secretsmanager.Secret(
        f"{name}-secret",
        name=args.plan.names.api_secret,
        description=f"What tenant {args.plan.id} calls the API with",
        kms_key_id=args.identity.key.arn,
        recovery_window_in_days=recovery_days(args.shared.settings.protect_data),
        tags=tenant_tags(args.plan),
        opts=child,
    )
    secretsmanager.SecretPolicy(
        f"{name}-secret-policy", secret_arn=secret.arn, policy=document(_nobody(args.shared)), opts=child
    )
    secretsmanager.SecretVersion(
        f"{name}-secret-version",
        secret_id=secret.id,
        secret_string=json_text(content),
        opts=child,
    )
    return secret.arn


def _nobody(shared: CellContext) -> Statement:
    """Not the roles of tenants either: the service knows callers by their ids and needs no secret."""
    roles = shared.arn("iam", f"role/{shared.names.label('role', '*')}", region=False)
    return Statement(
        sid="NoServiceReads",
        effect="Deny",
        actions=["secretsmanager:GetSecretValue"],
        resources=["*"],
        principals=EVERYONE,
        condition={"ArnLike": {"aws:PrincipalArn": roles}},
    )
