"""What holds in the account for whatever anybody makes there: encryption, nothing public, strong sign-in."""

from dataclasses import dataclass

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_aws import ebs, ec2, iam, s3

from components.shared import Shared


@dataclass(frozen=True, kw_only=True)
class AccountDefaultsArgs:
    volumes_key_arn: Input[str]  # of volumes that name no key
    shared: Shared


class AccountDefaults(pulumi.ComponentResource):
    """Once per account (bucket access, passwords) or per account and Region (all others)."""

    def __init__(self, name: str, args: AccountDefaultsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("tenantry:account:AccountDefaults", name, None, opts)
        child = ResourceOptions(parent=self)
        self._make_volumes(name, args, child)
        s3.AccountPublicAccessBlock(
            f"{name}-buckets",
            account_id=args.shared.settings.account_id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        iam.AccountPasswordPolicy(
            f"{name}-passwords",
            minimum_password_length=16,
            require_lowercase_characters=True,
            require_uppercase_characters=True,
            require_numbers=True,
            require_symbols=True,
            allow_users_to_change_password=True,
            max_password_age=90,
            password_reuse_prevention=24,
            opts=child,
        )
        # Nothing comes in through an internet gateway, in any VPC of the Region, the default one
        # included; NAT gateways still lead out (VPC user guide, "Block public access", 2026-11).
        ec2.VpcBlockPublicAccessOptions(
            f"{name}-networks", internet_gateway_block_mode="block-ingress", opts=child
        )
        self.register_outputs({})

    def _make_volumes(self, name: str, args: AccountDefaultsArgs, child: ResourceOptions) -> None:
        encryption = ebs.EncryptionByDefault(f"{name}-volumes", enabled=True, opts=child)
        ebs.DefaultKmsKey(
            f"{name}-volumes-key",
            key_arn=args.volumes_key_arn,
            opts=ResourceOptions(parent=self, depends_on=[encryption]),
        )
        ebs.SnapshotBlockPublicAccess(f"{name}-snapshots", state="block-all-sharing", opts=child)
        ec2.ImageBlockPublicAccess(f"{name}-images", state="block-new-sharing", opts=child)
        ec2.InstanceMetadataDefaults(
            f"{name}-metadata",
            http_endpoint="enabled",
            http_tokens="required",  # IMDSv2
            http_put_response_hop_limit=1,
            opts=child,
        )
