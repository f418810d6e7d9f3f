"""The backup vault: daily snapshots, which those who can reach the databases cannot delete."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import ResourceOptions
from pulumi_aws import backup, iam

from components.common.alarm_event import AlarmEventArgs, alarm_event
from components.common.alarms import Watched, alarms
from components.common.context import CellContext
from components.common.iam_policy import Statement, document, trust
from components.common.key import EncryptionKey, EncryptionKeyArgs
from plan.data.backups import DAY_SECONDS, Lock, RetentionPlan, VaultPlan, backup_role


@dataclass(frozen=True, kw_only=True)
class BackupVaultArgs:
    plan: VaultPlan
    shared: CellContext


class BackupVault(pulumi.ComponentResource):
    """Snapshots stay under the keys of their databases, which RDS decides: a tenant's under the tenant's own.

    The vault's key is for what AWS Backup encrypts itself.
    """

    def __init__(self, name: str, args: BackupVaultArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:data:BackupVault", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        vault = self._make_vault()
        scheme = backup.Plan(
            f"{name}-plan",
            name=args.plan.name,
            rules=[_rule(rule, vault) for rule in args.plan.rules],
            opts=self._child,
        )
        role = self._make_role()
        backup.Selection(
            f"{name}-databases",
            name="databases",
            plan_id=scheme.id,
            iam_role_arn=role.arn,
            resources=list(args.plan.resources),
            # All of them must hold; without conditions of other kinds than these.
            conditions=[
                backup.SelectionConditionArgs(
                    string_equals=[
                        backup.SelectionConditionStringEqualArgs(key=f"aws:ResourceTag/{key}", value=value)
                        for key, value in args.plan.tags.items()
                    ]
                )
            ],
            opts=self._child,
        )
        self._watch()
        self.register_outputs({"vault": vault.name})

    def _make_vault(self) -> backup.Vault:
        plan, shared = self._args.plan, self._args.shared
        key = EncryptionKeyArgs(
            settings=shared.settings,
            alias=shared.names.path("alias", "vault"),
            purpose="The backup vault",
            users={},
            via=("backup",),
        )
        vault = backup.Vault(
            f"{self._name}-vault",
            name=plan.name,
            kms_key_arn=EncryptionKey(f"{self._name}-vault", key, self._child).arn,
            force_destroy=not shared.settings.protect_data,
            opts=ResourceOptions(parent=self, protect=shared.settings.protect_data),
        )
        if plan.lock is not Lock.NONE:
            backup.VaultLockConfiguration(
                f"{self._name}-lock",
                backup_vault_name=vault.name,
                min_retention_days=plan.least_days,
                max_retention_days=plan.most_days,
                changeable_for_days=plan.grace_days,
                opts=ResourceOptions(parent=self, protect=shared.settings.protect_data),
            )
        return vault

    def _make_role(self) -> iam.Role:
        shared = self._args.shared
        role = iam.Role(
            f"{self._name}-role",
            name=backup_role(shared.names),
            description="AWS Backup takes and ends snapshots of databases",
            assume_role_policy=trust("backup", account_id=shared.settings.account_id),
            permissions_boundary=shared.boundary_arn,
            opts=self._child,
        )
        iam.RolePolicy(
            f"{self._name}-policy",
            name="work",
            role=role.id,
            policy=document(*_permissions(self._args)),
            opts=self._child,
        )
        return role

    def _watch(self) -> None:
        plan, shared = self._args.plan, self._args.shared
        failed = AlarmEventArgs(
            label="backup-failed",
            description="A database was not backed up into the vault",
            pattern=plan.failed,
            shared=shared,
        )
        alarm_event(f"{self._name}-failed", failed, self._child)
        watched = Watched(
            label="vault",
            namespace="AWS/Backup",
            dimensions={"BackupVaultName": plan.name},
            seconds=DAY_SECONDS,
        )
        alarms(self._name, {"missing": plan.missing}, watched, shared, self._child)


def _rule(plan: RetentionPlan, vault: backup.Vault) -> backup.PlanRuleArgs:
    return backup.PlanRuleArgs(
        rule_name=plan.name,
        target_vault_name=vault.name,
        schedule=plan.schedule,
        start_window=plan.start_minutes,
        completion_window=plan.done_minutes,
        lifecycle=backup.PlanRuleLifecycleArgs(delete_after=plan.keep_days),
    )


def _permissions(args: BackupVaultArgs) -> list[Statement]:
    """The part of AWS's own policy for the role that is about RDS instances (AWSBackupServiceRolePolicyFor
    Backup, version 20, 2026-11), for this cell's databases. A snapshot under its database's key asks nothing
    of KMS from who takes it (RDS API, CreateDBSnapshot).
    """
    databases = list(args.plan.resources)
    snapshots = args.shared.arn("rds", "snapshot:awsbackup:*")
    return [
        Statement(
            sid="FindTheTagged",
            actions=["tag:GetResources"],  # has no resource
            resources=["*"],
        ),
        Statement(
            sid="Snapshot",
            actions=[
                *("rds:CreateDBSnapshot", "rds:AddTagsToResource", "rds:ListTagsForResource"),
                *("rds:DescribeDBInstances", "rds:DescribeDBSnapshots"),
            ],
            resources=[*databases, snapshots],
        ),
        Statement(sid="EndSnapshots", actions=["rds:DeleteDBSnapshot"], resources=[snapshots]),
    ]
