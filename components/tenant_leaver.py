"""The Lambda that lets a tenant go: hands over its data, has its key deleted, erases the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.data_access import HOMES, keys_of_secrets, keys_through, master_secrets
from components.evidence import evidence_bucket
from components.function_code import POSTGRES_DRIVER, FunctionCode
from components.key import EncryptionKey, EncryptionKeyArgs
from components.network_function import NetworkFunction, NetworkFunctionArgs, function_role
from components.policy import Statement
from components.shared import Shared
from components.tenant_identity import LEAVING
from plan.leaving import ENDING
from plan.services import FunctionPlan

CODE: Final = FunctionCode("tenant_leaving", POSTGRES_DRIVER, imports=("tenant_bootstrap", "tenant_data"))


@dataclass(frozen=True, kw_only=True)
class TenantLeaverArgs:
    plan: FunctionPlan
    subnet_ids: Sequence[Input[str]]
    group_id: Input[str]
    shared: Shared


class TenantLeaver(pulumi.ComponentResource):
    """One function for the whole cell. What it may do to a tenant's key, it may only while that bears the tag
    of a tenant that leaves; with its buckets and its login, while their own policies let it.
    """

    function_name: Output[str]
    role_arn: Output[str]

    def __init__(self, name: str, args: TenantLeaverArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:functions:TenantLeaver", name, None, opts)
        child, shared = ResourceOptions(parent=self), args.shared
        role = function_role(f"{name}-role", "leaver", "Lets tenants go", shared, child)
        key = EncryptionKey(
            name,
            EncryptionKeyArgs(
                settings=shared.settings,
                alias=shared.names.path("alias", "leaver"),
                purpose="Environment of the function that lets tenants go",
                users={"function": role.arn},
                via=("lambda",),
            ),
            child,
        )
        function = NetworkFunction(
            name,
            NetworkFunctionArgs(
                plan=args.plan,
                description="Hands a leaving tenant's data over, erases it, certifies it",
                role=role,
                statements=(*_data(shared), *_buckets(shared), *_keys(shared), *_instances(shared)),
                subnet_ids=args.subnet_ids,
                group_id=args.group_id,
                key_arn=key.arn,
                environment={"CELL": shared.settings.stack},
                code=CODE,
                shared=shared,
            ),
            child,
        )
        self.function_name, self.role_arn = function.name, role.arn
        self.register_outputs({"functionName": self.function_name, "roleArn": self.role_arn})


def _data(shared: Shared) -> Sequence[Statement]:
    tenants = f"secret:{shared.names.path('secret', 'tenants', '*')}"
    return (
        *master_secrets(shared),
        keys_of_secrets(shared),
        Statement(
            sid="ReadLoginsOfTheLeaving",
            actions=["secretsmanager:GetSecretValue"],
            resources=[shared.arn("secretsmanager", f"{tenants}/database-*")],
        ),
        Statement(
            sid="SeeWhetherSecretsAreGone",
            actions=["secretsmanager:DescribeSecret"],
            resources=[shared.arn("secretsmanager", tenants)],
        ),
    )


def _buckets(shared: Shared) -> Sequence[Statement]:
    names = shared.names
    artefacts, handover = (f"arn:aws:s3:::{names.bucket(word, '*')}" for word in ("t", "handover"))
    evidence = f"arn:aws:s3:::{evidence_bucket(shared)}"
    return (
        Statement(
            sid="ListBuckets",
            actions=["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"],
            resources=[artefacts, handover],
        ),
        Statement(sid="ListEvidence", actions=["s3:ListBucket"], resources=[evidence]),
        Statement(
            sid="HandOver",
            actions=["s3:GetObject", "s3:PutObject"],
            resources=[f"{handover}/*"],
        ),
        Statement(sid="ReadArtefacts", actions=["s3:GetObject"], resources=[f"{artefacts}/*"]),
        Statement(
            sid="EmptyBuckets",
            actions=["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"],
            resources=[f"{artefacts}/*", f"{handover}/*"],
        ),
        Statement(
            sid="KeepEvidence",
            actions=["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
            resources=[f"{evidence}/tenants/*"],
        ),
        keys_through(shared, "UseTheKeysOfTheseBuckets", "s3"),
    )


def _keys(shared: Shared) -> Sequence[Statement]:
    every = [shared.arn("kms", "key/*")]
    return (
        Statement(sid="SeeWhetherKeysAreGone", actions=["kms:DescribeKey"], resources=every),
        Statement(
            sid="KeepKeysOfTheLeaving",
            actions=["kms:CancelKeyDeletion", "kms:EnableKey"],
            resources=every,
            condition={"StringLike": {f"aws:ResourceTag/{LEAVING}": "?*"}},
        ),
        Statement(
            sid="DeleteKeysOfTheEnding",
            actions=["kms:ScheduleKeyDeletion"],
            resources=every,
            condition={"StringEquals": {f"aws:ResourceTag/{LEAVING}": ENDING}},
        ),
    )


def _instances(shared: Shared) -> Sequence[Statement]:
    own = shared.names.label("database", HOMES[1])
    return (
        Statement(
            sid="SeeWhetherInstancesAreGone",
            actions=["rds:DescribeDBInstances", "rds:DescribeDBSnapshots"],
            resources=[shared.arn("rds", "db:*"), shared.arn("rds", "snapshot:*")],
        ),
        Statement(
            sid="SeeBackups",
            actions=["rds:DescribeDBInstanceAutomatedBackups"],
            resources=[shared.arn("rds", "db:*"), shared.arn("rds", "auto-backup:*")],
        ),
        Statement(
            sid="DeleteSnapshotsOfSilos",
            actions=["rds:DeleteDBSnapshot"],
            resources=[shared.arn("rds", f"snapshot:{own}")],
        ),
    )
