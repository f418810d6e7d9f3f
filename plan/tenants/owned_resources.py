"""What a tenant owns, as one table: a row for each kind of thing that is the tenant's alone.

From it come the inventory that `tenantry tenants show` prints and docs/tenant-resources.md. Tests hold to it
what cannot read it: what the program registers, the quotas' demands, the events and documents of offboarding
(functions ship alone), the policies that say who may read, and what CI's role may call.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from plan.data.databases import log_group_names, reader_identifiers, restored_name, silo_name
from plan.names import Names
from plan.tenants.keys import key_alias
from plan.tenants.offboarding import handover_bucket
from plan.tenants.stores import (
    BY_KEY,
    EMPTIED,
    SECRET_READERS,
    WITH_THE_RUN,
    Key,
    Store,
    StoreKind,
    When,
    secret_store,
)
from plan.tenants.tenant import TenantNames
from tenants.models import Placement, Tenant
from tenants.states import Leaving, PlacementKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A tenant, and what the names of its resources are made of."""

    tenant: Tenant
    placement: Placement | None  # None before it has a place
    names: Names
    own: TenantNames
    copies: bool  # whether the cell copies backups to a second Region


Named = Callable[[Owner], Iterable[str]]
"""The physical names of all that an owner has of a kind."""


Demand = Mapping[str, int]
"""Terms of a quota's demand in tenants/quotas.yaml that are due to the row: `dedicated * nat` → how often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedResource:
    """One kind of thing that a tenant owns."""

    called: str  # for people
    names: Named
    types: tuple[str, ...]  # of the providers: first the thing itself, then what belongs to it
    takes: Mapping[str, Demand] = field(default_factory=dict[str, Demand])  # quota's id → terms of its demand
    store: Store | None = None


def _field(name: str) -> Named:
    return lambda owner: (str(getattr(owner.own, name)),)


def _keys(owner: Owner) -> Iterable[str]:
    return (key_alias(owner.names, owner.tenant.id, n) for n in range(1, owner.tenant.key + 1))


def _webhook_secret(owner: Owner) -> Iterable[str]:
    return (owner.own.webhook_secret,) if owner.tenant.contacts.webhook else ()


def _protected_check(owner: Owner) -> Iterable[str]:
    checked = owner.tenant.protected_columns and owner.tenant.phase.row.tag is None
    return (owner.own.protected_check,) if checked else ()


def _handover(owner: Owner) -> Iterable[str]:
    handed_over = (owner.tenant.leaving or Leaving()).handed_over
    return (handover_bucket(owner.names, owner.tenant.id),) if handed_over else ()


def _databases(owner: Owner) -> list[str]:
    """Names in the program of its own instances: one, or at both ends of a move."""
    tenant, placement = owner.tenant, owner.placement
    if placement is None:
        return []
    placed = [(tenant.placement_kind, placement.instance)]
    if tenant.move:
        placed = [(tenant.move.origin, placement.instance), (tenant.move.to, placement.issued)]
    return [silo_name(tenant.id, number) for kind, number in placed if kind.has_own_instance]


def _instances(owner: Owner) -> Iterable[str]:
    return (owner.names.label("database", name) for name in _databases(owner))


def _readers(owner: Owner) -> Iterable[str]:
    count = owner.tenant.overrides.report_replicas or 0
    for name in _databases(owner):
        yield from reader_identifiers(owner.names, name, count).values()


def _master_secrets(owner: Owner) -> Iterable[str]:
    """RDS keeps the master password itself where there are no readers."""
    if owner.tenant.overrides.report_replicas:
        yield from (owner.names.path("secret", "databases", name, "master") for name in _databases(owner))


def _logs(owner: Owner) -> Iterable[str]:
    for identifier in _instances(owner):
        yield from log_group_names(identifier).values()


def _copies(owner: Owner) -> Iterable[str]:
    if owner.copies:
        yield from (owner.names.path("alias", "copies", name) for name in _databases(owner))


def _restored(owner: Owner) -> Iterable[str]:
    if owner.placement and owner.tenant.move and owner.tenant.move.extracts:
        yield owner.names.label("database", restored_name(owner.tenant.id, owner.placement.issued))


def _network(owner: Owner) -> Iterable[str]:
    if PlacementKind.DEDICATED in owner.tenant.placement_kinds:
        yield owner.names.label("any", f"tenant-{owner.tenant.id}")


def _budget(owner: Owner) -> Iterable[str]:
    return (owner.names.label("any", "tenant", owner.tenant.id),)


_BUCKET: Final = (
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketLogging:BucketLogging",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
)
_SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type
_VERSION: Final = "aws:secretsmanager/secretVersion:SecretVersion"
_ROTATION: Final = "aws:secretsmanager/secretRotation:SecretRotation"
_INSTANCE: Final = "aws:rds/instance:Instance"
_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
_KEY: Final = ("aws:kms/key:Key", "aws:kms/alias:Alias")

OWNED: Final = (
    OwnedResource(
        called="key",
        names=_keys,
        types=_KEY,
        takes={"keys": {"tenant": 1}},
        store=Store(
            data="the key of all that is under it: rows of its own database, artefacts, secrets",
            key=Key.TENANT,
            readers={"tenant": When.ALWAYS},  # directly; functions by way of a service, for what it keeps
            erased="scheduled for deletion by the function in `closing`, deleted by KMS",
            kind=StoreKind.KEY,
            sent_as="keyArn",
        ),
    ),
    OwnedResource(
        called="role",
        names=_field("role"),
        types=("aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"),
        takes={"roles": {"tenant": 1}},
    ),
    OwnedResource(
        called="bucket of artefacts",
        names=_field("bucket"),
        types=_BUCKET,
        takes={"buckets": {"tenant": 1}},
        store=Store(
            data="report artefacts, and last dumps of places that it has left",
            key=Key.TENANT,
            # The mover writes dumps and reads none.
            readers={"tenant": When.ALWAYS, "leaver": When.LEAVING, "rekeyer": When.REKEYED},
            erased=EMPTIED,
            kind=StoreKind.BUCKET,
            sent_as="bucket",
        ),
    ),
    OwnedResource(
        called="hand-over bucket",
        names=_handover,
        types=_BUCKET,  # of a tenant that leaves only, so that no quota counts it
        store=Store(
            data="dump, artefacts and manifest that are handed over",
            key=Key.TENANT,
            readers={"tenant": When.ALWAYS, "leaver": When.LEAVING},
            erased=EMPTIED,
            kind=StoreKind.BUCKET,
            sent_as="handover",
        ),
    ),
    OwnedResource(
        called="topic",
        names=_field("topic"),
        types=("aws:sns/topic:Topic", "aws:sns/topicSubscription:TopicSubscription"),
        takes={"topics": {"tenant": 1}},
    ),
    OwnedResource(
        called="database secret",
        names=_field("database_secret"),
        types=(_SECRET, _ROTATION),
        takes={"secrets": {"tenant": 1}},
        store=secret_store(
            "login of the tenant's SQL role",
            {**SECRET_READERS, "mover": When.MOVING, "leaver": When.LEAVING},
        ),
    ),
    OwnedResource(
        called="webhook secret",
        names=_webhook_secret,
        types=(_SECRET, _ROTATION),
        takes={"secrets": {"webhook": 1}},
        store=secret_store("what its webhooks are signed with", SECRET_READERS),
    ),
    OwnedResource(
        called="API secret",
        names=_field("api_secret"),
        types=(_SECRET, _VERSION, "aws:secretsmanager/secretPolicy:SecretPolicy"),
        takes={"secrets": {"tenant": 1}},
        store=secret_store("API key and client secret, to be handed to the tenant", {}),
    ),
    OwnedResource(
        called="API key and client",
        names=_field("api_key"),
        types=(
            "aws:apigateway/apiKey:ApiKey",
            "aws:apigateway/usagePlanKey:UsagePlanKey",
            "aws:cognito/userPoolClient:UserPoolClient",
        ),
        takes={"api-keys": {"tenant": 1}, "requests-per-second": {"rate": 1}},
    ),
    OwnedResource(
        called="catalog entry",
        names=_field("catalog"),
        types=("aws:ssm/parameter:Parameter",),
        takes={"parameters": {"tenant": 1}},
    ),
    OwnedResource(
        called="check of protected columns",
        names=_protected_check,
        types=("aws:scheduler/schedule:Schedule",),
    ),
    OwnedResource(
        called="budget",
        names=_budget,
        types=("aws:budgets/budget:Budget",),
        takes={"budgets": {"tenant": 1}},
    ),
    OwnedResource(
        called="SQL role and schema",
        names=_field("sql"),
        types=("aws:lambda/invocation:Invocation",),  # of the functions that make, move and let go
        store=Store(
            data="rows",
            key=Key.DATABASE,
            readers={},  # with the login of the tenant's secret, which is another row
            erased="dropped by the function; of a database of its own nothing can be read any more",
            kind=StoreKind.SCHEMA,
            sent_as="schema",
        ),
    ),
    OwnedResource(
        called="database",
        names=_instances,
        types=(_INSTANCE, _ALARM, "random:index/randomId:RandomId"),
        takes={"db-instances": {"silo": 1}, "alarms": {"silo": 6}},
        store=Store(
            data="rows of a tenant with a database of its own, snapshots and backups",
            key=Key.TENANT,
            readers={},
            erased=f"snapshots by hand deleted by the function; {WITH_THE_RUN}",
            kind=StoreKind.INSTANCE,
            sent_as="instances",
        ),
    ),
    OwnedResource(
        called="read replica",
        names=_readers,
        types=(_INSTANCE, _ALARM),
        takes={"db-instances": {"replica": 1}, "alarms": {"replica": 4}},
        store=Store(
            data="the rows of the database that it follows",
            key=Key.TENANT,
            readers={},
            erased=WITH_THE_RUN,
            kind=StoreKind.INSTANCE,
            sent_as="instances",
        ),
    ),
    OwnedResource(
        called="master secret",
        names=_master_secrets,
        types=(_SECRET, _VERSION, "random:index/randomPassword:RandomPassword"),
        takes={"secrets": {"replica": 1}},
        store=Store(
            data="login of the administrator of a database with read replicas",
            key=Key.TENANT,
            readers={"bootstrap": When.ALWAYS, "break-glass": When.ALWAYS}
            | dict.fromkeys(("mover", "leaver"), When.ALWAYS),
            erased=WITH_THE_RUN,
            unproven=BY_KEY,
        ),
    ),
    OwnedResource(
        called="database log",
        names=_logs,
        types=("aws:cloudwatch/logGroup:LogGroup",),
        store=Store(
            data="what PostgreSQL logs: logins, DDL, slow statements, without bound values",
            key=Key.CELL,
            readers={},
            erased=WITH_THE_RUN,
            unproven="the function's role may not ask for log groups",
        ),
    ),
    OwnedResource(
        called="copy of backups",
        names=_copies,
        types=(
            "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
            *_KEY,
        ),
        takes={"backup-replications": {"silo * copies": 1}},
        store=Store(
            data="backups and log of changes of a database of its own, in a second Region",
            key=Key.COPY,
            readers={},
            erased="replication ended and its key scheduled for deletion by the run of `erasing`, gone"
            " 30 days later",
            unproven="it is in another Region, where the function has no way, and named as remaining",
        ),
    ),
    OwnedResource(
        called="restored shard",
        names=_restored,
        types=(_INSTANCE,),  # counted as a silo, in whose demand it is
        store=Store(
            data="everybody's rows of a shard as it was, while one of its tenants is restored from there",
            key=Key.SHARD,
            readers={},
            erased="deleted when the move ends",
            unproven="it stands during a move only, and who moves cannot leave",
        ),
    ),
    OwnedResource(
        called="network",
        names=_network,
        types=(
            "aws:ec2/vpc:Vpc",
            "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
            "aws:ec2/eip:Eip",
            "aws:ec2/flowLog:FlowLog",
            "aws:ec2/internetGateway:InternetGateway",
            "aws:ec2/natGateway:NatGateway",
            "aws:ec2/networkAcl:NetworkAcl",
            "aws:ec2/route:Route",
            "aws:ec2/routeTable:RouteTable",
            "aws:ec2/routeTableAssociation:RouteTableAssociation",
            "aws:ec2/securityGroup:SecurityGroup",
            "aws:ec2/subnet:Subnet",
            "aws:ec2/vpcEndpoint:VpcEndpoint",
            "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
            "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            "aws:rds/subnetGroup:SubnetGroup",
            "aws:cloudwatch/logGroup:LogGroup",
            "aws:iam/role:Role",
            "aws:iam/rolePolicy:RolePolicy",
        ),
        takes={
            "networks": {"dedicated": 1},
            "internet-gateways": {"dedicated": 1},
            "elastic-addresses": {"dedicated * nat": 1},
            "nat-gateways-of-a-zone": {"dedicated": 1},
            "peerings-of-a-network": {"dedicated": 1},
            "gateway-endpoints": {"dedicated": 2},
            "routes-of-a-table": {"dedicated": 1},
            "rules-of-a-security-group": {"dedicated": 1},
            "security-groups": {"dedicated": 2},
            "db-subnet-groups": {"dedicated": 1},
            "roles": {"dedicated": 1},
        },
    ),
)

_TAGS: Final = "CreateTags DeleteTags"
# What a provider calls to make, change and delete each type of the rows: what a deployer needs. Actions are
# those of the resource schemas' handlers (AWS CloudFormation registry, 2026-11), less what the provider never
# calls, and of types without a schema those of the API that makes them (service authorization reference,
# 2026-11). A test compares them with the schemas, and asks CI's role for each.
CALLS: Final[Mapping[str, Mapping[str, str]]] = {
    "aws:apigateway/apiKey:ApiKey": {"apigateway": "DELETE GET PATCH POST PUT"},
    "aws:apigateway/usagePlanKey:UsagePlanKey": {"apigateway": "DELETE GET POST"},
    "aws:budgets/budget:Budget": {"budgets": "ListTagsForResource ModifyBudget TagResource ViewBudget"},
    "aws:cloudwatch/logGroup:LogGroup": {
        "logs": "AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteRetentionPolicy DescribeLogGroups"
        " ListTagsForResource PutRetentionPolicy TagResource UntagResource",
    },
    "aws:cloudwatch/metricAlarm:MetricAlarm": {
        "cloudwatch": "DeleteAlarms DescribeAlarms ListTagsForResource PutMetricAlarm TagResource"
        " UntagResource",
    },
    "aws:cognito/userPoolClient:UserPoolClient": {
        "cognito-idp": "CreateUserPoolClient DeleteUserPoolClient DescribeUserPoolClient"
        " UpdateUserPoolClient",
    },
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {
        "ec2": f"{_TAGS} DescribeSecurityGroups RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
    },
    "aws:ec2/eip:Eip": {"ec2": f"{_TAGS} AllocateAddress DescribeAddresses ReleaseAddress"},
    "aws:ec2/flowLog:FlowLog": {
        "ec2": f"{_TAGS} CreateFlowLogs DescribeFlowLogs DescribeTags",
        "iam": "PassRole",
    },
    "aws:ec2/internetGateway:InternetGateway": {
        "ec2": f"{_TAGS} CreateInternetGateway DeleteInternetGateway DescribeInternetGateways",
    },
    "aws:ec2/natGateway:NatGateway": {
        "ec2": f"{_TAGS} CreateNatGateway DeleteNatGateway DescribeNatGateways",
    },
    "aws:ec2/networkAcl:NetworkAcl": {
        "ec2": f"{_TAGS} CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry"
        " DescribeNetworkAcls",
    },
    "aws:ec2/route:Route": {
        "ec2": "CreateRoute DeleteRoute DescribeNetworkInterfaces DescribeRouteTables ReplaceRoute",
    },
    "aws:ec2/routeTable:RouteTable": {
        "ec2": f"{_TAGS} CreateRouteTable DeleteRouteTable DescribeRouteTables",
    },
    "aws:ec2/routeTableAssociation:RouteTableAssociation": {
        "ec2": "AssociateRouteTable DescribeRouteTables DescribeSubnets DisassociateRouteTable"
        " ReplaceRouteTableAssociation",
    },
    "aws:ec2/securityGroup:SecurityGroup": {
        "ec2": f"{_TAGS} AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateSecurityGroup"
        " DeleteSecurityGroup DescribeSecurityGroups RevokeSecurityGroupEgress RevokeSecurityGroupIngress"
        " UpdateSecurityGroupRuleDescriptionsEgress UpdateSecurityGroupRuleDescriptionsIngress",
    },
    "aws:ec2/subnet:Subnet": {
        "ec2": f"{_TAGS} CreateSubnet DeleteSubnet DescribeSubnets ModifySubnetAttribute",
    },
    "aws:ec2/vpc:Vpc": {
        "ec2": f"{_TAGS} CreateVpc DeleteVpc DescribeVpcAttribute DescribeVpcs ModifyVpcAttribute",
    },
    "aws:ec2/vpcEndpoint:VpcEndpoint": {
        "ec2": f"{_TAGS} CreateVpcEndpoint DeleteVpcEndpoints DescribeSecurityGroups DescribeSubnets"
        " DescribeVpcEndpoints DescribeVpcs ModifyVpcEndpoint",
    },
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": {
        "ec2": f"{_TAGS} AcceptVpcPeeringConnection CreateVpcPeeringConnection DeleteVpcPeeringConnection"
        " DescribeVpcPeeringConnections ModifyVpcPeeringConnectionOptions",
    },
    "aws:iam/role:Role": {
        "iam": "AttachRolePolicy CreateRole DeleteRole DeleteRolePolicy DetachRolePolicy GetRole"
        " GetRolePolicy ListAttachedRolePolicies ListRolePolicies PutRolePolicy TagRole UntagRole"
        " UpdateAssumeRolePolicy UpdateRole",
    },
    "aws:iam/rolePolicy:RolePolicy": {"iam": "DeleteRolePolicy GetRolePolicy PutRolePolicy"},
    "aws:kms/alias:Alias": {"kms": "CreateAlias DeleteAlias ListAliases UpdateAlias"},
    "aws:kms/key:Key": {
        "kms": "CreateKey DescribeKey EnableKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus"
        " ListResourceTags PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription",
    },
    "aws:lambda/invocation:Invocation": {"lambda": "InvokeFunction"},
    "aws:rds/instance:Instance": {
        "ec2": "DescribeAccountAttributes DescribeAvailabilityZones DescribeInternetGateways"
        " DescribeSecurityGroups DescribeSubnets DescribeVpcAttribute DescribeVpcs",
        "iam": "GetRole PassRole",
        "kms": "CreateGrant DescribeKey",
        "rds": "AddTagsToResource CreateDBInstance CreateDBInstanceReadReplica CreateDBSnapshot"
        " DeleteDBInstance DescribeDBEngineVersions DescribeDBInstanceAutomatedBackups DescribeDBInstances"
        " DescribeDBParameterGroups ModifyDBInstance RebootDBInstance RemoveTagsFromResource"
        " RestoreDBInstanceToPointInTime",
        "secretsmanager": "CreateSecret TagResource",  # the master password that RDS keeps
    },
    # In the Region of the copies, as what makes the key of a copy.
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": {
        "rds": "DescribeDBInstanceAutomatedBackups StartDBInstanceAutomatedBackupsReplication"
        " StopDBInstanceAutomatedBackupsReplication",
    },
    "aws:rds/subnetGroup:SubnetGroup": {
        "rds": "AddTagsToResource CreateDBSubnetGroup DeleteDBSubnetGroup DescribeDBSubnetGroups"
        " ListTagsForResource ModifyDBSubnetGroup RemoveTagsFromResource",
    },
    "aws:s3/bucket:Bucket": {
        "s3": "CreateBucket DeleteBucket GetBucketAcl GetBucketTagging ListBucket PutBucketTagging",
    },
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
        "s3": "GetLifecycleConfiguration PutLifecycleConfiguration",
    },
    "aws:s3/bucketLogging:BucketLogging": {"s3": "GetBucketLogging PutBucketLogging"},
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {
        "s3": "GetBucketOwnershipControls PutBucketOwnershipControls",
    },
    "aws:s3/bucketPolicy:BucketPolicy": {"s3": "DeleteBucketPolicy GetBucketPolicy PutBucketPolicy"},
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
        "s3": "GetBucketPublicAccessBlock PutBucketPublicAccessBlock",
    },
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
        "s3": "GetEncryptionConfiguration PutEncryptionConfiguration",
    },
    "aws:s3/bucketVersioning:BucketVersioning": {"s3": "GetBucketVersioning PutBucketVersioning"},
    "aws:scheduler/schedule:Schedule": {
        "scheduler": "CreateSchedule DeleteSchedule GetSchedule UpdateSchedule",
        "iam": "PassRole",
    },
    "aws:secretsmanager/secret:Secret": {
        "secretsmanager": "CreateSecret DeleteSecret DescribeSecret GetSecretValue PutResourcePolicy"
        " TagResource UntagResource UpdateSecret",
    },
    "aws:secretsmanager/secretPolicy:SecretPolicy": {
        "secretsmanager": "DeleteResourcePolicy GetResourcePolicy PutResourcePolicy",
    },
    "aws:secretsmanager/secretRotation:SecretRotation": {
        "lambda": "InvokeFunction",
        "secretsmanager": "CancelRotateSecret DescribeSecret RotateSecret",
    },
    "aws:secretsmanager/secretVersion:SecretVersion": {
        "secretsmanager": "GetSecretValue PutSecretValue UpdateSecretVersionStage",
    },
    "aws:sns/topic:Topic": {
        "sns": "CreateTopic DeleteTopic GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource"
        " SetTopicAttributes TagResource UntagResource",
    },
    "aws:sns/topicSubscription:TopicSubscription": {
        "sns": "GetSubscriptionAttributes SetSubscriptionAttributes Subscribe Unsubscribe",
    },
    "aws:ssm/parameter:Parameter": {
        "ssm": "AddTagsToResource DeleteParameter DescribeParameters GetParameter GetParameters"
        " ListTagsForResource PutParameter RemoveTagsFromResource",
    },
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {
        "ec2": "AuthorizeSecurityGroupEgress DescribeSecurityGroupRules RevokeSecurityGroupEgress"
        " UpdateSecurityGroupRuleDescriptionsEgress",
    },
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
        "ec2": "AuthorizeSecurityGroupIngress DescribeSecurityGroupRules RevokeSecurityGroupIngress"
        " UpdateSecurityGroupRuleDescriptionsIngress",
    },
    # Made by providers that call nobody.
    "random:index/randomId:RandomId": {},
    "random:index/randomPassword:RandomPassword": {},
}
