"""The user pool whose tokens the API accepts, and the scopes that they may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import cognito

from components.common.context import CellContext
from components.edge.entrance import ClientPool
from components.edge.gateway_body import TokenCheck, cognito_check
from plan.edge.edge import EdgePlan


@dataclass(frozen=True, kw_only=True)
class IdentityArgs:
    """`scopes` as the contract spells them: `reports/read` → what it allows."""

    plan: EdgePlan
    scopes: Mapping[str, str]
    shared: CellContext


class Identity(pulumi.ComponentResource):
    """Machines only: tenants get a client each, and nobody can sign themselves up."""

    check: TokenCheck
    clients: ClientPool
    guarded: Mapping[str, Output[str]]  # what the firewall should stand before

    def __init__(self, name: str, args: IdentityArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:edge:Identity", name, None, opts)
        child = ResourceOptions(parent=self)
        settings = args.shared.settings
        pool = cognito.UserPool(
            f"{name}-pool",
            name=args.plan.name,
            admin_create_user_config={"allow_admin_create_user_only": True},
            deletion_protection="ACTIVE" if settings.protect_data else "INACTIVE",
            mfa_configuration="ON",
            software_token_mfa_configuration={"enabled": True},
            password_policy={
                "minimum_length": 16,
                "require_lowercase": True,
                "require_uppercase": True,
                "require_numbers": True,
                "require_symbols": True,
                "temporary_password_validity_days": 1,
            },
            account_recovery_setting={"recovery_mechanisms": [{"name": "admin_only", "priority": 1}]},
            opts=ResourceOptions(parent=self, protect=settings.protect_data),
        )
        servers = [
            cognito.ResourceServer(
                f"{name}-{resource}",
                user_pool_id=pool.id,
                identifier=resource,
                name=resource,
                scopes=[{"scope_name": k, "scope_description": v} for k, v in sorted(actions.items())],
                opts=child,
            )
            for resource, actions in sorted(_by_resource(args.scopes).items())
        ]
        domain = cognito.UserPoolDomain(
            f"{name}-domain", domain=args.plan.token_host, user_pool_id=pool.id, opts=child
        )
        token_host = Output.concat(domain.domain, f".auth.{settings.region}.amazoncognito.com")
        # Scopes are known once they exist, so that a client is made after them.
        scopes = Output.all(*(s.id for s in servers)).apply(lambda _: sorted(args.scopes))
        self.check = cognito_check(pool.arn)
        self.clients = ClientPool(
            user_pool_id=pool.id,
            scopes=scopes,
            token_url=Output.concat("https://", token_host, "/oauth2/token"),
        )
        self.guarded = {"tokens": pool.arn}
        self.register_outputs({"userPoolId": pool.id})


def _by_resource(scopes: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """`reports/read` is the action `read` on the resource `reports`."""
    found: dict[str, dict[str, str]] = {}
    for scope, meaning in scopes.items():
        resource, action = scope.split("/")
        found.setdefault(resource, {})[action] = meaning
    return found
