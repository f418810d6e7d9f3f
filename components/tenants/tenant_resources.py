"""The resources of one tenant. Nothing here depends on another tenant, or names one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import budgets, iam, secretsmanager, sns, ssm

from components.common.bucket import SecureBucket
from components.common.context import CellContext
from components.common.iam_policy import EVERYONE, Statement, document
from components.common.json_text import json_text
from components.data.database import Database
from components.edge.entrance import ApiEntrance
from components.operations.protected_check import ProtectedCheck, TenantCheckArgs, tenant_check
from components.tenants.api_access import ApiAccess, ApiAccessArgs
from components.tenants.bootstrap import Bootstrap
from components.tenants.data_access import MOVING
from components.tenants.tenant_buckets import TenantBucketsArgs, artefacts, handover
from components.tenants.tenant_key_and_role import (
    CONTEXT,
    DIRECT,
    TenantKeyAndRole,
    protected_columns,
    tenant_tags,
)
from components.tenants.tenant_keys import TenantKeysArgs, follow_key
from components.tenants.tenant_schemas import (
    TenantSchemas,
    TenantSchemasArgs,
    end_of,
    make_tenant_schemas,
)
from components.tenants.tenant_secrets import TenantSecrets, TenantSecretsArgs
from components.tenants.tenant_worker import Workers
from plan.tenants.tenant import PASSWORD_DAYS, WEBHOOK_DAYS, TenantPlan


@dataclass(frozen=True, kw_only=True)
class TenantResourcesArgs:
    plan: TenantPlan
    identity: TenantKeyAndRole
    databases: Mapping[str, Database]  # its shard or its silo, both while it moves, by name
    restored: Database | None = None  # its shard as it was, while it is restored from there
    bootstrap: Bootstrap
    workers: Workers
    protected_check: ProtectedCheck
    entrance: ApiEntrance
    network_dependencies: Sequence[pulumi.Resource] = ()  # what lies between the functions and the databases
    shared: CellContext

    @property
    def database(self) -> Database:
        """Where the services find the tenant's data."""
        return self.databases[self.plan.place.database_name]

    @property
    def tags(self) -> Mapping[str, str]:
        return tenant_tags(self.plan)


