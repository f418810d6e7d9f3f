"""What a provider calls to make, change and delete each type that a tenant owns: what a deployer needs.

Actions are those of the resource schemas' handlers (AWS CloudFormation registry, 2026-11), less what the
provider never calls, and of types without a schema those of the API that makes them (service authorization
reference, 2026-11). A test compares them with the schemas and asks CI's role for each.
"""

from collections.abc import Mapping
from typing import Final

_TAGS: Final = "CreateTags DeleteTags"
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
