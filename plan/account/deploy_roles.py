"""The two roles by which CI deploys a cell: one reads, one changes, and neither can extend itself.

Actions are those of the resource schemas' handlers for what the program makes (AWS CloudFormation registry,
2026-11), less what the provider never calls; a test compares them with the schemas. Whether an action can
name its resource: service authorization reference, 2026-11.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from plan.account.baseline import actions
from plan.account.restricted_actions import ENDS, IDENTITIES
from plan.names import Names
from plan.settings import NOWHERE, Settings

MAX_POLICY: Final = 6144  # characters of a managed policy (IAM quotas, 2026-11)
_ROOM: Final = 5900  # of them for the statements of one
AUDIENCE: Final = "sts.amazonaws.com"
HOUR: Final = 3600  # seconds

# What describes resources, and never what they hold.
READS: Final[Mapping[str, str]] = {
    "access-analyzer": "GetAnalyzer ListArchiveRules ListTagsForResource",
    "acm": "DescribeCertificate ListTagsForCertificate",
    "apigateway": "GET",
    "application-autoscaling": "ListTagsForResource",
    "backup": "DescribeBackupVault GetBackupPlan GetBackupSelection ListTags",
    "budgets": "ViewBudget ListTagsForResource",
    "cloudtrail": "GetEventSelectors GetInsightSelectors GetTrail GetTrailStatus ListTags",
    "cloudwatch": "DescribeAlarms GetDashboard ListTagsForResource",
    "cognito-idp": "DescribeResourceServer DescribeUserPool DescribeUserPoolClient GetUserPoolMfaConfig",
    "config": "DescribeConfigurationRecorderStatus DescribeConfigurationRecorders ListTagsForResource",
    "ec2": "DescribeVpcAttribute",
    "ecr": "DescribeRepositories GetLifecyclePolicy GetRepositoryPolicy ListTagsForResource",
    "ecs": "DescribeClusters DescribeServiceDeployments DescribeServices ListServiceDeployments"
    " ListTagsForResource",
    "events": "DescribeRule ListTagsForResource ListTargetsByRule",
    "guardduty": "GetDetector ListTagsForResource",
    "iam": "GetOpenIDConnectProvider GetPolicy GetPolicyVersion GetRole GetRolePolicy"
    " ListAttachedRolePolicies ListInstanceProfilesForRole ListPolicyVersions ListRolePolicies",
    "kms": "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags",
    "lambda": "GetFunctionCodeSigningConfig GetFunctionConfiguration GetEventSourceMapping GetPolicy ListTags"
    " ListVersionsByFunction",
    "logs": "DescribeMetricFilters ListTagsForResource",
    "rds": "DescribeDBInstances DescribeDBInstanceAutomatedBackups DescribeDBParameterGroups"
    " DescribeDBParameters DescribeDBSubnetGroups ListTagsForResource",
    "route53": "GetChange GetHostedZone ListResourceRecordSets ListTagsForResource",
    "s3": "GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging"
    " GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy"
    " GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning"
    " GetBucketWebsite GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration"
    " ListBucket",
    "scheduler": "GetSchedule GetScheduleGroup ListTagsForResource",
    "secretsmanager": "DescribeSecret GetResourcePolicy",
    "securityhub": "DescribeHub GetEnabledStandards",
    "sns": "GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource",
    "sqs": "GetQueueAttributes GetQueueUrl ListQueueTags",
    "ssm": "GetParametersByPath ListTagsForResource",
    "states": "DescribeStateMachine ListStateMachineVersions ListTagsForResource",
    "wafv2": "GetLoggingConfiguration GetWebACL GetWebACLForResource ListTagsForResource",
}
# Of these AWS offers no resource to name.
READS_OF_ALL: Final[Mapping[str, str]] = {
    "access-analyzer": "ListAnalyzers",
    "application-autoscaling": "DescribeScalableTargets DescribeScalingPolicies",
    "cloudtrail": "DescribeTrails",
    "cognito-idp": "DescribeUserPoolDomain",
    "config": "DescribeDeliveryChannels",
    "ec2": "DescribeAccountAttributes DescribeAddresses DescribeAddressesAttribute DescribeAvailabilityZones"
    " DescribeFlowLogs DescribeInternetGateways DescribeNatGateways DescribeNetworkAcls"
    " DescribeNetworkInterfaces DescribePrefixLists DescribeRouteTables DescribeSecurityGroupRules"
    " DescribeSecurityGroups DescribeSubnets DescribeTags DescribeVpcBlockPublicAccessOptions"
    " DescribeVpcEndpoints DescribeVpcPeeringConnections DescribeVpcs GetEbsDefaultKmsKeyId"
    " GetEbsEncryptionByDefault GetImageBlockPublicAccessState GetInstanceMetadataDefaults"
    " GetSnapshotBlockPublicAccessState",
    "ecs": "DescribeTaskDefinition",
    "elasticloadbalancing": "DescribeListenerAttributes DescribeListeners DescribeLoadBalancerAttributes"
    " DescribeLoadBalancers DescribeRules DescribeTags DescribeTargetGroupAttributes DescribeTargetGroups"
    " DescribeTrustStores",
    "guardduty": "ListDetectors",
    "iam": "GetAccountPasswordPolicy",
    "inspector2": "BatchGetAccountStatus",
    "kms": "ListAliases",
    "logs": "DescribeLogGroups",
    "rds": "DescribeDBEngineVersions DescribeOrderableDBInstanceOptions",
    "s3": "GetAccountPublicAccessBlock",
    "sns": "GetSubscriptionAttributes",
    "ssm": "DescribeParameters",
    "states": "ValidateStateMachineDefinition",  # of the provider, at every plan
    "sts": "GetCallerIdentity",
}
WRITES: Final[Mapping[str, str]] = {
    "access-analyzer": "CreateAnalyzer TagResource UntagResource UpdateAnalyzer",
    "acm": "AddTagsToCertificate DeleteCertificate RemoveTagsFromCertificate",
    "apigateway": "DELETE PATCH POST PUT SetWebACL UpdateRestApiPolicy",
    "application-autoscaling": "DeleteScalingPolicy DeregisterScalableTarget PutScalingPolicy"
    " RegisterScalableTarget TagResource UntagResource",
    "backup": "CreateBackupPlan CreateBackupSelection CreateBackupVault DeleteBackupPlan"
    " DeleteBackupSelection PutBackupVaultLockConfiguration TagResource UntagResource UpdateBackupPlan"
    " DeleteBackupVaultAccessPolicy DeleteBackupVaultNotifications PutBackupVaultAccessPolicy"
    " PutBackupVaultNotifications",
    "budgets": "ModifyBudget TagResource UntagResource",
    "cloudtrail": "AddTags CreateTrail PutEventSelectors RemoveTags StartLogging UpdateTrail",
    "cloudwatch": "DeleteAlarms DeleteDashboards GetDashboard PutDashboard PutMetricAlarm TagResource"
    " UntagResource",
    "cognito-idp": "AssociateWebACL CreateResourceServer CreateUserPoolClient CreateUserPoolDomain"
    " DeleteResourceServer DeleteUserPoolClient DeleteUserPoolDomain SetUserPoolMfaConfig TagResource"
    " UntagResource UpdateResourceServer UpdateUserPool UpdateUserPoolClient",
    "config": "PutConfigurationRecorder StartConfigurationRecorder",
    "ec2": "AcceptVpcPeeringConnection AllocateAddress AssociateRouteTable AuthorizeSecurityGroupEgress"
    " AuthorizeSecurityGroupIngress CreateFlowLogs CreateInternetGateway CreateNatGateway CreateNetworkAcl"
    " CreateNetworkAclEntry CreateRoute CreateRouteTable CreateSecurityGroup CreateSubnet CreateTags"
    " CreateVpc CreateVpcEndpoint CreateVpcPeeringConnection DeleteInternetGateway DeleteNatGateway"
    " DeleteNetworkAcl DeleteNetworkAclEntry DeleteRoute DeleteRouteTable DeleteSecurityGroup DeleteSubnet"
    " DeleteTags DeleteVpc DeleteVpcEndpoints DeleteVpcPeeringConnection DisassociateRouteTable"
    " ModifySubnetAttribute ModifyVpcAttribute ModifyVpcEndpoint ModifyVpcPeeringConnectionOptions"
    " ReleaseAddress ReplaceRoute ReplaceRouteTableAssociation RevokeSecurityGroupEgress"
    " RevokeSecurityGroupIngress UpdateSecurityGroupRuleDescriptionsEgress"
    " UpdateSecurityGroupRuleDescriptionsIngress",
    "ecr": "CreateRepository DeleteLifecyclePolicy DeleteRepository DeleteRepositoryPolicy"
    " PutImageScanningConfiguration PutImageTagMutability PutLifecyclePolicy SetRepositoryPolicy TagResource"
    " UntagResource",
    "ecs": "CreateCluster CreateService DeleteCluster DeleteService PutClusterCapacityProviders"
    " RegisterTaskDefinition TagResource UntagResource UpdateCluster UpdateClusterSettings UpdateService",
    "elasticloadbalancing": "AddTags CreateListener CreateLoadBalancer CreateRule CreateTargetGroup"
    " CreateTrustStore DeleteListener DeleteLoadBalancer DeleteRule DeleteTargetGroup DeleteTrustStore"
    " ModifyListener ModifyListenerAttributes ModifyLoadBalancerAttributes ModifyRule ModifyTargetGroup"
    " ModifyTargetGroupAttributes ModifyTrustStore RemoveTags SetSecurityGroups SetSubnets",
    "events": "DeleteRule PutRule PutTargets RemoveTargets TagResource UntagResource",
    "guardduty": "TagResource UntagResource UpdateDetector",
    "kms": "CreateAlias CreateGrant DeleteAlias EnableKey EnableKeyRotation PutKeyPolicy"
    " RetireGrant ScheduleKeyDeletion TagResource UntagResource UpdateAlias UpdateKeyDescription",
    "lambda": "AddPermission CreateFunction DeleteEventSourceMapping DeleteFunction DeleteFunctionConcurrency"
    " InvokeFunction PutFunctionConcurrency RemovePermission TagResource UntagResource"
    " UpdateEventSourceMapping UpdateFunctionCode UpdateFunctionConfiguration",
    "logs": "AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteMetricFilter DeleteRetentionPolicy"
    " PutMetricFilter PutRetentionPolicy TagResource UntagResource",
    "rds": "AddTagsToResource CreateDBInstance CreateDBInstanceReadReplica CreateDBParameterGroup"
    " CreateDBSnapshot CreateDBSubnetGroup DeleteDBInstance DeleteDBParameterGroup DeleteDBSubnetGroup"
    " ModifyDBInstance ModifyDBParameterGroup ModifyDBSubnetGroup RebootDBInstance"
    " RemoveTagsFromResource ResetDBParameterGroup RestoreDBInstanceToPointInTime",
    "route53": "AssociateVPCWithHostedZone ChangeResourceRecordSets ChangeTagsForResource DeleteHostedZone"
    " DisassociateVPCFromHostedZone UpdateHostedZoneComment",
    "s3": "CreateBucket DeleteBucket DeleteBucketPolicy PutBucketLogging PutBucketObjectLockConfiguration"
    " PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging"
    " PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration",
    "scheduler": "CreateSchedule CreateScheduleGroup DeleteSchedule DeleteScheduleGroup TagResource"
    " UntagResource UpdateSchedule",
    "secretsmanager": "CancelRotateSecret CreateSecret DeleteResourcePolicy DeleteSecret GetSecretValue"
    " PutResourcePolicy PutSecretValue RotateSecret TagResource UntagResource UpdateSecret"
    " UpdateSecretVersionStage",
    "securityhub": "BatchEnableStandards EnableSecurityHub UpdateSecurityHubConfiguration",
    "sns": "CreateTopic DeleteTopic SetTopicAttributes Subscribe TagResource UntagResource",
    "sqs": "CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue",
    "ssm": "AddTagsToResource DeleteParameter GetParameter GetParameters PutParameter RemoveTagsFromResource",
    "states": "CreateStateMachine DeleteStateMachine TagResource UntagResource UpdateStateMachine",
    "wafv2": "AssociateWebACL CreateWebACL DeleteLoggingConfiguration DeleteWebACL DisassociateWebACL"
    " PutLoggingConfiguration TagResource UntagResource UpdateWebACL",
}
WRITES_OF_ALL: Final[Mapping[str, str]] = {
    "acm": "RequestCertificate",
    "cognito-idp": "CreateUserPool",
    "config": "PutDeliveryChannel",
    "ec2": "EnableEbsEncryptionByDefault EnableImageBlockPublicAccess EnableSnapshotBlockPublicAccess"
    " ModifyEbsDefaultKmsKeyId ModifyInstanceMetadataDefaults ModifyVpcBlockPublicAccessOptions",
    "ecs": "DeregisterTaskDefinition",
    "guardduty": "CreateDetector",
    "iam": "UpdateAccountPasswordPolicy",
    "inspector2": "Enable",
    "backup-storage": "MountCapsule",
    "kms": "CreateKey",
    "lambda": "CreateEventSourceMapping",
    "logs": "CreateLogDelivery DeleteLogDelivery PutResourcePolicy",
    "route53": "CreateHostedZone",
    "s3": "PutAccountPublicAccessBlock",
    "sns": "SetSubscriptionAttributes Unsubscribe",
}
# Roles of the cell: what makes them is allowed under the platform's boundary only.
BOUNDED: Final[Mapping[str, str]] = {
    "iam": "AttachRolePolicy CreateRole DeleteRolePolicy DetachRolePolicy PutRolePolicy",
}
ROLES: Final[Mapping[str, str]] = {
    "iam": "CreatePolicy DeleteRole TagPolicy TagRole UntagPolicy UntagRole UpdateAssumeRolePolicy"
    " UpdateRole",
}
# Objects that the program itself keeps in a bucket.
OBJECTS: Final[Mapping[str, str]] = {
    "s3": "DeleteObject GetObject GetObjectTagging PutObject PutObjectTagging"
}
# What would change a role, a policy or an issuer of tokens.
ALTERS: Final[Mapping[str, str]] = {
    "iam": IDENTITIES["iam"] + " AddClientIDToOpenIDConnectProvider CreateOpenIDConnectProvider CreatePolicy"
    " DeleteOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider TagPolicy TagRole UntagPolicy"
    " UntagRole UpdateOpenIDConnectProviderThumbprint UpdateRoleDescription",
}
STATE_READS: Final[Mapping[str, str]] = {"s3": "GetObject ListBucket"}
STATE_WRITES: Final[Mapping[str, str]] = {"s3": "DeleteObject GetObject ListBucket PutObject"}
PASSED_TO: Final = (
    *("apigateway", "backup", "cloudtrail", "config", "ecs-tasks", "events", "lambda", "monitoring.rds"),
    *("scheduler", "states", "vpc-flow-logs"),
)

# Where a service's resources are, unless as `_WITHIN` has it: this account's, in the cell's Region.
_DEFAULT: Final = "arn:aws:{service}:{region}:{account}:*"
_WITHIN: Final[Mapping[str, str]] = {
    "apigateway": "arn:aws:apigateway:{region}::/*",
    "budgets": "arn:aws:budgets::{account}:budget/{prefix}*",
    "iam": "arn:aws:iam::{account}:*",
    "route53": "arn:aws:route53:::*",
    "s3": "arn:aws:s3:::{prefix}*",
}
# Actions of these are spelled out in a boundary too, since beside what describes stands what reads data; but
# for these verbs.
_SPELLED: Final = frozenset({"apigateway", "iam", "kms", "lambda", "s3", "secretsmanager", "ssm", "sts"})
_SHORT: Final = frozenset(
    {
        *(("s3", f"{verb}Bucket") for verb in ("Get", "Put", "Delete")),
        *(("ssm", verb) for verb in ("Add", "List", "Remove")),
        *(("lambda", verb) for verb in ("Add", "Create", "Delete", "List", "Remove", "Update")),
        *(("secretsmanager", verb) for verb in ("Create", "Delete", "Put", "Update")),
        *((service, verb) for service in ("iam", "kms", "lambda") for verb in ("List", "Tag", "Untag")),
        *(("secretsmanager", verb) for verb in ("Tag", "Untag")),
        *(("kms", verb) for verb in ("Create", "Enable", "Update")),
        ("iam", "Get"),
    }
)
# Where what is described has a name of its own, that is shorter than the verbs, and nearer to what is meant.
_NOUNS: Final[Mapping[str, tuple[str, ...]]] = {
    "budgets": ("*Budget", "*Resource"),
    "ecr": ("*Repositor*", "*Lifecycle*", "*Resource", "PutImage?*"),
    "s3": ("Get*Configuration",),
    "scheduler": ("*Schedule*", "*Resource"),
    "states": ("*StateMachine*", "*Resource"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One statement of a policy; `condition` as IAM writes it."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    effect: str = "Allow"
    condition: Mapping[str, Mapping[str, Any]] | None = None

    @property
    def size(self) -> int:
        """Characters that it takes in a policy, at most."""
        text = json.dumps([self.sid, self.effect, self.actions, self.resources, self.condition or {}])
        return len(text) + 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRole:
    """A role of CI: whose tokens may take it on, what it may do, and what it may at most ever do."""

    word: str  # plan | apply
    name: str
    subject: str  # of the token
    policies: tuple[tuple[Grant, ...], ...]
    boundary_name: str
    boundary: tuple[Grant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentPlan:
    """`issuer` is an https address; `host` is what IAM calls it by."""

    issuer: str
    roles: tuple[DeployRole, ...]
    provider_arn: str

    @property
    def host(self) -> str:
        return self.issuer.removeprefix("https://")


@dataclass(frozen=True, slots=True)
class _Cell:
    """What the grants name."""

    settings: Settings
    names: Names

    def within(self, service: str) -> str:
        s = self.settings
        return _WITHIN.get(service, _DEFAULT).format(
            service=service, region=s.region, account=s.account_id, prefix=self.names.label("any", "")
        )

    def iam(self, resource: str) -> str:
        return f"arn:aws:iam::{self.settings.account_id}:{resource}"

    @property
    def boundary(self) -> str:
        return self.iam("policy/" + self.names.label("policy", "boundary"))

    @property
    def bundles(self) -> str:
        """Objects of the one bucket that the program itself fills: what the balancers trust."""
        return f"arn:aws:s3:::{self.names.bucket('trust')}/*"

    @property
    def roles(self) -> str:
        return self.iam("role/" + self.names.label("any", "*"))

    def schedules(self, sid: str, action: str) -> Grant:
        """What a schedule sends is read and written with the caller's permissions, through Scheduler alone
        (Scheduler user guide, "Using identity-based policies", 2026-11).
        """
        s, service = self.settings, "scheduler"
        mine = f"arn:aws:{service}:{s.region}:{s.account_id}:schedule/{self.names.label('any', '')}*"
        return Grant(
            sid=sid,
            actions=(action,),
            resources=(f"arn:aws:kms:{s.region}:{s.account_id}:key/*",),
            condition={
                "StringEquals": {"kms:ViaService": f"{service}.{s.region}.amazonaws.com"},
                "StringLike": {"kms:EncryptionContext:aws:scheduler:schedule:arn": mine},
            },
        )

    @property
    def limits(self) -> tuple[str, ...]:
        """What neither role may touch: themselves, what bounds them and others, and the emergency role."""
        words = ("role/{}apply", "role/{}plan", "role/{}break-glass")
        more = ("policy/{}*boundary", "policy/{}apply-*", "policy/{}plan-*")
        return tuple(self.iam(w.format(self.names.label("any", ""))) for w in (*words, *more))


def plan_deployment(settings: Settings, names: Names) -> DeploymentPlan | None:
    """None where the settings name no issuer of tokens."""
    if settings.deploy_issuer == NOWHERE:
        return None
    cell = _Cell(settings, names)
    repository = f"repo:{settings.deploy_repository}"
    host = settings.deploy_issuer.removeprefix("https://")
    return DeploymentPlan(
        issuer=settings.deploy_issuer,
        provider_arn=cell.iam(f"oidc-provider/{host}"),
        roles=(
            _role("plan", f"{repository}:pull_request", cell, _looks(cell), _never(cell)),
            _role(
                "apply",
                f"{repository}:environment:{settings.deploy_environment}",
                cell,
                [*_looks(cell), *_changes(cell)],
                _never(cell),
            ),
        ),
    )


def _role(
    word: str, subject: str, cell: _Cell, grants: Sequence[Grant], refusals: Sequence[Grant]
) -> DeployRole:
    most = _most(grants)
    return DeployRole(
        word=word,
        name=cell.names.label("role", word),
        subject=subject,
        policies=packed(grants),
        boundary_name=cell.names.label("policy", word, "boundary"),
        boundary=(most, *(r for r in (_needed(refusal, most) for refusal in refusals) if r.actions)),
    )


def _needed(refusal: Grant, most: Grant) -> Grant:
    """Of a refusal only what the boundary would let through: it has to fit one policy."""
    let = tuple(a for a in refusal.actions if any(fnmatchcase(a, pattern) for pattern in most.actions))
    return replace(refusal, actions=let)


def _looks(cell: _Cell) -> list[Grant]:
    s = cell.settings
    bucket = f"arn:aws:s3:::{s.deploy_state}"
    return [
        *_of("Look", READS, cell),
        Grant(sid="LookAround", actions=actions(READS_OF_ALL)),
        Grant(sid="ReadState", actions=actions(STATE_READS), resources=(bucket, f"{bucket}/*")),
        Grant(sid="OpenState", actions=("kms:Decrypt",), resources=(s.deploy_state_key,)),
        cell.schedules("OpenSchedules", "kms:Decrypt"),
    ]


def _changes(cell: _Cell) -> list[Grant]:
    s = cell.settings
    bucket, bounded = (
        f"arn:aws:s3:::{s.deploy_state}",
        {"StringEquals": {"iam:PermissionsBoundary": cell.boundary}},
    )
    services = [f"{service}.amazonaws.com" for service in PASSED_TO]
    policies = cell.iam("policy/" + cell.names.label("any", "*"))
    return [
        *_of("Change", WRITES, cell),
        Grant(sid="ChangeAround", actions=actions(WRITES_OF_ALL)),
        Grant(sid="Objects", actions=actions(OBJECTS), resources=(cell.bundles,)),
        Grant(sid="MakeRoles", actions=actions(BOUNDED), resources=(cell.roles,), condition=bounded),
        Grant(sid="KeepRoles", actions=actions(ROLES), resources=(cell.roles, policies)),
        Grant(
            sid="PassRoles",
            actions=("iam:PassRole",),
            resources=(cell.roles,),
            condition={"StringEquals": {"iam:PassedToService": services}},
        ),
        Grant(sid="WriteState", actions=actions(STATE_WRITES), resources=(bucket, f"{bucket}/*")),
        Grant(
            sid="CloseState", actions=("kms:Encrypt", "kms:GenerateDataKey"), resources=(s.deploy_state_key,)
        ),
        cell.schedules("CloseSchedules", "kms:GenerateDataKey"),
    ]


def _of(sid: str, table: Mapping[str, str], cell: _Cell) -> list[Grant]:
    """A statement for each service, of its resources."""
    return [
        Grant(
            sid=sid + "".join(part.capitalize() for part in service.split("-")),
            actions=actions({service: words}),
            resources=(cell.within(service),),
        )
        for service, words in table.items()
    ]


def _never(cell: _Cell) -> list[Grant]:
    """What the changing role does not do, whatever it is given: it could else grow by way of another."""
    limited = {"iam": "AttachRolePolicy CreateRole PutRolePermissionsBoundary PutRolePolicy"}
    return [
        Grant(sid="OwnLimits", effect="Deny", actions=actions(ALTERS), resources=cell.limits),
        Grant(
            sid="RolesInTheBoundary",
            effect="Deny",
            actions=actions(limited),
            condition={"StringNotEquals": {"iam:PermissionsBoundary": cell.boundary}},
        ),
        Grant(sid="Evidence", effect="Deny", actions=actions(ENDS)),
    ]


def _most(grants: Iterable[Grant]) -> Grant:
    """The same, shorter: verbs of a service instead of each action, so that it fits one policy. What is not
    in it, as changing a boundary or a version of a policy, or making users, no role of CI does at all.
    """
    found = {_short(action) for grant in grants for action in grant.actions}
    return Grant(sid="Most", actions=tuple(sorted(found)))


def _short(action: str) -> str:
    """`ec2:CreateVpc` → `ec2:Create*`, or of `_NOUNS`: where that adds nothing that hands out data."""
    service, _, name = action.partition(":")
    for noun in _NOUNS.get(service, ()):
        if fnmatchcase(name, noun):
            return f"{service}:{noun}"
    verb = re.match(r"(Get|Put|Delete)Bucket|[A-Z][a-z]+", name)
    if verb is None or (service in _SPELLED and (service, verb[0]) not in _SHORT):
        return action
    return f"{service}:{verb[0]}*"


def packed(grants: Iterable[Grant]) -> tuple[tuple[Grant, ...], ...]:
    """Statements in their order, as many as fit a managed policy each."""
    policies: list[list[Grant]] = [[]]
    for grant in grants:
        if policies[-1] and sum(g.size for g in policies[-1]) + grant.size > _ROOM:
            policies.append([])
        policies[-1].append(grant)
    return tuple(tuple(p) for p in policies)
