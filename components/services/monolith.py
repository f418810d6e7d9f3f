"""The monolith: its service, who may call it, and its DNS name inside the cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_aws import iam, lb

from components.common.attempts import Records
from components.common.context import CellContext
from components.common.iam_policy import Statement
from components.data.database import Database
from components.network.dns import AliasArgs, alias
from components.network.network import Network
from components.services.fargate_service import FargateService, FargateServiceArgs
from components.services.private_ca import PrivateCa
from components.services.task import SecretValue, ca_secret, read_secrets
from components.services.tenant_access import catalog_path, tenant_access
from plan.services.services import ServicePlan

CERTIFICATE: Final = "monolith-server"  # the leaf of the private CA that it serves under


@dataclass(frozen=True, kw_only=True)
class MonolithArgs:
    """`key_arn` is the service's own key, which encrypts its database's secret."""

    plan: ServicePlan
    cluster_arn: Input[str]
    cluster_name: Input[str]
    network: Network
    database: Database
    ca: PrivateCa
    internal_zone_id: Input[str]
    task_role: iam.Role
    key_arn: Input[str]
    revisions: Records
    shared: CellContext


class Monolith(pulumi.ComponentResource):
    """Reached at `host` by whoever shows a client certificate of the private CA."""

    host: str
    service: FargateService

    def __init__(self, name: str, args: MonolithArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:services:Monolith", name, None, opts)
        child = ResourceOptions(parent=self)
        trust = lb.TrustStore(
            f"{name}-trust",
            name=args.shared.names.label("trust-store", args.plan.name),
            ca_certificates_bundle_s3_bucket=args.ca.bundle_bucket,
            ca_certificates_bundle_s3_key=args.ca.bundle_key,
            # A new bundle is a new version of the object, and so is seen.
            ca_certificates_bundle_s3_object_version=args.ca.bundle_version,
            opts=child,
        )
        for root, revoked in args.ca.revocations.items():
            lb.TrustStoreRevocation(
                f"{name}-revoked-{root}",
                trust_store_arn=trust.arn,
                revocations_s3_bucket=revoked.bucket,
                revocations_s3_key=revoked.key,
                revocations_s3_object_version=revoked.version,
                opts=child,
            )
        self.host = args.plan.host
        self.service = FargateService(
            f"{name}-service",
            FargateServiceArgs(
                plan=args.plan,
                cluster_arn=args.cluster_arn,
                cluster_name=args.cluster_name,
                vpc_id=args.network.vpc_id,
                subnet_ids=args.network.subnet_ids[args.plan.name],
                group_id=args.network.group_ids[args.plan.name],
                balancer_group_id=args.network.group_ids[f"{args.plan.name}-alb"],
                certificate_arn=args.ca.server_certificate_arns[CERTIFICATE],
                trust_store_arn=trust.arn,
                environment=_environment(args),
                secrets={
                    "TLS_SERVER": ca_secret(args.ca, CERTIFICATE),
                    "DATABASE_CREDENTIALS": SecretValue(arn=args.database.master_secret_arn),
                },
                key_arns=[args.ca.key_arn, args.key_arn],
                statements=_statements(args),
                task_role=args.task_role,
                records=args.revisions,
                shared=args.shared,
            ),
            child,
        )
        alias(
            f"{name}-name",
            AliasArgs(
                host=self.host,
                zone_id=args.internal_zone_id,
                target_host=self.service.balancer_dns_name,
                target_zone_id=self.service.balancer_zone_id,
            ),
            child,
        )
        self.register_outputs({"host": self.host, "balancerArn": self.service.balancer_arn})


def _environment(args: MonolithArgs) -> Mapping[str, Input[str]]:
    return {
        "CELL": args.shared.settings.stack,
        "PORT": str(args.plan.port),
        "CATALOG_PATH": catalog_path(args.shared),
        "DATABASE_HOST": args.database.endpoint,
        "DATABASE_PORT": args.database.port.apply(str),
        "DATABASE_NAME": args.database.database,
        # RDS changes the password every week: a task that is refused reads the secret again.
        "DATABASE_SECRET_ARN": args.database.master_secret_arn,
    }


def _statements(args: MonolithArgs) -> list[Statement]:
    return [
        *tenant_access(args.shared),
        *read_secrets([args.database.master_secret_arn], [args.key_arn], args.shared),
    ]
