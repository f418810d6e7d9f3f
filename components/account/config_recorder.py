"""AWS Config: records how every resource of the account is configured, and when that changed."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_aws import cfg, iam

from components.account.audit_bucket import AuditWriter, audit_bucket
from components.common.bucket import SecureBucket
from components.common.context import AccountContext

PREFIX = "config"
SERVICE_ROLE = "aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"


@dataclass(frozen=True, kw_only=True)
class ConfigRecorderArgs:
    key_arn: Input[str]
    whole_account: bool  # global types too, and the role that AWS has once in an account
    shared: AccountContext


class ConfigRecorder(pulumi.ComponentResource):
    """Records all types, delivers to a bucket of its own, and is switched on last.

    That bucket has no lock, since Config does not deliver to one that has (CloudFormation reference,
    AWS::Config::DeliveryChannel, 2026-11).
    """

    def __init__(self, name: str, args: ConfigRecorderArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:account:ConfigRecorder", name, None, opts)
        child = ResourceOptions(parent=self)
        shared, account = args.shared, args.shared.settings.account_id
        writer = AuditWriter(
            service="config",
            folders=[f"{PREFIX}/AWSLogs/{account}/Config"],
            source={"aws:SourceAccount": account},
        )
        history = audit_bucket(
            shared.names.bucket("history"),
            writer,
            args.key_arn,
            shared.settings,
            shared.access_logs_bucket,
            lock=False,
        )
        bucket = SecureBucket(f"{name}-history", history, child)
        label = shared.names.label("any", "config")
        # AWS keeps this role's permissions itself; a role of ours would have to follow every new type.
        role_arn = shared.arn("iam", f"role/{SERVICE_ROLE}", region=False)
        if args.whole_account:
            service = "config.amazonaws.com"
            role_arn = iam.ServiceLinkedRole(f"{name}-role", aws_service_name=service, opts=child).arn
        recorder = cfg.Recorder(
            f"{name}-recorder",
            name=label,
            role_arn=role_arn,
            recording_group={"all_supported": True, "include_global_resource_types": args.whole_account},
            opts=child,
        )
        channel = cfg.DeliveryChannel(
            f"{name}-channel",
            name=label,
            s3_bucket_name=bucket.name,
            s3_key_prefix=PREFIX,
            s3_kms_key_arn=args.key_arn,
            snapshot_delivery_properties={"delivery_frequency": "TwentyFour_Hours"},
            opts=ResourceOptions(parent=self, depends_on=[recorder]),
        )
        cfg.RecorderStatus(
            f"{name}-status",
            name=recorder.name,
            is_enabled=True,
            opts=ResourceOptions(parent=self, depends_on=[channel]),
        )
        self.register_outputs({})
