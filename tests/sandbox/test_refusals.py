"""What AWS refuses by rules that no schema says: each in its own code and words."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.aws.cloud import Cloud, CloudError
from sandbox.aws.templates import UNKNOWN
from sandbox.cloud.store import Store

ACCOUNT, REGION = "111122223333", "eu-west-1"
VPC, SUBNET, TABLE = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/routeTable:RouteTable"
ROUTE, GATEWAY, NAT = (
    "aws:ec2/route:Route",
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/natGateway:NatGateway",
)
EIP, PEERING = "aws:ec2/eip:Eip", "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
GROUP, INGRESS = (
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
)
ENDPOINT, LINK = "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:apigatewayv2/vpcLink:VpcLink"
INSTANCE, SUBNETS = "aws:rds/instance:Instance", "aws:rds/subnetGroup:SubnetGroup"
PARAMETERS, KEY, ALIAS = "aws:rds/parameterGroup:ParameterGroup", "aws:kms/key:Key", "aws:kms/alias:Alias"
SECRET, LOGS = "aws:secretsmanager/secret:Secret", "aws:cloudwatch/logGroup:LogGroup"
ROLE, INLINE, POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
TASK, SERVICE, CLUSTER = (
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:ecs/service:Service",
    "aws:ecs/cluster:Cluster",
)
FUNCTION, QUEUE = "aws:lambda/function:Function", "aws:sqs/queue:Queue"
MAPPING, BUCKET = "aws:lambda/eventSourceMapping:EventSourceMapping", "aws:s3/bucket:Bucket"
BALANCER, TARGETS = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup"
LISTENER, CERTIFICATE = "aws:lb/listener:Listener", "aws:acm/certificate:Certificate"
DOMAIN, LOCK = (
    "aws:apigateway/domainName:DomainName",
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
)
ALARM, SUBSCRIPTION = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:sns/topicSubscription:TopicSubscription"
TOPIC, TRAIL = "aws:sns/topic:Topic", "aws:cloudtrail/trail:Trail"


class World:
    """A cloud with short names for what is made in it."""

    def __init__(self) -> None:
        self.cloud = Cloud(Store(":memory:", ACCOUNT, REGION), {})

    def make(self, token: str, /, **inputs: Any) -> str:
        """Made by the rules, as the engine would: first checked, then created. The id."""
        given, wrong = self.cloud.check(token, "r", inputs, b"seed")
        assert wrong == []
        return self.cloud.create(token, f"urn:pulumi:dev::p::{token}::r", given)[0]

    def arn(self, token: str, made: str) -> str:
        row = self.cloud.read(token, made)
        assert row is not None
        return row.outputs["arn"]

    def network(self, block: str = "10.0.0.0/16") -> tuple[str, list[str]]:
        """A VPC and its two subnets, in two zones."""
        vpc = self.make(VPC, cidrBlock=block, enableDnsHostnames=True)
        first = block.rsplit(".", 2)[0]
        subnets = [
            self.make(SUBNET, vpcId=vpc, cidrBlock=f"{first}.{i}.0/24", availabilityZone=f"{REGION}{zone}")
            for i, zone in enumerate("ab")
        ]
        return vpc, subnets

    def writer(self, **more: Any) -> str:
        return self.make(INSTANCE, **{**WRITER, **more})


WRITER = {
    "identifier": "db",
    "instanceClass": "db.t4g.medium",
    "engine": "postgres",
    "engineVersion": "17.2",
    "allocatedStorage": 50,
    "username": "platform",
    "password": "long-enough-1",
    "backupRetentionPeriod": 7,
    "skipFinalSnapshot": True,
}
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def identity(characters: int) -> str:
    """An identity policy of about so many characters."""
    actions = ["s3:" + "G" * 60 for _ in range(characters // 66)]
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    )


def container(**more: Any) -> str:
    plain = {"name": "app", "image": "a@sha256:0", "portMappings": [{"containerPort": 8080}]}
    return json.dumps([{**plain, **more}])


@pytest.fixture
def world() -> World:
    return World()


FARGATE = {"family": "f", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "1024"}
# What is refused by itself, and so in a preview: type, inputs, the input that is named, the words.
BY_ITSELF: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "a network too large": (
        VPC,
        {"cidrBlock": "10.0.0.0/8"},
        "cidrBlock",
        "InvalidVpc.Range: The CIDR '10.0.0.0/8' is invalid.",
    ),
    "no block at all": (
        VPC,
        {"cidrBlock": "10.0.0.1/16"},
        "cidrBlock",
        "InvalidParameterValue: Value (10.0.0.1/16) for parameter cidrBlock is invalid.",
    ),
    "a route without a target": (
        ROUTE,
        {"routeTableId": "rtb-1", "destinationCidrBlock": "10.9.0.0/16"},
        "routeTableId",
        "MissingParameter",
    ),
    "ports that fall": (
        INGRESS,
        {
            "securityGroupId": "sg-1",
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 80,
            "cidrIpv4": "10.0.0.0/8",
        },
        "fromPort",
        "Invalid TCP/UDP port range (443:80)",
    ),
    "an unknown protocol": (
        INGRESS,
        {"securityGroupId": "sg-1", "ipProtocol": "http", "cidrIpv4": "10.0.0.0/8"},
        "ipProtocol",
        "Invalid value 'http' for IP protocol. Unknown protocol.",
    ),
    "a version that is not": (
        INSTANCE,
        {**WRITER, "engineVersion": "17.999"},
        "engineVersion",
        "InvalidParameterCombination: Cannot find version 17.999 for postgres",
    ),
    "a growth below the size": (
        INSTANCE,
        {**WRITER, "maxAllocatedStorage": 40},
        "maxAllocatedStorage",
        "Max storage size must be greater than storage size",
    ),
    "fast storage on a small disk": (
        INSTANCE,
        {**WRITER, "storageType": "gp3", "iops": 12000},
        "iops",
        "a storage size less than 400.",
    ),
    "monitoring without a role": (
        INSTANCE,
        {**WRITER, "monitoringInterval": 60},
        "monitoringInterval",
        "A MonitoringRoleARN value is required",
    ),
    "a reserved master": (
        INSTANCE,
        {**WRITER, "username": "rdsadmin"},
        "username",
        "cannot be used as it is a reserved word used by the engine",
    ),
    "a short password": (
        INSTANCE,
        {**WRITER, "password": "canary"},
        "password",
        "because it is shorter than 8 characters.",
    ),
    "windows that overlap": (
        INSTANCE,
        {**WRITER, "backupWindow": "03:00-04:00", "maintenanceWindow": "sun:03:30-sun:04:30"},
        "backupWindow",
        "must not overlap.",
    ),
    "logs of another engine": (
        INSTANCE,
        {**WRITER, "enabledCloudwatchLogsExports": ["audit"]},
        "enabledCloudwatchLogsExports",
        "You cannot use the log types 'audit'",
    ),
    "a reader with a name of its own": (
        INSTANCE,
        {"identifier": "r", "instanceClass": "db.t4g.medium", "replicateSourceDb": "db", "username": "x"},
        "username",
        "InvalidParameterCombination",
    ),
    "no such Fargate size": (
        TASK,
        {**FARGATE, "memory": "512", "containerDefinitions": container()},
        "cpu",
        "No Fargate configuration exists for given values: 1024 CPU, 512 memory.",
    ),
    "a container above its task": (
        TASK,
        {**FARGATE, "memory": "2048", "containerDefinitions": container(memory=4096)},
        "containerDefinitions",
        "The 'memory' setting for container is greater than for the task.",
    ),
    "logs without a role": (
        TASK,
        {
            **FARGATE,
            "memory": "2048",
            "containerDefinitions": container(logConfiguration={"logDriver": "awslogs"}),
        },
        "executionRoleArn",
        "to support log driver awslogs.",
    ),
    "a retention that is none": (
        LOGS,
        {"name": "l", "retentionInDays": 100},
        "retentionInDays",
        "expected retentionInDays to be one of",
    ),
    "a managed policy too long": (
        POLICY,
        {"name": "p", "policy": identity(7000)},
        "policy",
        "LimitExceeded: Cannot exceed quota for policy: 6144",
    ),
    "a trust policy too long": (
        ROLE,
        {"name": "r", "assumeRolePolicy": TRUST.replace("lambda.", "l" * 2048)},
        "assumeRolePolicy",
        "LimitExceeded: Cannot exceed quota for assumeRolePolicy: 2048",
    ),
    "a policy that is no JSON": (
        POLICY,
        {"name": "p", "policy": "{"},
        "policy",
        "MalformedPolicyDocument: This policy contains invalid Json",
    ),
    "an identity policy with a principal": (
        POLICY,
        {"name": "p", "policy": TRUST},
        "policy",
        "Policy document should not specify a principal.",
    ),
    "a bucket like an address": (
        BUCKET,
        {"bucket": "10.0.0.1"},
        "bucket",
        "InvalidBucketName: The specified bucket is not valid.",
    ),
    "a bucket of reserved name": (BUCKET, {"bucket": "xn--thing"}, "bucket", "InvalidBucketName"),
    "a window that is none": (
        SECRET,
        {"name": "s", "recoveryWindowInDays": 3},
        "recoveryWindowInDays",
        "between 7 and 30 days (inclusive).",
    ),
    "an alias of AWS": (ALIAS, {"name": "alias/aws/x", "targetKeyId": "k"}, "name", "NotAuthorizedException"),
    "a rotation of what cannot turn": (
        KEY,
        {"customerMasterKeySpec": "RSA_2048", "keyUsage": "SIGN_VERIFY", "enableKeyRotation": True},
        "enableKeyRotation",
        "UnsupportedOperationException",
    ),
    "an alarm over more than a day": (
        ALARM,
        {
            "name": "a",
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 25,
            "period": 3600,
            "metricName": "m",
            "namespace": "n",
            "statistic": "Sum",
            "threshold": 1,
        },
        "evaluationPeriods",
        "more than a day",
    ),
    "mail to no address": (
        SUBSCRIPTION,
        {"topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:t", "protocol": "email", "endpoint": "nobody"},
        "endpoint",
        "Invalid parameter: Email address",
    ),
    "reserved environment": (
        FUNCTION,
        {
            "name": "f",
            "role": f"arn:aws:iam::{ACCOUNT}:role/r",
            "environment": {"variables": {"AWS_REGION": "x"}},
        },
        "environment",
        "Reserved keys used in this request: AWS_REGION",
    ),
    "HTTPS without a certificate": (
        LISTENER,
        {
            "loadBalancerArn": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/a/1",
            "port": 443,
            "protocol": "HTTPS",
            "defaultActions": [{"type": "fixed-response"}],
        },
        "certificateArn",
        "A certificate must be specified for HTTPS listeners",
    ),
    "a tag of AWS": (KEY, {"tags": {"aws:x": "y"}}, "tags", "InvalidTag"),
}


@pytest.mark.parametrize("case", sorted(BY_ITSELF))
def test_what_is_wrong_by_itself_is_refused_before_anything_is_made(world: World, case: str) -> None:
    token, inputs, key, words = BY_ITSELF[case]
    _, found = world.cloud.check(token, "r", inputs, b"seed")
    assert {k for k, _ in found} == {key}
    assert words in found[0][1]
    assert "canary" not in found[0][1]


# What is wrong there is that an input is given or missing, whatever its value.
GIVEN_OR_NOT = {"a reader with a name of its own", "a route without a target"}


@pytest.mark.parametrize("case", sorted(BY_ITSELF.keys() - GIVEN_OR_NOT))
def test_what_is_not_known_yet_is_not_refused(world: World, case: str) -> None:
    token, inputs, _, _ = BY_ITSELF[case]
    _, found = world.cloud.check(token, "r", dict.fromkeys(inputs, UNKNOWN), b"seed")
    assert found == []


# -- in the light of what is there: what is made before, then what is refused, and AWS's words


def _vpc_of_another(w: World) -> dict[str, Any]:
    w.network()
    return {"vpcId": "vpc-gone", "cidrBlock": "10.0.9.0/24"}


def _outside(w: World) -> dict[str, Any]:
    return {"vpcId": w.network()[0], "cidrBlock": "10.1.0.0/24"}


def _overlap(w: World) -> dict[str, Any]:
    return {"vpcId": w.network()[0], "cidrBlock": "10.0.0.128/25"}


def _zone(w: World) -> dict[str, Any]:
    return {"vpcId": w.network()[0], "cidrBlock": "10.0.9.0/24", "availabilityZone": "us-east-1a"}


def _overlapping_peers(w: World) -> dict[str, Any]:
    return {"vpcId": w.network()[0], "peerVpcId": w.make(VPC, cidrBlock="10.0.128.0/17"), "autoAccept": True}


def _foreign_gateway(w: World) -> dict[str, Any]:
    table = w.make(TABLE, vpcId=w.network()[0])
    gateway = w.make(GATEWAY, vpcId=w.network("10.2.0.0/16")[0])
    return {"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway}


def _no_gateway(w: World) -> dict[str, Any]:
    return {"subnetId": w.network()[1][0], "allocationId": w.make(EIP, domain="vpc")}


def _used_address(w: World) -> dict[str, Any]:
    vpc, subnets = w.network()
    w.make(GATEWAY, vpcId=vpc)
    address = w.make(EIP, domain="vpc")
    w.make(NAT, subnetId=subnets[0], allocationId=address)
    return {"subnetId": subnets[1], "allocationId": address}


def _gone_group(w: World) -> dict[str, Any]:
    group = w.make(GROUP, name="a", vpcId=w.network()[0])
    other = w.make(GROUP, name="b", vpcId=w.network("10.2.0.0/16")[0])
    w.cloud.delete(GROUP, other)
    given = {"securityGroupId": group, "referencedSecurityGroupId": other}
    return {**given, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443}


def _far_group(w: World) -> dict[str, Any]:
    group = w.make(GROUP, name="a", vpcId=w.network()[0])
    other = w.make(GROUP, name="b", vpcId=w.network("10.2.0.0/16")[0])
    given = {"securityGroupId": group, "referencedSecurityGroupId": other}
    return {**given, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443}


def _one_zone(w: World) -> dict[str, Any]:
    return {"name": "g", "subnetIds": w.network()[1][:1]}


def _group_elsewhere(w: World) -> dict[str, Any]:
    other = w.make(GROUP, name="b", vpcId=w.network("10.2.0.0/16")[0])
    w.make(SUBNETS, name="g", subnetIds=w.network()[1])
    return {**WRITER, "dbSubnetGroupName": "g", "vpcSecurityGroupIds": [other]}


def _other_family(w: World) -> dict[str, Any]:
    w.make(PARAMETERS, name="pg", family="postgres16")
    return {**WRITER, "parameterGroupName": "pg"}


def _no_class(w: World) -> dict[str, Any]:
    return {**WRITER, "instanceClass": "db.bogus9.large"}


def _reader_of_managed(w: World) -> dict[str, Any]:
    given = {k: v for k, v in WRITER.items() if k != "password"}
    w.make(INSTANCE, **given, manageMasterUserPassword=True)
    return {"identifier": "r", "instanceClass": "db.t4g.medium", "replicateSourceDb": "db"}


def _reader_without_backups(w: World) -> dict[str, Any]:
    w.writer(backupRetentionPeriod=0)
    return {"identifier": "r", "instanceClass": "db.t4g.medium", "replicateSourceDb": "db"}


def _pending_key(w: World) -> dict[str, Any]:
    key = w.make(KEY)
    arn = w.arn(KEY, key)
    w.cloud.delete(KEY, key)
    return {"name": "s", "kmsKeyId": arn}


def _disabled_key(w: World) -> dict[str, Any]:
    return {"name": "s", "kmsKeyId": w.arn(KEY, w.make(KEY, isEnabled=False))}


def _waiting_name(w: World) -> dict[str, Any]:
    w.cloud.delete(SECRET, w.make(SECRET, name="s", recoveryWindowInDays=7))
    return {"name": "s"}


def _inline_too_long(w: World) -> dict[str, Any]:
    w.make(ROLE, name="r", assumeRolePolicy=TRUST)
    w.make(INLINE, name="one", role="r", policy=identity(6000))
    return {"name": "two", "role": "r", "policy": identity(6000)}


def _gone_policy(w: World) -> dict[str, Any]:
    w.make(ROLE, name="r", assumeRolePolicy=TRUST)
    return {"role": "r", "policyArn": f"arn:aws:iam::{ACCOUNT}:policy/gone"}


def _unassumable(w: World) -> dict[str, Any]:
    trust = TRUST.replace("lambda.", "ec2.")
    role = w.make(ROLE, name="r", assumeRolePolicy=trust)
    return {"name": "f", "role": w.arn(ROLE, role), "runtime": "python3.12", "handler": "a.b"}


def _slow_function(w: World) -> dict[str, Any]:
    role = w.arn(ROLE, w.make(ROLE, name="r", assumeRolePolicy=TRUST))
    w.make(FUNCTION, name="f", role=role, runtime="python3.12", handler="a.b", timeout=60)
    return {"functionName": "f", "eventSourceArn": w.arn(QUEUE, w.make(QUEUE, name="q"))}


def _two_in_a_zone(w: World) -> dict[str, Any]:
    vpc, subnets = w.network()
    more = w.make(SUBNET, vpcId=vpc, cidrBlock="10.0.9.0/24", availabilityZone=f"{REGION}a")
    return {"name": "lb", "subnets": [*subnets, more]}


def _balancer_in_one_zone(w: World) -> dict[str, Any]:
    return {"name": "lb", "subnets": w.network()[1][:1]}


def _other_host(w: World) -> dict[str, Any]:
    made = w.make(CERTIFICATE, domainName="*.api.example.com", validationMethod="DNS")
    return {"domainName": "a.b.api.example.com", "regionalCertificateArn": made}


def _unversioned(w: World) -> dict[str, Any]:
    w.make(BUCKET, bucket="plain-bucket")
    return {"bucket": "plain-bucket", "objectLockEnabled": "Enabled"}


def _closed_bucket(w: World) -> dict[str, Any]:
    w.make(BUCKET, bucket="plain-bucket")
    return {"name": "trail", "s3BucketName": "plain-bucket"}


def _no_dead_letters(w: World) -> dict[str, Any]:
    target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:gone"
    return {"name": "q", "redrivePolicy": json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 3})}


def _unreachable_targets(w: World) -> dict[str, Any]:
    _, subnets = w.network()
    cluster = w.arn(CLUSTER, w.make(CLUSTER, name="c"))
    task = w.make(TASK, **FARGATE, memory="2048", containerDefinitions=container())
    targets = w.make(
        TARGETS, name="t", port=8080, protocol="HTTP", targetType="ip", vpcId=w.network("10.3.0.0/16")[0]
    )
    return {
        "name": "s",
        "cluster": cluster,
        "taskDefinition": w.arn(TASK, task),
        "networkConfiguration": {"subnets": subnets},
        "loadBalancers": [{"containerName": "app", "containerPort": 8080, "targetGroupArn": targets}],
    }


def _wrong_port(w: World) -> dict[str, Any]:
    given = _unreachable_targets(w)
    return {**given, "loadBalancers": [{**given["loadBalancers"][0], "containerPort": 9}]}


def _networks(w: World) -> dict[str, Any]:
    for i in range(5):
        w.make(VPC, cidrBlock=f"10.{i}.0.0/16")
    return {"cidrBlock": "10.9.0.0/16"}


def _addresses(w: World) -> dict[str, Any]:
    for _ in range(5):
        w.make(EIP, domain="vpc")
    return {"domain": "vpc"}


def _instances(w: World) -> dict[str, Any]:
    for i in range(40):
        w.writer(identifier=f"db{i}")
    return {**WRITER, "identifier": "one-more"}


def _policies_of_a_role(w: World) -> dict[str, Any]:
    w.make(ROLE, name="r", assumeRolePolicy=TRUST)
    for i in range(10):
        w.make(ATTACHMENT, role="r", policyArn=f"arn:aws:iam::aws:policy/P{i}")
    return {"role": "r", "policyArn": "arn:aws:iam::aws:policy/P10"}


def _rules_of_a_group(w: World) -> dict[str, Any]:
    group = w.make(GROUP, name="a", vpcId=w.network()[0])
    given = {"securityGroupId": group, "ipProtocol": "tcp", "cidrIpv4": "10.0.0.0/16"}
    for port in range(60):
        w.make(INGRESS, **given, fromPort=port + 1, toPort=port + 1)
    return {**given, "fromPort": 99, "toPort": 99}


IN_THE_CLOUD: dict[str, tuple[str, Callable[[World], dict[str, Any]], str]] = {
    "a VPC that is gone": (
        SUBNET,
        _vpc_of_another,
        "InvalidVpcID.NotFound: The vpc ID 'vpc-gone' does not exist",
    ),
    "a subnet outside its network": (
        SUBNET,
        _outside,
        "InvalidSubnet.Range: The CIDR '10.1.0.0/24' is invalid.",
    ),
    "a subnet over another": (
        SUBNET,
        _overlap,
        "InvalidSubnet.Conflict: The CIDR '10.0.0.128/25' conflicts with another subnet",
    ),
    "a zone of another Region": (
        SUBNET,
        _zone,
        "Value (us-east-1a) for parameter availabilityZone is invalid.",
    ),
    "peers that overlap": (PEERING, _overlapping_peers, "overlapping CIDR range"),
    "a gateway of another network": (ROUTE, _foreign_gateway, "belong to different networks"),
    "NAT without an internet gateway": (NAT, _no_gateway, "Gateway.NotAttached"),
    "an address in use": (NAT, _used_address, "Resource.AlreadyAssociated: Elastic IP address"),
    "a group that is gone": (INGRESS, _gone_group, "InvalidGroup.NotFound: The security group"),
    "a group beyond a peering": (
        INGRESS,
        _far_group,
        "InvalidGroup.NotFound: You have specified two resources that belong to different networks.",
    ),
    "databases in one zone": (SUBNETS, _one_zone, "DBSubnetGroupDoesNotCoverEnoughAZs"),
    "a group of another network": (
        INSTANCE,
        _group_elsewhere,
        "The DB instance and EC2 security group are in different VPCs.",
    ),
    "parameters of another version": (
        INSTANCE,
        _other_family,
        "Please use a parameter group with DBParameterGroupFamily postgres17",
    ),
    "a class that is not": (
        INSTANCE,
        _no_class,
        "RDS does not support creating a DB instance with the following combination: DBInstanceClass=db",
    ),
    "a reader of a managed password": (
        INSTANCE,
        _reader_of_managed,
        "InvalidParameterValue: Creating read replicas for source instance with engine postgres where"
        " ManageMasterUserPassword is enabled is not supported.",
    ),
    "a reader of what has no backups": (
        INSTANCE,
        _reader_without_backups,
        "InvalidDBInstanceState: Automated backups are not enabled",
    ),
    "a key that waits for its end": (SECRET, _pending_key, "is pending deletion."),
    "a key that is disabled": (SECRET, _disabled_key, "DisabledException"),
    "a name that waits for its end": (SECRET, _waiting_name, "already scheduled for deletion."),
    "inline policies too long together": (
        INLINE,
        _inline_too_long,
        "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role r",
    ),
    "a policy that is gone": (ATTACHMENT, _gone_policy, "NoSuchEntity"),
    "a role of another service": (
        FUNCTION,
        _unassumable,
        "The role defined for the function cannot be assumed by Lambda.",
    ),
    "a queue quicker than its function": (
        MAPPING,
        _slow_function,
        "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds",
    ),
    "two subnets in a zone": (BALANCER, _two_in_a_zone, "multiple subnets in the same Availability Zone"),
    "a balancer in one zone": (
        BALANCER,
        _balancer_in_one_zone,
        "At least two subnets in two different Availability Zones must be specified",
    ),
    "a certificate that does not match": (DOMAIN, _other_host, "not covered by the provided certificate."),
    "a lock without versions": (LOCK, _unversioned, "InvalidBucketState: Versioning must be 'Enabled'"),
    "a bucket closed to the trail": (TRAIL, _closed_bucket, "InsufficientS3BucketPolicyException"),
    "dead letters to nowhere": (QUEUE, _no_dead_letters, "Dead letter target does not exist."),
    "targets without a balancer": (
        SERVICE,
        _unreachable_targets,
        "does not have an associated load balancer.",
    ),
    "a port that nobody serves": (
        SERVICE,
        _wrong_port,
        "The container app did not have a container port 9 defined.",
    ),
    "networks beyond the quota": (
        VPC,
        _networks,
        "VpcLimitExceeded: The maximum number of VPCs has been reached.",
    ),
    "addresses beyond the quota": (
        EIP,
        _addresses,
        "AddressLimitExceeded: The maximum number of addresses has been reached.",
    ),
    "instances beyond the quota": (INSTANCE, _instances, "InstanceQuotaExceeded: DB Instance quota exceeded"),
    "policies beyond the quota": (
        ATTACHMENT,
        _policies_of_a_role,
        "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10",
    ),
    "rules beyond the quota": (INGRESS, _rules_of_a_group, "RulesPerSecurityGroupLimitExceeded"),
}


@pytest.mark.parametrize("case", sorted(IN_THE_CLOUD))
def test_what_is_wrong_with_what_is_there_is_refused_and_leaves_nothing(world: World, case: str) -> None:
    token, before, words = IN_THE_CLOUD[case]
    inputs = before(world)
    there = world.cloud.store.all()
    with pytest.raises(CloudError, match="creating ") as refused:
        world.make(token, **inputs)
    assert words in str(refused.value)
    assert world.cloud.store.all() == there


# -- what is in use, protected, or would be lost, stays


def _vpc(w: World) -> str:
    return w.network()[0]


def _subnet(w: World) -> str:
    vpc, subnets = w.network()
    w.make(LINK, name="l", subnetIds=subnets, securityGroupIds=[w.make(GROUP, name="a", vpcId=vpc)])
    return subnets[0]


def _group(w: World) -> str:
    vpc, _ = w.network()
    one, other = (w.make(GROUP, name=n, vpcId=vpc) for n in "ab")
    w.make(
        INGRESS, securityGroupId=one, referencedSecurityGroupId=other, ipProtocol="tcp", fromPort=1, toPort=1
    )
    return other


def _role(w: World) -> str:
    role = w.make(ROLE, name="r", assumeRolePolicy=TRUST)
    w.make(INLINE, name="p", role=role, policy=identity(100))
    return role


def _policy(w: World) -> str:
    policy = w.make(POLICY, name="p", policy=identity(100))
    w.make(ROLE, name="r", assumeRolePolicy=TRUST, permissionsBoundary=policy)
    return policy


def _subnets(w: World) -> str:
    made = w.make(SUBNETS, name="g", subnetIds=w.network()[1])
    w.writer(dbSubnetGroupName="g")
    return made


def _certificate(w: World) -> str:
    made = w.make(CERTIFICATE, domainName="api.example.com", validationMethod="DNS")
    w.make(DOMAIN, domainName="api.example.com", regionalCertificateArn=made)
    return made


def _protected(w: World) -> str:
    return w.writer(deletionProtection=True)


def _no_snapshot(w: World) -> str:
    return w.writer(skipFinalSnapshot=False)


def _snapshot_again(w: World) -> str:
    given = {"skipFinalSnapshot": False, "finalSnapshotIdentifier": "last"}
    w.cloud.delete(INSTANCE, w.writer(**given))
    return w.writer(**given)


def _reader(w: World) -> str:
    w.writer()
    given = {"identifier": "r", "instanceClass": "db.t4g.medium", "replicateSourceDb": "db"}
    return w.make(INSTANCE, **given, skipFinalSnapshot=False, finalSnapshotIdentifier="last")


STAYS: dict[str, tuple[str, Callable[[World], str], str]] = {
    "a network with subnets": (VPC, _vpc, "DependencyViolation: The vpc"),
    "a subnet with interfaces": (SUBNET, _subnet, "DependencyViolation: The subnet"),
    "a group that another names": (GROUP, _group, "DependencyViolation: resource sg-"),
    "a role with policies": (ROLE, _role, "DeleteConflict: Cannot delete entity"),
    "a policy that is a boundary": (
        POLICY,
        _policy,
        "DeleteConflict: Cannot delete a policy attached to entities.",
    ),
    "subnets of a database": (
        SUBNETS,
        _subnets,
        "InvalidDBSubnetGroupStateFault: Cannot delete the subnet group 'g'",
    ),
    "a certificate in use": (CERTIFICATE, _certificate, "ResourceInUseException"),
    "a protected database": (
        INSTANCE,
        _protected,
        "Cannot delete protected DB Instance, please disable deletion protection",
    ),
    "a database without a last snapshot": (INSTANCE, _no_snapshot, "final_snapshot_identifier is required"),
    "a snapshot of a name that is": (
        INSTANCE,
        _snapshot_again,
        "DBSnapshotAlreadyExists: Cannot create the snapshot because a snapshot with the identifier last"
        " already exists.",
    ),
    "a reader with a last snapshot": (
        INSTANCE,
        _reader,
        "can not be specified when deleting a replica instance",
    ),
}


@pytest.mark.parametrize("case", sorted(STAYS))
def test_what_is_in_use_or_would_be_lost_stays(world: World, case: str) -> None:
    token, before, words = STAYS[case]
    made = before(world)
    with pytest.raises(CloudError, match="deleting ") as refused:
        world.cloud.delete(token, made)
    assert words in str(refused.value)
    assert world.cloud.read(token, made) is not None


# -- changes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"engineVersion": "16.4"}, "Cannot upgrade postgres from 17.2 to 16.4"),
        ({"engineVersion": "18.1"}, "The AllowMajorVersionUpgrade flag must be present"),
        ({"allocatedStorage": 20}, "Invalid storage size for engine name postgres"),
    ],
)
def test_a_database_neither_shrinks_nor_grows_older(world: World, change: dict[str, Any], words: str) -> None:
    made = world.writer()
    with pytest.raises(CloudError, match=words):
        world.cloud.update(INSTANCE, made, "urn:pulumi:dev::p::t::r", {**WRITER, **change})
    row = world.cloud.read(INSTANCE, made)
    assert row is not None
    assert row.inputs["engineVersion"] == "17.2"


def test_a_reader_cannot_be_kept_while_its_source_gets_a_managed_password(world: World) -> None:
    made = world.writer()
    world.make(INSTANCE, identifier="r", instanceClass="db.t4g.medium", replicateSourceDb="db")
    given = {**{k: v for k, v in WRITER.items() if k != "password"}, "manageMasterUserPassword": True}
    with pytest.raises(CloudError, match="You can't enable ManageMasterUserPassword"):
        world.cloud.update(INSTANCE, made, "urn:pulumi:dev::p::t::r", given)


def test_a_raised_quota_is_honoured() -> None:
    cloud = Cloud(Store(":memory:", "444455556666", REGION), {})
    for i in range(6):
        cloud.create(EIP, f"urn:pulumi:dev::p::{EIP}::{i}", {"domain": "vpc"})
    assert cloud.store.count(EIP) == 6


def test_what_another_account_or_aws_keeps_is_not_looked_up(world: World) -> None:
    world.make(ROLE, name="r", assumeRolePolicy=TRUST)
    assert world.make(ATTACHMENT, role="r", policyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert world.make(SECRET, name="s", kmsKeyId=f"arn:aws:kms:{REGION}:999988887777:key/k")
    assert world.make(TOPIC, name="t", kmsMasterKeyId="alias/aws/sns")


@pytest.mark.parametrize("body", ["", "{", "[]", '{"widgets": 7}', '{"widgets": [{"type": "metric"}]}'])
def test_a_dashboard_is_made_of_widgets(body: str) -> None:
    cloud = Cloud(Store(":memory:", ACCOUNT, REGION), {})
    inputs = {"dashboardName": "cell", "dashboardBody": body}
    _, wrong = cloud.check("aws:cloudwatch/dashboard:Dashboard", "it", inputs, b"seed")
    assert any("The Dashboard body is invalid" in str(problem) for problem in wrong)
    good = {**inputs, "dashboardBody": '{"widgets": [{"type": "text", "properties": {"markdown": "x"}}]}'}
    assert cloud.check("aws:cloudwatch/dashboard:Dashboard", "it", good, b"seed")[1] == []
