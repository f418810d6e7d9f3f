"""A tenant's credentials, under the tenant's own key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import secretsmanager

from components.common.context import CellContext
from components.common.iam_policy import EVERYONE, Statement, document
from components.data.database import recovery_days
from components.tenants.tenant_key_and_role import TenantKeyAndRole, tenant_tags
from components.tenants.tenant_worker import Workers
from plan.tenants.tenant import TenantPlan


@dataclass(frozen=True, kw_only=True)
class TenantSecretsArgs:
    plan: TenantPlan
    identity: TenantKeyAndRole
    workers: Workers
    shared: CellContext


class TenantSecrets(pulumi.ComponentResource):
    """The login to the database, and what webhook deliveries are signed with where there are any.

    Both are made empty: the bootstrap function writes what is secret and rotates it, so that it is in no
    plan, no state and no log.
    """

    database_arn: Output[str]
    webhook_arn: Output[str] | None
    arns: Sequence[Output[str]]

    def __init__(self, name: str, args: TenantSecretsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:tenancy:TenantSecrets", name, None, opts)
        names = args.plan.names
        self.database_arn = _secret(f"{name}-database", names.database_secret, args, self)
        self.webhook_arn = None
        if args.plan.webhook:
            self.webhook_arn = _secret(f"{name}-webhook", names.webhook_secret, args, self)
        self.arns = [self.database_arn, *([self.webhook_arn] if self.webhook_arn else [])]
        self.register_outputs({"databaseArn": self.database_arn, "webhookArn": self.webhook_arn})


def _secret(name: str, label: str, args: TenantSecretsArgs, parent: pulumi.Resource) -> Output[str]:
    protect = args.shared.settings.protect_data
    return secretsmanager.Secret(
        name,
        name=label,
        description=f"Tenant {args.plan.id}",
        kms_key_id=args.identity.key.arn,
        policy=document(_readers(args), *_idle(args)),
        recovery_window_in_days=recovery_days(protect),
        tags=tenant_tags(args.plan),
        opts=ResourceOptions(parent=parent, protect=protect and not args.plan.released),
    ).arn


def _idle(args: TenantSecretsArgs) -> Sequence[Statement]:
    """Nor do the functions that move tenants or let them go, while this one neither moves nor leaves."""
    idle: dict[str, Input[str]] = {}
    if args.plan.move is None:
        idle["NoMoveIsOn"] = args.workers.mover.role_arn
    if args.plan.leaving_tag is None:
        idle["NobodyLeaves"] = args.workers.leaver.role_arn
    return [
        Statement(
            sid=sid,
            effect="Deny",
            actions=["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
            resources=["*"],
            principals=EVERYONE,
            condition={"ArnEquals": {"aws:PrincipalArn": role}},
        )
        for sid, role in idle.items()
    ]


def _readers(args: TenantSecretsArgs) -> Statement:
    """Whatever other policies allow, one tenant's roles cannot read another's secrets."""
    tenants: Input[str] = args.shared.arn(
        "iam", f"role/{args.shared.names.label('role', 'tenant', '*')}", region=False
    )
    return Statement(
        sid="NoOtherTenant",
        effect="Deny",
        actions=["secretsmanager:GetSecretValue"],
        resources=["*"],
        principals=EVERYONE,
        condition={
            "ArnLike": {"aws:PrincipalArn": tenants},
            "ArnNotEquals": {"aws:PrincipalArn": args.identity.role_arn},
        },
    )
