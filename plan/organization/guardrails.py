"""Service control policies: what nobody in a member account may do, whatever else is allowed.

Rules: Organizations user guide, "Service control policies" and its examples; condition keys as the
service authorization reference has them (all 2026-11). Neither the management account nor
service-linked roles are bound by such policies.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from plan.account.baseline import actions
from plan.account.restricted_actions import ENDS, IDENTITIES
from plan.names import PROJECT

Condition = Mapping[str, Mapping[str, str | tuple[str, ...]]]

APPLY: Final = f"arn:aws:iam::*:role/{PROJECT}-*-apply"  # deploys a cell, `plan.account.deploy_roles`
# Lets tenants go, `components.tenants.tenant_offboarder`; its boundary says whose keys it may have deleted.
LEAVER: Final = f"arn:aws:iam::*:role/{PROJECT}-*-leaver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """What the refusals must know: Regions that are open, and ARNs of those who run the landing zone."""

    regions: tuple[str, ...]
    administrators: tuple[str, ...]  # patterns of role ARNs


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One statement. It holds for everybody but `spared`, and where `condition` is met."""

    sid: str
    why: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()  # instead of actions: all but these
    resources: tuple[str, ...] = ("*",)
    condition: Condition = field(default_factory=dict[str, Mapping[str, Any]])
    spared: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        spared = {"ArnNotLike": {"aws:PrincipalArn": self.spared}} if self.spared else {}
        condition = {o: dict(keys) for o, keys in {**self.condition, **spared}.items()}
        return {
            "Sid": self.sid,
            "Effect": "Deny",
            **({"NotAction": self.not_actions} if self.not_actions else {"Action": self.actions}),
            "Resource": self.resources,
            **({"Condition": condition} if condition else {}),
        }


# What weakens them, and what the role that deploys a cell also sets them up with.
CHANGES: Final[Mapping[str, str]] = {
    "access-analyzer": "UpdateAnalyzer",
    "cloudtrail": "PutEventSelectors UpdateTrail",
    "config": "PutConfigurationRecorder PutDeliveryChannel",
    "ec2": "ModifyEbsDefaultKmsKeyId ResetEbsDefaultKmsKeyId ModifyInstanceMetadataDefaults"
    " ModifyVpcBlockPublicAccessOptions",
    "guardduty": "UpdateDetector",
    "iam": "DeleteAccountPasswordPolicy UpdateAccountPasswordPolicy",
    "s3": "PutAccountPublicAccessBlock PutBucketPublicAccessBlock",
    "securityhub": "UpdateSecurityHubConfiguration UpdateStandardsControl",
}
# Ways to a credential that does not expire.
USERS: Final[Mapping[str, str]] = {
    "iam": "CreateAccessKey CreateLoginProfile CreateServiceSpecificCredential CreateUser"
    " UpdateAccessKey UploadSSHPublicKey UploadSigningCertificate",
}
PROTECTED: Final = (
    *(f"role/{PROJECT}-*-{word}" for word in ("apply", "plan", "break-glass")),
    *(f"policy/{PROJECT}-*-{word}" for word in ("boundary", "apply-*", "plan-*")),
)
# Ways to show a copy of data to others.
SHARES: Final[Mapping[str, str]] = {
    "ec2": "ModifyImageAttribute ModifySnapshotAttribute",
    "rds": "ModifyDBClusterSnapshotAttribute ModifyDBSnapshotAttribute",
}

# Services whose calls go to one Region whatever is asked, and calls that list what there is elsewhere
# (Organizations user guide, "General examples", deny access by the requested Region, 2026-11).
GLOBAL: Final = (
    *("a4b:*", "acm:*", "aws-marketplace-management:*", "aws-marketplace:*", "aws-portal:*", "budgets:*"),
    *("ce:*", "chime:*", "cloudfront:*", "config:*", "cur:*", "directconnect:*", "ec2:DescribeRegions"),
    *("ec2:DescribeTransitGateways", "ec2:DescribeVpnGateways", "fms:*", "globalaccelerator:*", "health:*"),
    *("iam:*", "importexport:*", "kms:*", "mobileanalytics:*", "networkmanager:*", "organizations:*"),
    *("pricing:*", "route53:*", "route53domains:*", "route53-recovery-cluster:*"),
    *("route53-recovery-control-config:*", "route53-recovery-readiness:*", "s3:GetAccountPublic*"),
    *("s3:ListAllMyBuckets", "s3:ListMultiRegionAccessPoints", "s3:PutAccountPublic*", "shield:*", "sts:*"),
    *("support:*", "trustedadvisor:*", "waf-regional:*", "waf:*", "wafv2:*", "wellarchitected:*"),
)


