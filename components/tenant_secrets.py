"""A tenant's credentials, under the tenant's own key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_random as random
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import secretsmanager

from components.database import Database, recovery_days
from components.policy import EVERYONE, Statement, document
from components.shared import Shared
from components.tenant_identity import TenantIdentity, tenant_tags
from plan.tenant import TenantPlan


@dataclass(frozen=True, kw_only=True)
class TenantSecretsArgs:
    plan: TenantPlan
    identity: TenantIdentity
    database: Database
    shared: Shared


class TenantSecrets(pulumi.ComponentResource):
    """The login to the database, and the key that webhook deliveries are signed with where there are any.

    The ARNs are those of the written versions (a secret's id is its ARN): who has one can read the secret.
    """

    database_arn: Output[str]
    database_version: Output[str]
    webhook_arn: Output[str] | None
    arns: Sequence[Output[str]]

    def __init__(self, name: str, args: TenantSecretsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:tenancy:TenantSecrets", name, None, opts)
        plan, database = args.plan, args.database
        login = _generated(f"{name}-database-password", self)
        content = {
            "engine": "postgres",
            "username": plan.names.sql,
            "password": login,
            "host": database.endpoint,
            "port": database.port,
            "dbname": database.database,
            "schema": plan.names.sql,
        }
        kept = _secret(f"{name}-database", plan.names.database_secret, content, args, self)
        self.database_arn, self.database_version = kept.secret_id, kept.version_id
        self.arns = [self.database_arn]
        self.webhook_arn = None
        if plan.webhook:
            signing = {"algorithm": "HMAC-SHA256", "key": _generated(f"{name}-webhook-key", self)}
            self.webhook_arn = _secret(
                f"{name}-webhook", plan.names.webhook_secret, signing, args, self
            ).secret_id
            self.arns = [*self.arns, self.webhook_arn]
        self.register_outputs({"databaseArn": self.database_arn, "webhookArn": self.webhook_arn})


def _generated(name: str, parent: pulumi.Resource) -> Output[str]:
    """48 of 62 characters: 285 bits, and nothing that a connection string would have to escape."""
    made = random.RandomPassword(name, length=48, special=False, opts=ResourceOptions(parent=parent))
    return made.result


def _secret(
    name: str, label: str, content: Mapping[str, Any], args: TenantSecretsArgs, parent: pulumi.Resource
) -> secretsmanager.SecretVersion:
    child = ResourceOptions(parent=parent)
    protect = args.shared.settings.protect_data
    secret = secretsmanager.Secret(
        name,
        name=label,
        description=f"Tenant {args.plan.id}",
        kms_key_id=args.identity.key.arn,
        recovery_window_in_days=recovery_days(protect),
        tags=tenant_tags(args.plan),
        opts=ResourceOptions(parent=parent, protect=protect),
    )
    secretsmanager.SecretPolicy(
        f"{name}-policy", secret_arn=secret.arn, policy=document(_readers(args)), opts=child
    )
    return secretsmanager.SecretVersion(
        f"{name}-version", secret_id=secret.id, secret_string=Output.json_dumps(content), opts=child
    )


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
