"""The report service: its service, its job queue, its work bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import apigateway, iam

from components.common.attempts import Records
from components.common.bucket import SecureBucket, SecureBucketArgs
from components.common.context import CellContext
from components.common.iam_policy import Statement
from components.data.database import Database
from components.network.network import Network
from components.services.fargate_service import FargateService, FargateServiceArgs
from components.services.job_queue import JobQueue, JobQueueArgs
from components.services.private_ca import PrivateCa
from components.services.scaling import BacklogArgs, scale_by_backlog
from components.services.task import SecretValue, ca_secret, read_secrets
from components.services.tenant_access import catalog_path, tenant_access
from components.services.webhooks import Webhooks, WebhooksArgs
from plan.services.services import API_STAGE, ReportsPlan, service_name

SERVER: Final = "reports-server"  # leaves of the private CA: what it serves under
CLIENT: Final = "reports-client"  # and what it shows to the monolith


@dataclass(frozen=True, kw_only=True)
class ReportServiceArgs:
    """`key_arn` is the service's own key: of its database's secret, its queue and its bucket."""

    plan: ReportsPlan
    cluster_arn: Input[str]
    cluster_name: Input[str]
    network: Network
    database: Database
    ca: PrivateCa
    certificate_arn: Input[str]  # of the origin's public name
    monolith_host: str
    task_role: iam.Role
    key_arn: Input[str]
    revisions: Records
    shared: CellContext


class ReportService(pulumi.ComponentResource):
    """It answers the API at once and makes the reports from its queue."""

    host: str
    service: FargateService
    balancer_arn: Output[str]
    queue_arn: Output[str]
    queue_url: Output[str]
    bucket: Output[str]
    gateway_certificate_id: Output[str]  # the one certificate that it takes orders from
    webhooks_function_arn: Output[str]
    webhooks_role_arn: Output[str]  # tenants let it read what their deliveries are signed with

    def __init__(self, name: str, args: ReportServiceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:services:ReportService", name, None, opts)
        child = ResourceOptions(parent=self)
        queue = JobQueue(
            f"{name}-jobs",
            JobQueueArgs(plan=args.plan.jobs, key_arn=args.key_arn, shared=args.shared),
            child,
        )
        bucket = SecureBucket(f"{name}-work", _bucket_args(args), child)
        gateway = apigateway.ClientCertificate(
            f"{name}-gateway-certificate",
            description="Shown by the API, so that the report service can tell it from everybody else",
            opts=child,
        )
        webhooks = Webhooks(f"{name}-webhooks", _webhooks_args(args), child)
        parts = _Parts(queue, bucket, gateway, webhooks)
        self.host = args.plan.host
        self.service = FargateService(f"{name}-service", _service_args(args, parts), child)
        if self.service.scaling_resource_id is not None:
            backlog = BacklogArgs(
                label=args.shared.names.label("any", args.plan.name, "backlog"),
                cluster_name=args.cluster_name,
                service_name=service_name(args.shared.names, args.plan.name),
                resource_id=self.service.scaling_resource_id,
                queue_name=queue.name,
                target=args.plan.backlog_target,
            )
            scale_by_backlog(f"{name}-backlog", backlog, child)
        self.balancer_arn = self.service.balancer_arn
        self.queue_arn, self.queue_url = queue.arn, queue.url
        self.bucket = bucket.name
        self.gateway_certificate_id = gateway.id
        self.webhooks_function_arn, self.webhooks_role_arn = webhooks.function_arn, webhooks.role_arn
        self.register_outputs(
            {"balancerArn": self.balancer_arn, "queueUrl": self.queue_url, "bucket": self.bucket}
        )


@dataclass(frozen=True)
class _Parts:
    """What the service is told of, besides what it is given."""

    queue: JobQueue
    bucket: SecureBucket
    gateway: apigateway.ClientCertificate
    webhooks: Webhooks


def _webhooks_args(args: ReportServiceArgs) -> WebhooksArgs:
    return WebhooksArgs(
        plan=args.plan.webhooks,
        subnet_ids=args.network.subnet_ids[args.plan.webhooks.function.segment],
        group_id=args.network.group_ids[args.plan.webhooks.function.group],
        senders={"reports": args.task_role.arn},
        shared=args.shared,
    )


def _bucket_args(args: ReportServiceArgs) -> SecureBucketArgs:
    return SecureBucketArgs(
        bucket=args.plan.bucket,
        key_arn=args.key_arn,
        access_logs_bucket=args.shared.access_logs_bucket,
        protect=args.shared.settings.protect_data,
        expire_days=args.plan.bucket_days,
    )


def _service_args(args: ReportServiceArgs, parts: _Parts) -> FargateServiceArgs:
    return FargateServiceArgs(
        plan=args.plan,
        cluster_arn=args.cluster_arn,
        cluster_name=args.cluster_name,
        vpc_id=args.network.vpc_id,
        subnet_ids=args.network.subnet_ids[args.plan.name],
        group_id=args.network.group_ids[args.plan.name],
        balancer_group_id=args.network.group_ids[f"{args.plan.name}-alb"],
        certificate_arn=args.certificate_arn,
        trust_store_arn=None,
        environment=_environment(args, parts),
        secrets={
            "TLS_SERVER": ca_secret(args.ca, SERVER),
            "MONOLITH_CLIENT": ca_secret(args.ca, CLIENT),
            "DATABASE_CREDENTIALS": SecretValue(arn=args.database.master_secret_arn),
        },
        key_arns=[args.ca.key_arn, args.key_arn],
        statements=_statements(args, parts),
        task_role=args.task_role,
        records=args.revisions,
        shared=args.shared,
    )


def _environment(args: ReportServiceArgs, parts: _Parts) -> Mapping[str, Input[str]]:
    """Without readers the writer is asked for everything, so that the service's code is the same."""
    readers = args.database.reader_endpoints or [args.database.endpoint]
    return {
        "CELL": args.shared.settings.stack,
        "PORT": str(args.plan.port),
        "API_PATH_PREFIX": f"/{API_STAGE}",
        "CATALOG_PATH": catalog_path(args.shared),
        "DATABASE_WRITER_HOST": args.database.endpoint,
        "DATABASE_READER_HOSTS": Output.all(*readers).apply(",".join),
        "DATABASE_PORT": args.database.port.apply(str),
        "DATABASE_NAME": args.database.database,
        "DATABASE_SECRET_ARN": args.database.master_secret_arn,
        "JOBS_QUEUE_URL": parts.queue.url,
        "WEBHOOKS_QUEUE_URL": parts.webhooks.queue_url,
        "WORK_BUCKET": parts.bucket.name,
        # The balancer hands on what a caller showed; whoever shows another one is not the API.
        "GATEWAY_CERTIFICATE": parts.gateway.pem_encoded_certificate,
        "MONOLITH_URL": f"https://{args.monolith_host}",
        # In the task's definition, so that a new root is a new deployment.
        "MONOLITH_TRUST_BUNDLE": args.ca.bundle_pem,
    }


def _statements(args: ReportServiceArgs, parts: _Parts) -> list[Statement]:
    region = args.shared.settings.region
    return [
        *tenant_access(args.shared),
        *read_secrets([args.database.master_secret_arn], [args.key_arn], args.shared),
        Statement(
            sid="WorkTheQueue",
            actions=[
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            resources=[args.shared.arn("sqs", args.plan.jobs.name)],
        ),
        Statement(
            sid="TellTenants",
            actions=["sqs:SendMessage"],
            resources=[args.shared.arn("sqs", args.plan.webhooks.events.name)],
        ),
        Statement(
            sid="WorkInTheBucket",
            actions=["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            resources=[f"{_bucket_args(args).arn}/*"],
        ),
        Statement(
            sid="UseTheKey",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[args.key_arn, parts.webhooks.key_arn],
            condition={
                "StringEquals": {"kms:ViaService": [f"{s}.{region}.amazonaws.com" for s in ("sqs", "s3")]}
            },
        ),
    ]
