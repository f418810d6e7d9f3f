"""A tenant's identity in AWS: a role that the services assume for it, and a KMS key of its own.

They are created in the order role, key, role policy: a key policy may only name roles that exist, and the
role's policy names the key. That policy is created last, with the tenant's resources (`tenant_resources`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import iam

from components.common.context import CellContext
from components.common.iam_policy import Statement, document
from components.common.key import EncryptionKey, EncryptionKeyArgs
from components.data.database import RELEASED
from components.tenants.tenant_worker import Workers
from plan.tenants.keys import KeyPlan
from plan.tenants.tenant import TenantPlan
from tenants.phases import ENDING

LEAVING: Final = (
    "leaving"  # the tag that a leaving tenant's resources bear; see `plan.tenants.offboarding.TAGS`
)
CONTEXT: Final = "tenant"  # the encryption context, the session tag and the resource tag, all one word
THROUGH: Final = ("s3", "secretsmanager", "sns")  # services that use the key for the tenant's role
DIRECT: Final = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey")


def tenant_tags(plan: TenantPlan) -> Mapping[str, str]:
    """On everything that is a tenant's; cost per tenant is read off the first of them."""
    leaving = {LEAVING: plan.leaving_tag} if plan.leaving_tag else {}
    released = {RELEASED: "leaving"} if plan.leaving_tag == ENDING else {}
    return {**plan.tags, CONTEXT: plan.id, **leaving, **released}


def protected_columns(plan: TenantPlan, keys: Sequence[Input[str]]) -> Mapping[str, Any]:
    """As the functions are told of them, with all keys of the tenant; nothing where it has none."""
    if not plan.protected_columns:
        return {}
    return {"protected": {"columns": list(plan.protected_columns), "keys": list(keys)}}


@dataclass(frozen=True, kw_only=True)
class TenantKeyAndRoleArgs:
    plan: TenantPlan
    service_role_arns: Mapping[str, Input[str]]  # short word → role that may act for the tenant
    bootstrap_role_arn: Input[str]
    workers: Workers  # get at the key each only at its time
    shared: CellContext


class TenantKeyAndRole(pulumi.ComponentResource):
    """Made before anything of the tenant's that needs its key, such as a silo."""

    role_arn: Output[str]
    role_name: Output[str]
    key: EncryptionKey  # in use
    keys: Mapping[int, EncryptionKey]  # all of them, by number: what cannot be moved on stays under its own

    def __init__(self, name: str, args: TenantKeyAndRoleArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:tenancy:TenantIdentity", name, None, opts)
        role = iam.Role(
            f"{name}-role",
            name=args.plan.names.role,
            description=f"What the services may do for tenant {args.plan.id}",
            assume_role_policy=document(_trust(args)),
            max_session_duration=3600,
            permissions_boundary=args.shared.boundary_arn,
            tags=tenant_tags(args.plan),
            opts=ResourceOptions(parent=self),
        )
        self.role_arn, self.role_name = role.arn, role.name
        child = ResourceOptions(parent=self)
        self.keys = {
            # The first one is called as keys were when there was one.
            key.number: EncryptionKey(
                name if key.number == 1 else f"{name}{key.number}", _key(args, key, role.arn), child
            )
            for key in args.plan.keys.every
        }
        self.key = self.keys[args.plan.keys.current.number]
        self.register_outputs({"roleArn": self.role_arn, "keyArn": self.key.arn})


def _trust(args: TenantKeyAndRoleArgs) -> Statement:
    """A service says for which tenant it acts, and can say only this one."""
    return Statement(
        sid="ServicesForThisTenant",
        actions=["sts:AssumeRole", "sts:TagSession"],
        principals={"AWS": list(args.service_role_arns.values())},
        condition={
            "StringEquals": {f"aws:RequestTag/{CONTEXT}": args.plan.id},
            "ForAllValues:StringEquals": {"aws:TagKeys": [CONTEXT]},
        },
    )


def _key(args: TenantKeyAndRoleArgs, key: KeyPlan, role_arn: Input[str]) -> EncryptionKeyArgs:
    # Deployments make and change what is under the key, by way of these services only.
    via = ("secretsmanager", "rds") if args.plan.own_instances else ("secretsmanager",)
    return EncryptionKeyArgs(
        settings=args.shared.settings,
        alias=key.alias,
        purpose=f"All that is kept for tenant {args.plan.id}",
        users={},
        via=via,
        extra=_uses(args, role_arn),
        rotation_days=args.plan.key_rotation_days,
        released=args.plan.released,
        tags=tenant_tags(args.plan),
    )


def _uses(args: TenantKeyAndRoleArgs, role_arn: Input[str]) -> Sequence[Statement]:
    region = args.shared.settings.region
    return (
        # The envelope around rows of a shared table: readable only to who says whose rows they are.
        Statement(
            sid="TenantSaysWhoItIs",
            actions=DIRECT,
            resources=["*"],
            principals={"AWS": [role_arn]},
            condition={"StringEquals": {f"kms:EncryptionContext:{CONTEXT}": args.plan.id}},
        ),
        Statement(
            sid="TenantThroughServices",
            actions=["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
            resources=["*"],
            principals={"AWS": [role_arn]},
            condition={"StringEquals": {"kms:ViaService": [f"{s}.{region}.amazonaws.com" for s in THROUGH]}},
        ),
        _worker("BootstrapKeepsSecrets", args.bootstrap_role_arn, region, ("secretsmanager",)),
        *_data_keys(args),
        *_at_work(args),
    )


def _data_keys(args: TenantKeyAndRoleArgs) -> Sequence[Statement]:
    """The bootstrap function makes data keys for protected columns, and never sees one."""
    if not args.plan.protected_columns:
        return ()
    return (
        Statement(
            sid="BootstrapMakesDataKeys",
            actions=["kms:GenerateDataKeyWithoutPlaintext"],
            resources=["*"],
            principals={"AWS": [args.bootstrap_role_arn]},
            condition={"StringEquals": {f"kms:EncryptionContext:{CONTEXT}": args.plan.id}},
        ),
    )


def _at_work(args: TenantKeyAndRoleArgs) -> Sequence[Statement]:
    """Each function only while it has something to do for the tenant."""
    plan, workers, region = args.plan, args.workers, args.shared.settings.region
    found = (
        ("MoverKeepsSecretsAndDumps", plan.move, workers.mover, ("secretsmanager", "s3")),
        ("LeaverHandsOver", plan.leaving_tag, workers.leaver, ("secretsmanager", "s3")),
        ("RekeyerCopiesArtefacts", plan.keys.turned, workers.rekeyer, ("s3",)),
    )
    return [_worker(sid, by.role_arn, region, services) for sid, on, by, services in found if on]


def _worker(sid: str, role_arn: Input[str], region: str, services: Sequence[str]) -> Statement:
    """A function of the cell's, and only for what these services keep."""
    return Statement(
        sid=sid,
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=["*"],
        principals={"AWS": [role_arn]},
        condition={"StringEquals": {"kms:ViaService": [f"{s}.{region}.amazonaws.com" for s in services]}},
    )
