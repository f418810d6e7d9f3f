"""A tenant's buckets: its artefacts, and the export of its data when it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pulumi import Input, ResourceOptions

from components.common.bucket import SecureBucket, SecureBucketArgs
from components.common.context import CellContext
from components.common.iam_policy import EVERYONE, Statement
from components.tenants.tenant_key_and_role import TenantKeyAndRole, tenant_tags
from components.tenants.tenant_worker import Workers
from plan.tenants.tenant import TenantPlan

ARTEFACT_DAYS: Final = 400  # reports can be fetched for a year and a month
OBJECTS: Final = (
    *("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"),
    *("s3:DeleteObject", "s3:DeleteObjectVersion"),
)


@dataclass(frozen=True, kw_only=True)
class TenantBucketsArgs:
    plan: TenantPlan
    identity: TenantKeyAndRole
    workers: Workers  # get at the objects each only at its time
    shared: CellContext


def artefacts(name: str, args: TenantBucketsArgs, child: ResourceOptions) -> SecureBucket:
    return _bucket(f"{name}-artefacts", args.plan.names.bucket, ARTEFACT_DAYS, args, child)


def handover(name: str, args: TenantBucketsArgs, child: ResourceOptions) -> SecureBucket | None:
    """Made when the tenant's data is handed over, and there as long as the registry says that it was."""
    if args.plan.handover is None:
        return None
    return _bucket(f"{name}-handover", args.plan.handover, None, args, child)


def _bucket(
    name: str, bucket: str, expire_days: int | None, args: TenantBucketsArgs, child: ResourceOptions
) -> SecureBucket:
    return SecureBucket(
        name,
        SecureBucketArgs(
            bucket=bucket,
            key_arn=args.identity.key.arn,
            access_logs_bucket=args.shared.access_logs_bucket,
            protect=args.shared.settings.protect_data,
            released=args.plan.released,
            expire_days=expire_days,
            statements=[
                Statement(
                    sid="ObjectsForTheTenantOnly",
                    effect="Deny",
                    actions=OBJECTS,
                    principals=EVERYONE,
                    resources=[f"arn:aws:s3:::{bucket}/*"],
                    condition={"ArnNotEquals": {"aws:PrincipalArn": _with_objects(args)}},
                ),
                *_lets_in(bucket, args),
            ],
            tags=tenant_tags(args.plan),
        ),
        child,
    )


def _lets_in(bucket: str, args: TenantBucketsArgs) -> Sequence[Statement]:
    """While the tenant leaves, its buckets say themselves who hands its data over and erases it."""
    if args.plan.leaving_tag is None:
        return ()
    return (
        Statement(
            sid="LeaverHandsOver",
            actions=[a for a in OBJECTS if a != "s3:GetObjectVersion"],
            principals={"AWS": [args.workers.leaver.role_arn]},
            resources=[f"arn:aws:s3:::{bucket}/*"],
        ),
    )


def _with_objects(args: TenantBucketsArgs) -> Input[str] | Sequence[Input[str]]:
    """The tenant itself; while it moves the function that keeps its last dump, while it leaves the one that
    hands its data over. Once it has another key, the one that copies its artefacts under that.
    """
    found: list[Input[str]] = [args.identity.role_arn]
    if args.plan.move:
        found.append(args.workers.mover.role_arn)
    elif args.plan.leaving_tag:
        found.append(args.workers.leaver.role_arn)
    if args.plan.keys.turned:
        found.append(args.workers.rekeyer.role_arn)
    return found if len(found) > 1 else found[0]
