"""Defaults of the account: encryption, block public access, password policy."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import ResourceOptions
from pulumi_aws import ebs, ec2, iam, s3

from components.common.context import AccountContext
from components.common.key import EncryptionKey, EncryptionKeyArgs
from plan.account.baseline import Duties


@dataclass(frozen=True, kw_only=True)
class AccountDefaultsArgs:
    duties: Duties
    shared: AccountContext


class AccountDefaults(pulumi.ComponentResource):
    """Once per account (buckets, passwords) or per account and Region (all others), as is its duty."""

    def __init__(self, name: str, args: AccountDefaultsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:account:AccountDefaults", name, None, opts)
        self._name, self._args = name, args
        self._child = ResourceOptions(parent=self)
        if args.duties.account:
            self._close_account()
        if args.duties.region:
            self._make_volumes()
            self._close_region()
        self.register_outputs({})

    def _close_account(self) -> None:
        s3.AccountPublicAccessBlock(
            f"{self._name}-buckets",
            account_id=self._args.shared.settings.account_id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        iam.AccountPasswordPolicy(
            f"{self._name}-passwords",
            minimum_password_length=16,
            require_lowercase_characters=True,
            require_uppercase_characters=True,
            require_numbers=True,
            require_symbols=True,
            allow_users_to_change_password=True,
            max_password_age=90,
            password_reuse_prevention=24,
            opts=self._child,
        )

    def _close_region(self) -> None:
        """Nothing comes in through an internet gateway, in any VPC of the Region, the default one
        included; NAT gateways still lead out (VPC user guide, "Block public access", 2026-11).
        """
        ec2.VpcBlockPublicAccessOptions(
            f"{self._name}-networks", internet_gateway_block_mode="block-ingress", opts=self._child
        )
        ebs.SnapshotBlockPublicAccess(f"{self._name}-snapshots", state="block-all-sharing", opts=self._child)
        ec2.ImageBlockPublicAccess(f"{self._name}-images", state="block-new-sharing", opts=self._child)
        ec2.InstanceMetadataDefaults(
            f"{self._name}-metadata",
            http_endpoint="enabled",
            http_tokens="required",  # IMDSv2
            http_put_response_hop_limit=1,
            opts=self._child,
        )

    def _make_volumes(self) -> None:
        """Encrypted, and under a key of this account where they name none."""
        settings, names = self._args.shared.settings, self._args.shared.names
        key = EncryptionKey(
            f"{self._name}-volumes",
            EncryptionKeyArgs(
                settings=settings,
                alias=names.path("alias", "volumes"),
                purpose="volumes and snapshots that name no key of their own",
                users={},
                via=("ec2",),
            ),
            self._child,
        )
        encryption = ebs.EncryptionByDefault(f"{self._name}-volumes", enabled=True, opts=self._child)
        ebs.DefaultKmsKey(
            f"{self._name}-volumes-key",
            key_arn=key.arn,
            opts=ResourceOptions(parent=self, depends_on=[encryption]),
        )
