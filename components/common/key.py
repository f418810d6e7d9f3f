"""A customer-managed KMS key whose policy names exactly who may use it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import kms

from components.common.iam_policy import Statement, document
from plan.settings import AccountSettings

USE: Final = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:DescribeKey",
)
# The account's administrators may look after the key, and not use it: using is granted by name below.
ADMINISTER: Final = (
    *("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"),
    *("kms:ListGrants", "kms:ListKeyPolicies", "kms:ListKeyRotations"),
    *("kms:PutKeyPolicy", "kms:EnableKeyRotation", "kms:DisableKeyRotation", "kms:RotateKeyOnDemand"),
    *("kms:EnableKey", "kms:DisableKey", "kms:TagResource", "kms:UntagResource", "kms:RevokeGrant"),
    *("kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias", "kms:UpdateKeyDescription"),
    *("kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"),
)


@dataclass(frozen=True, kw_only=True)
class ServiceUse:
    """An AWS service that uses the key itself, and on behalf of what (no confused deputy)."""

    service: str  # a service principal without ".amazonaws.com"
    condition: Mapping[str, Mapping[str, Input[Any]]]
    actions: Sequence[str] = USE

    def __post_init__(self) -> None:
        if not self.condition:
            raise ValueError(f"ServiceUse {self.service}: needs a condition that names on whose behalf")


@dataclass(frozen=True, kw_only=True)
class EncryptionKeyArgs:
    """`alias` is without its leading "alias/"; `via` are services that use it for callers of this account."""

    settings: AccountSettings
    alias: str
    purpose: str
    users: Mapping[str, Input[str]]  # what for (a short word) → ARN of a role that may encrypt and decrypt
    services: Sequence[ServiceUse] = ()
    via: Sequence[str] = ()  # "rds", "secretsmanager", "s3" …
    extra: Sequence[Statement] = ()
    rotation_days: int = 90
    released: bool = False  # a stage of a tenant's life has let it go: a later one may delete it
    account_id: Input[str] | None = None  # of the key, where it is not the stack's
    tags: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if not 90 <= self.rotation_days <= 2560:  # KMS EnableKeyRotation, 2026-11
            raise ValueError(f"EncryptionKeyArgs.rotation_days: expected 90..2560, got {self.rotation_days}")
        if not re.fullmatch("[A-Za-z0-9/_-]+", self.alias) or self.alias.startswith(("alias/", "aws/")):
            raise ValueError(
                f"EncryptionKeyArgs.alias: expected letters, digits, '/', '_' and '-', without a leading"
                f" alias/ or aws/, got {self.alias!r}"
            )


class EncryptionKey(pulumi.ComponentResource):
    """Rotated, aliased, protected where the stack protects its data; deletion takes 30 days."""

    arn: Output[str]
    key_id: Output[str]

    def __init__(self, name: str, args: EncryptionKeyArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:security:EncryptionKey", name, None, opts)
        key = kms.Key(
            f"{name}-key",
            description=args.purpose,
            enable_key_rotation=True,
            rotation_period_in_days=args.rotation_days,
            deletion_window_in_days=30,
            policy=document(*_statements(args)),
            tags=args.tags,
            opts=ResourceOptions(parent=self, protect=args.settings.protect_data and not args.released),
        )
        kms.Alias(
            f"{name}-alias",
            name=f"alias/{args.alias}",
            target_key_id=key.key_id,
            opts=ResourceOptions(parent=self),
        )
        self.arn, self.key_id = key.arn, key.key_id
        self.register_outputs({"arn": self.arn, "keyId": self.key_id})


def _statements(args: EncryptionKeyArgs) -> list[Statement]:
    root = {"AWS": [Output.format("arn:aws:iam::{0}:root", _account(args))]}
    found = [Statement(sid="Administer", actions=ADMINISTER, resources=["*"], principals=root)]
    if args.users:
        found.append(
            Statement(sid="Use", actions=USE, resources=["*"], principals={"AWS": list(args.users.values())})
        )
    if args.via:
        found += _through(args, root)
    found += [_service(use) for use in args.services]
    return [*found, *args.extra]


def _account(args: EncryptionKeyArgs) -> Input[str]:
    return args.account_id or args.settings.account_id


def _through(args: EncryptionKeyArgs, root: Mapping[str, Sequence[Input[str]]]) -> list[Statement]:
    """Callers of this account, and only by way of the named services (kms:ViaService)."""
    hosts = [f"{s}.{args.settings.region}.amazonaws.com" for s in args.via]
    mine: Mapping[str, Input[Any]] = {"kms:CallerAccount": _account(args), "kms:ViaService": hosts}
    return [
        Statement(
            sid="UseThroughServices",
            actions=USE,
            resources=["*"],
            principals=root,
            condition={"StringEquals": mine},
        ),
        Statement(
            sid="GrantToServices",
            actions=["kms:CreateGrant"],
            resources=["*"],
            principals=root,
            condition={"StringEquals": mine, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]


def _service(use: ServiceUse) -> Statement:
    word = "".join(part.capitalize() for part in use.service.replace("-", ".").split("."))
    return Statement(
        sid=f"Service{word}",
        actions=use.actions,
        resources=["*"],
        principals={"Service": [f"{use.service}.amazonaws.com"]},
        condition=use.condition,
    )
