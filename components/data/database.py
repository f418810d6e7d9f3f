"""A PostgreSQL instance on RDS with its readers, secrets, logs and alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_random as random
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import cloudwatch, rds, secretsmanager

from components.common.alarms import Watched, alarms
from components.common.context import CellContext
from components.common.json_text import json_text
from plan.data.alarms import AlarmPlan, plan_database_alarms, plan_reader_alarms
from plan.data.databases import (
    BACKED_UP,
    BACKUP_WINDOW,
    CA_CERTIFICATE,
    ENGINE_VERSION,
    MAINTENANCE_WINDOW,
    MASTER_USER,
    DatabasePlan,
    Master,
)

PORT = 5432
MONITORING_SECONDS = 60
RELEASED = "released"  # the tag on what a stage of a tenant's life has let go: the next one may delete it
# Where an instance came from is said while it is restored, and unsaying it would replace the instance.
ONCE = ["restoreToPointInTime", "dbName"]
INSIGHTS_DAYS = 7  # of Performance Insights; the free tier


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """`key_arn` must be the ARN and not an alias: RDS answers with the ARN, and a difference replaces."""

    plan: DatabasePlan
    subnet_group: Input[str]
    parameter_group: Input[str]
    monitoring_role_arn: Input[str]
    group_id: Input[str]  # the security group
    key_arn: Input[str]
    shared: CellContext

    def __post_init__(self) -> None:
        if self.plan.replicas and self.plan.master is Master.MANAGED:
            raise ValueError(
                f"database {self.plan.name}: RDS refuses read replicas of a source whose master password"
                " it manages; plan it with Master.PROGRAM"
            )

    @property
    def tags(self) -> Mapping[str, str]:
        owner = {"tenant": self.plan.owner} if self.plan.owner else {}
        released = {RELEASED: self.plan.released} if self.plan.released else {}
        return {"Name": self.plan.identifier, **owner, **released}


class Database(pulumi.ComponentResource):
    """One database: never public, TLS only, encrypted under one key with its snapshots and secrets."""

    identifier: Output[str]
    arn: Output[str]
    endpoint: Output[str]  # the host alone
    port: Output[int]
    database: str
    master_secret_arn: Output[str]
    reader_endpoints: Sequence[Output[str]]

    def __init__(self, name: str, args: DatabaseArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:data:Database", name, None, opts)
        logs = _log_groups(name, args, self)
        master = _program_master(name, args, self) if args.plan.master is Master.PROGRAM else None
        instance = _instance(name, args, master, ResourceOptions(parent=self, depends_on=logs))
        readers = [
            _reader(reader, identifier, args, instance, self)
            for reader, identifier in args.plan.readers.items()
        ]
        _alarms(name, instance.identifier, plan_database_alarms(args.plan), args, self)
        for reader, resource in zip(args.plan.readers, readers, strict=True):
            _alarms(reader, resource.identifier, plan_reader_alarms(args.plan), args, self)
        self.identifier, self.arn = instance.identifier, instance.arn
        self.endpoint, self.port = instance.address, instance.port
        self.database = args.plan.database
        self.master_secret_arn = (
            master.version.secret_id if master else instance.master_user_secrets[0].secret_arn
        )
        self.reader_endpoints = [r.address for r in readers]
        self.register_outputs(
            {
                "identifier": self.identifier,
                "endpoint": self.endpoint,
                "port": self.port,
                "masterSecretArn": self.master_secret_arn,
                "readerEndpoints": self.reader_endpoints,
            }
        )


@dataclass(frozen=True)
class _Master:
    """A master password that this program makes, where RDS cannot."""

    password: Output[str]
    version: secretsmanager.SecretVersion


def _program_master(name: str, args: DatabaseArgs, parent: pulumi.Resource) -> _Master:
    """The secret is written before the instance, so that no database exists whose password nobody has."""
    child = ResourceOptions(parent=parent)
    # Without special characters, since RDS forbids some; 40 of 62 are 238 bits.
    password = random.RandomPassword(
        f"{name}-master-password",
        length=40,
        special=False,
        keepers={"generation": str(args.plan.password_generation)},
        opts=child,
    )
    secret = secretsmanager.Secret(
        f"{name}-master-secret",
        name=args.shared.names.path("secret", "databases", args.plan.name, "master"),
        description=f"Master user of database {args.plan.identifier}",
        kms_key_id=args.key_arn,
        recovery_window_in_days=recovery_days(args.plan.protect),
        tags=args.tags,
        opts=ResourceOptions(parent=parent, protect=args.plan.guarded),
    )
    version = secretsmanager.SecretVersion(
        f"{name}-master-secret-version",
        secret_id=secret.id,
        secret_string=json_text({"username": MASTER_USER, "password": password.result}),
        opts=child,
    )
    return _Master(password.result, version)


def recovery_days(protect: bool) -> int:
    """Days in which a deleted secret can be had back; none where names are used again at once."""
    return 30 if protect else 0


def _log_groups(name: str, args: DatabaseArgs, parent: pulumi.Resource) -> list[cloudwatch.LogGroup]:
    """Made before the instance: RDS would make them without a key and keep them for ever."""
    settings = args.shared.settings
    days = {"postgresql": settings.audit_log_days, "upgrade": settings.application_log_days}
    return [
        cloudwatch.LogGroup(
            f"{name}-log-{log}",
            name=group,
            retention_in_days=days[log],
            kms_key_id=args.shared.logs_key_arn,
            tags=args.tags,
            opts=ResourceOptions(parent=parent),
        )
        for log, group in args.plan.log_groups.items()
    ]


def _instance(name: str, args: DatabaseArgs, master: _Master | None, opts: ResourceOptions) -> rds.Instance:
    plan = args.plan
    return rds.Instance(
        f"{name}-instance",
        identifier=plan.identifier,
        engine="postgres",
        engine_version=ENGINE_VERSION,
        db_name=None if plan.restore else plan.database,  # which comes with what is restored
        restore_to_point_in_time=_restore(plan),
        username=MASTER_USER,
        password=master.password if master else None,
        manage_master_user_password=None if master else True,
        master_user_secret_kms_key_id=None if master else args.key_arn,
        allocated_storage=plan.size.storage_gib,
        kms_key_id=args.key_arn,
        db_subnet_group_name=args.subnet_group,
        multi_az=plan.multi_az,
        backup_retention_period=plan.backup_days,
        backup_window=BACKUP_WINDOW,
        enabled_cloudwatch_logs_exports=list(plan.log_groups),
        delete_automated_backups=not plan.snapshot,
        skip_final_snapshot=not plan.snapshot,
        final_snapshot_identifier=_final_snapshot(name, args, opts) if plan.snapshot else None,
        tags={**args.tags, **BACKED_UP},
        opts=ResourceOptions.merge(
            opts, ResourceOptions(protect=plan.guarded, ignore_changes=ONCE if plan.owner else None)
        ),
        **_common(args),
    )


def _restore(plan: DatabasePlan) -> rds.InstanceRestoreToPointInTimeArgs | None:
    if plan.restore is None:
        return None
    return rds.InstanceRestoreToPointInTimeArgs(
        source_db_instance_identifier=plan.restore.source, restore_time=plan.restore.at
    )


def _final_snapshot(name: str, args: DatabaseArgs, opts: ResourceOptions) -> Output[str]:
    """A name that no earlier instance of the same identifier has left behind."""
    suffix = random.RandomId(
        f"{name}-final-snapshot",
        byte_length=4,
        keepers={"identifier": args.plan.identifier, "key": args.key_arn},
        opts=ResourceOptions(parent=opts.parent),
    )
    return Output.concat(args.plan.identifier, "-final-", suffix.hex)


def _reader(
    name: str, identifier: str, args: DatabaseArgs, source: rds.Instance, parent: pulumi.Resource
) -> rds.Instance:
    """Key, subnets, users and backups are the source's: a replica in its Region may name none of them.

    It has nothing that the source has not, so no final snapshot, which AWS would refuse for a replica.
    """
    return rds.Instance(
        f"{name}-instance",
        identifier=identifier,
        replicate_source_db=source.identifier,
        multi_az=False,
        enabled_cloudwatch_logs_exports=[],
        skip_final_snapshot=True,
        tags={**args.tags, "Name": identifier},
        opts=ResourceOptions(parent=parent, protect=args.plan.guarded),
        **_common(args),
    )


def _common(args: DatabaseArgs) -> Mapping[str, Any]:
    """What writer and readers have alike."""
    plan = args.plan
    return {
        "instance_class": plan.size.instance_class,
        "storage_type": "gp3",
        "max_allocated_storage": plan.size.max_storage_gib,
        "storage_encrypted": True,
        "port": PORT,
        "publicly_accessible": False,
        "vpc_security_group_ids": [args.group_id],
        "parameter_group_name": args.parameter_group,
        "ca_cert_identifier": CA_CERTIFICATE,
        "iam_database_authentication_enabled": True,
        "auto_minor_version_upgrade": True,
        "maintenance_window": MAINTENANCE_WINDOW,
        # Where data is protected a change that restarts the database waits for its window.
        "apply_immediately": not plan.protect,
        "deletion_protection": plan.guarded,
        "copy_tags_to_snapshot": True,
        "monitoring_interval": MONITORING_SECONDS,
        "monitoring_role_arn": args.monitoring_role_arn,
        "performance_insights_enabled": True,
        "performance_insights_kms_key_id": args.key_arn,
        "performance_insights_retention_period": INSIGHTS_DAYS,
    }


def _alarms(
    name: str, identifier: Input[str], plans: Sequence[AlarmPlan], args: DatabaseArgs, parent: pulumi.Resource
) -> None:
    watched = Watched(
        label=name,
        namespace="AWS/RDS",
        dimensions={"DBInstanceIdentifier": identifier},
        seconds=300,
        tags=args.tags,
    )
    alarms(name, {p.metric: p for p in plans}, watched, args.shared, ResourceOptions(parent=parent))
