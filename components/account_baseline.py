"""The landing zone of a cell's account: what must be there before anything runs in it."""

from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import iam

from components.account_defaults import AccountDefaults, AccountDefaultsArgs
from components.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.audit_trail import AuditTrail, AuditTrailArgs
from components.boundary import boundary_document
from components.break_glass import BreakGlass, BreakGlassArgs
from components.config_recorder import ConfigRecorder, ConfigRecorderArgs
from components.detectors import Detectors, DetectorsArgs
from components.key import EncryptionKey, EncryptionKeyArgs, ServiceUse
from components.log_archive import LogArchive, LogArchiveArgs
from components.shared import Shared
from plan.baseline import trail_alarms
from plan.names import Names
from plan.settings import Settings


@dataclass(frozen=True, kw_only=True)
class AccountBaselineArgs:
    settings: Settings
    names: Names


class AccountBaseline(pulumi.ComponentResource):
    """Records, detectors, defaults, a boundary for every role, and a way in for emergencies.

    Much of it exists once per account and Region, so each cell has an account of its own.
    """

    shared: Shared
    break_glass_role_arn: Output[str]
    trail_arn: Output[str]

    def __init__(self, name: str, args: AccountBaselineArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:account:AccountBaseline", name, None, opts)
        settings, names, child = args.settings, args.names, ResourceOptions(parent=self)
        trail_name = names.label("any", "trail")
        trail_arn = f"arn:aws:cloudtrail:{settings.region}:{settings.account_id}:trail/{trail_name}"
        archive = LogArchive(
            f"{name}-archive", LogArchiveArgs(settings=settings, names=names, trail_arn=trail_arn), child
        )
        alarms = AlarmTopic(f"{name}-alarms", AlarmTopicArgs(settings=settings, names=names), child)
        self.shared = shared = Shared(
            settings=settings,
            names=names,
            boundary_arn=_make_boundary(name, args, child),
            logs_key_arn=EncryptionKey(f"{name}-logs", _logs_key(args), child).arn,
            access_logs_bucket=archive.access_logs_bucket,
            alarms_topic_arn=alarms.arn,
            alarms_key_arn=alarms.key_arn,
        )
        emergency = names.label("role", "break-glass")
        trail = AuditTrail(
            f"{name}-trail",
            AuditTrailArgs(
                trail_name=trail_name,
                trail_arn=trail_arn,
                bucket=archive.bucket,
                key_arn=archive.key_arn,
                alarms=trail_alarms(f"arn:aws:iam::{settings.account_id}:role/{emergency}"),
                shared=shared,
            ),
            child,
        )
        config = ConfigRecorderArgs(bucket=archive.bucket, key_arn=archive.key_arn, shared=shared)
        ConfigRecorder(f"{name}-config", config, child)
        Detectors(f"{name}-detectors", DetectorsArgs(shared=shared), child)
        volumes = EncryptionKey(f"{name}-volumes", _volumes_key(args), child)
        defaults = AccountDefaultsArgs(volumes_key_arn=volumes.arn, shared=shared)
        AccountDefaults(f"{name}-defaults", defaults, child)
        break_glass = BreakGlassArgs(role_name=emergency, shared=shared)
        self.break_glass_role_arn = BreakGlass(f"{name}-break-glass", break_glass, child).role_arn
        self.trail_arn = trail.arn
        self.register_outputs({"breakGlassRoleArn": self.break_glass_role_arn, "trailArn": self.trail_arn})


def _make_boundary(name: str, args: AccountBaselineArgs, child: ResourceOptions) -> Output[str]:
    return iam.Policy(
        f"{name}-boundary",
        name=args.names.label("policy", "boundary"),
        description="The most that a role of the platform can do",
        policy=boundary_document(args.settings),
        opts=child,
    ).arn


def _logs_key(args: AccountBaselineArgs) -> EncryptionKeyArgs:
    """CloudWatch Logs names the log group in the encryption context (CloudWatch Logs guide, 2026-11)."""
    region, account = args.settings.region, args.settings.account_id
    groups = f"arn:aws:logs:{region}:{account}:log-group:*"
    context = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}}
    return EncryptionKeyArgs(
        settings=args.settings,
        alias=args.names.path("alias", "logs"),
        purpose="log groups of the cell",
        users={},
        services=[ServiceUse(service=f"logs.{region}", condition=context)],
    )


def _volumes_key(args: AccountBaselineArgs) -> EncryptionKeyArgs:
    return EncryptionKeyArgs(
        settings=args.settings,
        alias=args.names.path("alias", "volumes"),
        purpose="volumes and snapshots that name no key of their own",
        users={},
        via=("ec2",),
    )
