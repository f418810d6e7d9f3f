"""A cloud to try a single rule in: short names for the types, and what nearly every case begins with."""

import json
from typing import Any

import pytest

from sandbox.aws.cloud import Cloud, CloudError
from sandbox.cloud.store import Store

ACCOUNT, REGION = "111122223333", "eu-west-1"
VPC, SUBNET, ROUTE, EIP = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/route:Route", "aws:ec2/eip:Eip"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS, INSTANCE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:rds/instance:Instance"
SUBNETS, KEY = "aws:rds/subnetGroup:SubnetGroup", "aws:kms/key:Key"
SECRET, ROLE = "aws:secretsmanager/secret:Secret", "aws:iam/role:Role"
INLINE, POLICY = "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
TASK, FUNCTION = "aws:ecs/taskDefinition:TaskDefinition", "aws:lambda/function:Function"
BUCKET, CERTIFICATE = "aws:s3/bucket:Bucket", "aws:acm/certificate:Certificate"
DOMAIN = "aws:apigateway/domainName:DomainName"


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

    def refuses(self, token: str, inputs: dict[str, Any], words: str) -> None:
        """To make it, in these words; and nothing is left of the attempt."""
        there = self.cloud.store.all()
        with pytest.raises(CloudError, match="creating ") as refused:
            self.make(token, **inputs)
        assert words in str(refused.value)
        assert self.cloud.store.all() == there


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


FARGATE = {"family": "f", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "1024"}


def identity(characters: int) -> str:
    """An identity policy of about so many characters."""
    actions = ["s3:" + "G" * 60 for _ in range(characters // 66)]
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    )


def container(**more: Any) -> str:
    plain = {"name": "app", "image": "a@sha256:0", "portMappings": [{"containerPort": 8080}]}
    return json.dumps([{**plain, **more}])