def identities(who: Who) -> tuple[Refusal, ...]:
    """Who there may be in an account, and that it stays in the organization."""
    return (
        Refusal(
            sid="Leaving",
            why="an account that leaves is bound by nothing here",
            actions=("organizations:LeaveOrganization", "account:CloseAccount"),
        ),
        Refusal(
            sid="RootUse",
            why="the root user cannot be limited from inside the account",
            actions=("*",),
            condition={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}},
        ),
        Refusal(
            sid="Users",
            why="keys and passwords of users do not expire; people sign in through the organization",
            actions=actions(USERS),
        ),
        Refusal(
            sid="LandingZone",
            why="who may change a role's limits has none",
            actions=actions(IDENTITIES),
            resources=(
                *(f"arn:aws:iam::*:{resource}" for resource in PROTECTED),
                *(arn for arn in who.administrators),
            ),
            spared=who.administrators,
        ),
    )


def evidence(who: Who) -> tuple[Refusal, ...]:
    """That what happens is recorded and watched, and that nothing is kept in clear by default."""
    return (
        Refusal(
            sid="Ends",
            why="who stops the records hides what comes next",
            actions=actions(ENDS),
            spared=who.administrators,
        ),
        Refusal(
            sid="Changes",
            why="a record of half the events, or a default that is off, is the same in small",
            actions=actions(CHANGES),
            spared=(*who.administrators, APPLY),
        ),
    )


def regions(who: Who) -> tuple[Refusal, ...]:
    """Where anything may stand: data stays in its jurisdiction, and nobody looks after other Regions."""
    return (
        Refusal(
            sid="Elsewhere",
            why="tenants' data has a residency, and no detector looks at other Regions",
            not_actions=GLOBAL,
            condition={"StringNotEquals": {"aws:RequestedRegion": who.regions}},
        ),
    )


def _when(sid: str, why: str, table: Mapping[str, str], operator: str, key: str, *values: str) -> Refusal:
    return Refusal(
        sid=sid,
        why=why,
        actions=actions(table),
        condition={operator: {key: values}},
    )


def data(who: Who) -> tuple[Refusal, ...]:
    """That data is never public, never in clear, and not lost with its key."""
    return (
        _when(
            "PublicAcls",
            "an ACL for everybody makes an object public past every policy",
            {"s3": "CreateBucket PutBucketAcl PutObject PutObjectAcl"},
            "StringEquals",
            "s3:x-amz-acl",
            *("public-read", "public-read-write", "authenticated-read"),
        ),
        _when(
            "PublicDatabases",
            "a database with a public address is one password away",
            {"rds": "CreateDBInstance"},  # a change cannot be told by this key; the policy pack refuses it
            "Bool",
            "rds:PubliclyAccessible",
            "true",
        ),
        _when(
            "PublicFunctions",
            "an address without a signature is open to everybody",
            {"lambda": "AddPermission CreateFunctionUrlConfig UpdateFunctionUrlConfig"},
            "StringEquals",
            "lambda:FunctionUrlAuthType",
            "NONE",
        ),
        Refusal(
            sid="SharedCopies",
            why="a shared snapshot is the data itself, in somebody else's account",
            actions=actions(SHARES),
            spared=who.administrators,
        ),
        *(
            _when(f"Clear{word}", f"{noun} would be kept in clear", table, "Bool", key, "false")
            for word, noun, table, key in (
                (
                    "Databases",
                    "a database",
                    {"rds": "CreateDBCluster CreateDBInstance"},
                    "rds:StorageEncrypted",
                ),
                ("Volumes", "a volume", {"ec2": "CreateVolume RunInstances"}, "ec2:Encrypted"),
                (
                    "Files",
                    "a file system",
                    {"elasticfilesystem": "CreateFileSystem"},
                    "elasticfilesystem:Encrypted",
                ),
                (
                    "Caches",
                    "a cache",
                    {"elasticache": "CreateReplicationGroup"},
                    "elasticache:AtRestEncryptionEnabled",
                ),
            )
        ),
        Refusal(
            sid="KeyLoss",
            why="data under a key that is gone is gone",
            actions=("kms:DisableKey", "kms:ScheduleKeyDeletion"),
            spared=(*who.administrators, APPLY, LEAVER),
        ),
    )


def suspended(_: Who) -> tuple[Refusal, ...]:
    """An account on its way out does nothing at all."""
    return (Refusal(sid="Everything", why="the account is closed or under suspicion", actions=("*",)),)


ROOT: Final = "root"
# Name of a policy → what it refuses and what it is attached to: the root, or a unit.
GUARDRAILS: Final[Mapping[str, tuple[Callable[[Who], tuple[Refusal, ...]], str]]] = {
    "identities": (identities, ROOT),
    "evidence": (evidence, ROOT),
    "regions": (regions, ROOT),
    "data": (data, ROOT),
    "suspended": (suspended, "suspended"),
}