class TenantResources(pulumi.ComponentResource):
    """Credentials, place in the database, storage, notifications, API key, catalog entry, budget."""

    summary: Output[Mapping[str, Any]]
    moved: Output[Mapping[str, Any]] | None  # what the last stage of its move told
    rekeyed: Output[Mapping[str, Any]] | None  # its keys, and what stays under earlier ones
    database: Database
    database_secret_arn: Output[str]
    secret_arns: Sequence[Output[str]]  # all that are under its key

    def __init__(self, name: str, args: TenantResourcesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:tenancy:Tenant", name, None, opts)
        child = ResourceOptions(parent=self)
        secrets = TenantSecrets(
            f"{name}-secrets",
            TenantSecretsArgs(
                plan=args.plan, identity=args.identity, workers=args.workers, shared=args.shared
            ),
            child,
        )
        buckets = TenantBucketsArgs(
            plan=args.plan, identity=args.identity, workers=args.workers, shared=args.shared
        )
        bucket = artefacts(name, buckets, child)
        handed = handover(name, buckets, child)
        protected = protected_columns(args.plan, [key.arn for key in args.identity.keys.values()])
        places = make_tenant_schemas(
            name,
            TenantSchemasArgs(
                plan=args.plan,
                protected=protected,
                databases=args.databases,
                restored=args.restored,
                secrets=secrets,
                bucket=bucket.name,
                bootstrap=args.bootstrap,
                mover=args.workers.mover,
                network_dependencies=args.network_dependencies,
            ),
            self,
        )
        tenant_check(
            name,
            TenantCheckArgs(
                plan=args.plan,
                database=end_of(args.database),
                protected=protected,
                check=args.protected_check,
                ready=[*places.resources, *args.network_dependencies],
            ),
            self,
        )
        _rotations(name, args, secrets, places, child)
        topic = _topic(name, args, child)
        access = ApiAccess(
            f"{name}-api",
            ApiAccessArgs(plan=args.plan, identity=args.identity, entrance=args.entrance, shared=args.shared),
            child,
        )
        after = ResourceOptions(parent=self, depends_on=list(places.resources))
        catalog = _catalog(name, args, secrets, bucket, topic, access, after)
        _permissions(name, args, secrets, [bucket, *([handed] if handed else [])], topic, catalog, child)
        _budget(name, args, child)
        self.moved = places.moved
        self.rekeyed = follow_key(
            name,
            TenantKeysArgs(
                plan=args.plan, identity=args.identity, bucket=bucket.name, rekeyer=args.workers.rekeyer
            ),
            self,
        )
        calls = [*(r.urn for r in places.resources), *([self.rekeyed] if self.rekeyed else [])]
        self.summary = _summary(args, calls)
        self.database = args.database
        self.database_secret_arn = secrets.database_arn
        self.secret_arns = [*secrets.arns, access.secret_arn]
        self.register_outputs({"summary": self.summary})


def _rotations(
    name: str,
    args: TenantResourcesArgs,
    secrets: TenantSecrets,
    places: TenantSchemas,
    child: ResourceOptions,
) -> None:
    turning = {"rotation": (secrets.database_arn, PASSWORD_DAYS)}
    if secrets.webhook_arn:
        turning["webhook-rotation"] = (secrets.webhook_arn, WEBHOOK_DAYS)
    for role, (arn, days) in turning.items():
        secretsmanager.SecretRotation(
            f"{name}-{role}",
            secret_id=arn,
            rotation_lambda_arn=args.bootstrap.rotation_arn,
            rotation_rules=secretsmanager.SecretRotationRotationRulesArgs(automatically_after_days=days),
            rotate_immediately=False,
            # Not before there is something to rotate, which the first place's call makes.
            opts=ResourceOptions(parent=child.parent, depends_on=list(places.resources)),
        )


def _topic(name: str, args: TenantResourcesArgs, child: ResourceOptions) -> sns.Topic:
    """Where the tenant hears that a report is ready."""
    arn = args.shared.arn("sns", args.plan.names.topic)
    topic = sns.Topic(
        f"{name}-topic",
        name=args.plan.names.topic,
        kms_master_key_id=args.identity.key.arn,
        signature_version=2,  # SHA-256; 1 is SHA-1
        policy=document(
            Statement(
                sid="PublishAsTheTenant",
                actions=["sns:Publish"],
                resources=[arn],
                principals={"AWS": [args.identity.role_arn]},
            ),
            Statement(
                sid="TlsOnly",
                effect="Deny",
                actions=["sns:Publish"],
                resources=[arn],
                principals=EVERYONE,
                condition={"Bool": {"aws:SecureTransport": "false"}},
            ),
        ),
        tags=args.tags,
        opts=child,
    )
    # Pending until somebody follows the link in the first mail, so nothing may wait for it.
    sns.TopicSubscription(
        f"{name}-email", topic=topic.arn, protocol="email", endpoint=args.plan.email, opts=child
    )
    return topic


def _catalog(
    name: str,
    args: TenantResourcesArgs,
    secrets: TenantSecrets,
    bucket: SecureBucket,
    topic: sns.Topic,
    access: ApiAccess,
    child: ResourceOptions,
) -> ssm.Parameter:
    """What the services read to find a tenant. Where things are and no secret, hence a plain string.

    A service reads it before it acts for the tenant, so it cannot be under the tenant's key.
    """
    plan = args.plan
    entry = {
        "tenant": plan.id,
        "active": plan.active,
        "isolation": plan.place.kind.isolation,
        "move": {"stage": plan.move.stage, "readOnlySeconds": plan.move.read_only_seconds}
        if plan.move
        else None,
        "servicePlan": plan.service_plan,
        "roleArn": args.identity.role_arn,
        "keyArn": args.identity.key.arn,
        "database": {
            "host": args.database.endpoint,
            "port": args.database.port,
            "readers": args.database.reader_endpoints,
            "name": args.database.database,
            "schema": plan.names.sql,
            "secretArn": secrets.database_arn,
        },
        "bucket": bucket.name,
        "topicArn": topic.arn,
        "api": {"keyId": access.key_id, "clientId": access.client_id},
        "webhook": {"url": plan.webhook, "secretArn": secrets.webhook_arn} if plan.webhook else None,
    }
    return ssm.Parameter(
        f"{name}-catalog",
        name=plan.names.catalog,
        description=f"Where tenant {plan.id} is",
        type="String",
        insecure_value=json_text(entry, compact=True),
        tags={**args.tags, MOVING: "true"} if plan.move else args.tags,
        opts=child,
    )


def _permissions(
    name: str,
    args: TenantResourcesArgs,
    secrets: TenantSecrets,
    buckets: Sequence[SecureBucket],  # of its artefacts, and what was handed over to it
    topic: sns.Topic,
    catalog: ssm.Parameter,
    child: ResourceOptions,
) -> None:
    """The whole of what can be done as the tenant, each thing by its own name."""
    key, (bucket, *handed) = args.identity.key.arn, buckets
    fetch = [
        Statement(
            sid="HandedOver",
            actions=["s3:GetObject"],
            resources=[Output.concat(b.arn, "/*") for b in handed],
        )
    ]
    iam.RolePolicy(
        f"{name}-policy",
        role=args.identity.role_name,
        policy=document(
            Statement(sid="List", actions=["s3:ListBucket"], resources=[bucket.arn]),
            Statement(
                sid="Artefacts",
                actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
                resources=[Output.concat(bucket.arn, "/*")],
            ),
            Statement(sid="Key", actions=[*DIRECT, "kms:DescribeKey"], resources=[key]),
            Statement(sid="Secrets", actions=["secretsmanager:GetSecretValue"], resources=list(secrets.arns)),
            Statement(sid="Notify", actions=["sns:Publish"], resources=[topic.arn]),
            Statement(sid="Catalog", actions=["ssm:GetParameter"], resources=[catalog.arn]),
            *(fetch if handed else ()),
            *_earlier_keys(args),
        ),
        opts=child,
    )


def _earlier_keys(args: TenantResourcesArgs) -> Sequence[Statement]:
    """What was encrypted under them is read, and nothing is added to it."""
    earlier = [key.arn for key in args.identity.keys.values() if key is not args.identity.key]
    if not earlier:
        return ()
    return (Statement(sid="EarlierKeys", actions=["kms:Decrypt", "kms:DescribeKey"], resources=earlier),)


def _budget(name: str, args: TenantResourcesArgs, child: ResourceOptions) -> None:
    """By the cost allocation tag, which the payer's account has to activate once."""
    budgets.Budget(
        f"{name}-budget",
        name=args.shared.names.label("any", "tenant", args.plan.id),
        budget_type="COST",
        time_unit="MONTHLY",
        limit_amount=f"{args.plan.budget_usd}.0",
        limit_unit="USD",
        cost_filters=[
            budgets.BudgetCostFilterArgs(name="TagKeyValue", values=[f"user:{CONTEXT}${args.plan.id}"])
        ],
        notifications=[
            budgets.BudgetNotificationArgs(
                comparison_operator="GREATER_THAN",
                threshold=threshold,
                threshold_type="PERCENTAGE",
                notification_type=kind,
                subscriber_sns_topic_arns=[args.shared.alarms_topic_arn],
            )
            for threshold, kind in ((80, "ACTUAL"), (100, "FORECASTED"))
        ],
        tags=args.tags,
        opts=child,
    )


def _summary(args: TenantResourcesArgs, calls: Sequence[Output[Any]]) -> Output[Mapping[str, Any]]:
    """What the stack exports of a tenant; no secret is in it.

    Phase and key wait for the calls that carry them out: after a run that fails these are what was before.
    """
    carried_out = Output.all(*calls)
    return Output.all(
        phase=carried_out.apply(lambda _: args.plan.phase.value),
        key=carried_out.apply(lambda _: args.plan.keys.current.number),
        isolation=args.plan.place.kind.isolation.value,
        network=args.plan.place.kind.network.value,
        dataTier=args.plan.place.database_name,
        endpoint=Output.format("{0}:{1}", args.database.endpoint, args.database.port),
        keyArn=args.identity.key.arn,
        api=args.entrance.url,
    )
