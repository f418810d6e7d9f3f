"""Copies a database's backups and change log to a second Region."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, ResourceOptions
from pulumi_aws import rds

from components.common.context import CellContext
from components.common.key import EncryptionKey, EncryptionKeyArgs
from plan.data.databases import DatabasePlan
from plan.settings import Settings


@dataclass(frozen=True)
class CopyPlace:
    """The other Region: the settings as they are there, and the way to it."""

    settings: Settings
    provider: aws.Provider


@dataclass(frozen=True, kw_only=True)
class DatabaseCopyArgs:
    plan: DatabasePlan
    source_arn: Input[str]
    place: CopyPlace
    shared: CellContext


class DatabaseCopy(pulumi.ComponentResource):
    """Everything below it is made in the second Region, under a key there that is this database's alone.

    It can be restored to any second that the first Region's backups go back to, some minutes behind.
    """

    def __init__(self, name: str, args: DatabaseCopyArgs, opts: ResourceOptions) -> None:
        there = ResourceOptions.merge(opts, ResourceOptions(providers=[args.place.provider]))
        super().__init__("tenantry:data:DatabaseCopy", name, None, there)
        plan = args.plan
        owner = {"tenant": plan.owner} if plan.owner else None
        key = EncryptionKey(
            name,
            EncryptionKeyArgs(
                settings=args.place.settings,
                alias=args.shared.names.path("alias", "copies", plan.name),
                purpose=f"Copies of the backups of database {plan.name}",
                users={},
                via=("rds",),
                released=plan.released is not None,
                tags=owner,
            ),
            ResourceOptions(parent=self),
        )
        rds.InstanceAutomatedBackupsReplication(
            f"{name}-replication",
            source_db_instance_arn=args.source_arn,
            kms_key_id=key.arn,
            retention_period=plan.backup_days,
            opts=ResourceOptions(parent=self, protect=plan.guarded),
        )
        self.register_outputs({"keyArn": key.arn})
