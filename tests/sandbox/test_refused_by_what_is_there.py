"""What AWS refuses in the light of what is there, in its own code and words: services and accounts."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.world import (
    ACCOUNT,
    ATTACHMENT,
    BUCKET,
    CERTIFICATE,
    DOMAIN,
    FARGATE,
    FUNCTION,
    GROUP,
    INLINE,
    INSTANCE,
    KEY,
    REGION,
    ROLE,
    SECRET,
    SUBNETS,
    TASK,
    TRUST,
    WRITER,
    World,
    container,
    identity,
)

PARAMETERS, SERVICE = "aws:rds/parameterGroup:ParameterGroup", "aws:ecs/service:Service"
CLUSTER, QUEUE = "aws:ecs/cluster:Cluster", "aws:sqs/queue:Queue"
MAPPING, TARGETS = "aws:lambda/eventSourceMapping:EventSourceMapping", "aws:lb/targetGroup:TargetGroup"
CLOSED = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
LOCK, TOPIC = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", "aws:sns/topic:Topic"
TRAIL, SCHEDULE = "aws:cloudtrail/trail:Trail", "aws:scheduler/schedule:Schedule"


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


def _machine_of_lambdas_role(w: World) -> dict[str, Any]:
    role = w.make(ROLE, name="r", assumeRolePolicy=TRUST)
    definition = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
    return {"name": "m", "roleArn": w.arn(ROLE, role), "definition": definition}


def _schedule(w: World, trust: str = TRUST, **more: Any) -> dict[str, Any]:
    role = w.make(ROLE, name="r", assumeRolePolicy=trust)
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    return {
        "name": "daily",
        "scheduleExpression": "rate(1 day)",
        "flexibleTimeWindow": {"mode": "OFF"},
        "target": {"arn": arn, "roleArn": w.arn(ROLE, role)},
        **more,
    }


def _schedule_of_no_group(w: World) -> dict[str, Any]:
    return _schedule(w, TRUST.replace("lambda", "scheduler"), groupName="g")


def _slow_function(w: World) -> dict[str, Any]:
    role = w.arn(ROLE, w.make(ROLE, name="r", assumeRolePolicy=TRUST))
    w.make(FUNCTION, name="f", role=role, runtime="python3.12", handler="a.b", timeout=60)
    return {"functionName": "f", "eventSourceArn": w.arn(QUEUE, w.make(QUEUE, name="q"))}


def _other_host(w: World) -> dict[str, Any]:
    made = w.make(CERTIFICATE, domainName="*.api.example.com", validationMethod="DNS")
    return {"domainName": "a.b.api.example.com", "regionalCertificateArn": made}


def _unversioned(w: World) -> dict[str, Any]:
    w.make(BUCKET, bucket="plain-bucket")
    return {"bucket": "plain-bucket", "objectLockEnabled": "Enabled"}


def _closed_bucket(w: World) -> dict[str, Any]:
    w.make(BUCKET, bucket="plain-bucket")
    w.make(CLOSED, bucket="plain-bucket")  # for which the provider waits until S3 knows it
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


THERE: dict[str, tuple[str, Callable[[World], dict[str, Any]], str]] = {
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
    "a state machine with another service's role": (
        "aws:sfn/stateMachine:StateMachine",
        _machine_of_lambdas_role,
        "Neither the global service principal states.amazonaws.com, nor the regional one",
    ),
    "a schedule with another service's role": (
        SCHEDULE,
        _schedule,
        "ValidationException: The execution role you provide must allow AWS EventBridge Scheduler",
    ),
    "a schedule of a group that is not there": (
        SCHEDULE,
        _schedule_of_no_group,
        "ResourceNotFoundException: Schedule group g does not exist.",
    ),
    "a queue quicker than its function": (
        MAPPING,
        _slow_function,
        "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds",
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
}


@pytest.mark.parametrize("case", sorted(THERE))
def test_what_is_wrong_with_what_is_there_is_refused_and_leaves_nothing(world: World, case: str) -> None:
    token, before, words = THERE[case]
    world.refuses(token, before(world), words)


def test_what_another_account_or_aws_keeps_is_not_looked_up(world: World) -> None:
    world.make(ROLE, name="r", assumeRolePolicy=TRUST)
    assert world.make(ATTACHMENT, role="r", policyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert world.make(SECRET, name="s", kmsKeyId=f"arn:aws:kms:{REGION}:999988887777:key/k")
    assert world.make(TOPIC, name="t", kmsMasterKeyId="alias/aws/sns")
