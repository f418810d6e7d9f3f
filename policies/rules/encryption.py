"""Rules on encryption at rest: everything is under customer-managed keys."""

from collections.abc import Mapping
from typing import Any, Final

from policies.checks import (
    all_of,
    companion,
    customer_key,
    each,
    is_true,
    key_verdict,
    one_of,
    present,
    unless,
    when,
)
from policies.control_ids import ENCRYPTION
from policies.model import PASS, Plan, Resource, Verdict, fail
from policies.rule import Check, Made, Ref, Rule
from policies.rules.example_builders import AWS_KEY, BUCKET, BUCKET_TYPE, BY_KEY, KEY, example

ENCRYPTION_OF_BUCKET: Final = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
)
INSTANCE: Final = "aws:rds/instance:Instance"
_HOW: Final = "Name the ARN of a KMS key of your own (components.common.key.EncryptionKey)"
_HOW_TOO: Final = "name the ARN of a KMS key of your own (components.common.key.EncryptionKey)"


def keyed(id_: str, kind: str, path: str, what: str, needs: Mapping[str, Any] | None = None) -> Rule:
    """A rule for a type whose one input names its key."""
    inputs = needs or {}
    return Rule(
        id=id_,
        title=f"{what} under a customer-managed key",
        types=(kind,),
        check=customer_key(path),
        remedy=f"{_HOW} in `{path}`.",
        controls=ENCRYPTION,
        good=example(kind, {**inputs, path: BY_KEY}),
        bad=example(kind, dict(inputs)),
    )


def is_log_bucket(bucket: Resource, plan: Plan) -> bool:
    """Whether AWS itself writes logs into the bucket, which it does under SSE-S3 only.

    (S3 user guide, "Enabling server access logging"; ELB, "Access logs for your ALB", 2026-11.)
    """
    balancers = "aws:lb/loadBalancer:LoadBalancer"
    targets = [("aws:s3/bucketLogging:BucketLogging", "targetBucket")]
    targets += [(balancers, f"{logs}.bucket") for logs in ("accessLogs", "connectionLogs")]
    return any(bucket in plan.source(r, path, BUCKET_TYPE) for kind, path in targets for r in plan.of(kind))


def _bucket_keys(resource: Resource, plan: Plan) -> Verdict:
    """Each rule of a bucket's encryption names a customer's key, but where AWS only writes under its own."""
    logs = any(is_log_bucket(b, plan) for b in plan.source(resource, "bucket", BUCKET_TYPE))

    def one(rule: Mapping[str, Any], place: str) -> Verdict:
        default: Mapping[str, Any] = rule.get("applyServerSideEncryptionByDefault") or {}
        algorithm = default.get("sseAlgorithm")
        if algorithm == "AES256" and logs:
            return PASS
        if algorithm not in ("aws:kms", "aws:kms:dsse"):
            return fail(f"{place} encrypts with {algorithm!r}, expected 'aws:kms'")
        return key_verdict(default.get("kmsMasterKeyId"), "rules", resource, plan)

    return each("rules", one)(resource, plan)


# Stores that the platform has none of yet: type → (input that turns encryption on, input that names the key).
OTHER_STORES: Final[Mapping[str, tuple[str, str]]] = {
    "aws:dynamodb/table:Table": ("serverSideEncryption.enabled", "serverSideEncryption.kmsKeyArn"),
    "aws:efs/fileSystem:FileSystem": ("encrypted", "kmsKeyId"),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("atRestEncryptionEnabled", "kmsKeyId"),
    "aws:opensearch/domain:Domain": ("encryptAtRest.enabled", "encryptAtRest.kmsKeyId"),
    "aws:redshift/cluster:Cluster": ("encrypted", "kmsKeyId"),
    "aws:docdb/cluster:Cluster": ("storageEncrypted", "kmsKeyId"),
    "aws:neptune/cluster:Cluster": ("storageEncrypted", "kmsKeyArn"),
    "aws:fsx/openZfsFileSystem:OpenZfsFileSystem": ("", "kmsKeyId"),
    "aws:kinesis/stream:Stream": ("", "kmsKeyId"),
    "aws:msk/cluster:Cluster": ("", "encryptionInfo.encryptionAtRestKmsKeyArn"),
    "aws:backup/vault:Vault": ("", "kmsKeyArn"),
    "aws:ebs/volume:Volume": ("encrypted", "kmsKeyId"),
    "aws:timestreamwrite/database:Database": ("", "kmsKeyId"),
}


def _other_store(resource: Resource, plan: Plan) -> Verdict:
    flag, key = OTHER_STORES[resource.type]
    checks: list[Check] = [customer_key(key)]
    if flag:
        checks.append(is_true(flag))
    return all_of(*checks)(resource, plan)


_DATABASE: Final = {"engine": "postgres", "instanceClass": "db.t4g.medium", "allocatedStorage": 20}
_RULES: Final = [
    {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": BY_KEY}}
]
_CLUSTER: Final = "aws:ecs/cluster:Cluster"
_PARAMETER: Final = "aws:ssm/parameter:Parameter"
_FUNCTION: Final = {
    "role": "arn:aws:iam::111122223333:role/example",
    "packageType": "Image",
    "imageUri": f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/example@sha256:{'0' * 64}",
    "environment": {"variables": {"LEVEL": "info"}},
}

RULES: Final = (
    Rule(
        id="database-encrypted",
        title="Databases and their snapshots are encrypted under a customer-managed key",
        types=(INSTANCE, "aws:rds/cluster:Cluster"),
        # A replica in its source's Region takes the source's key, and may name none.
        check=unless("replicateSourceDb", all_of(is_true("storageEncrypted"), customer_key("kmsKeyId"))),
        remedy=f"Set `storageEncrypted` and {_HOW_TOO}; an alias would replace the database.",
        controls=ENCRYPTION,
        good=example(INSTANCE, {**_DATABASE, "storageEncrypted": True, "kmsKeyId": BY_KEY}),
        bad=example(INSTANCE, {**_DATABASE, "storageEncrypted": False}),
    ),
    Rule(
        id="database-insights-encrypted",
        title="Performance Insights stores statements under a customer-managed key",
        types=(INSTANCE,),
        check=when(is_true("performanceInsightsEnabled"), customer_key("performanceInsightsKmsKeyId")),
        remedy=f"{_HOW} in `performanceInsightsKmsKeyId`.",
        controls=ENCRYPTION,
        good=example(
            INSTANCE,
            {**_DATABASE, "performanceInsightsEnabled": True, "performanceInsightsKmsKeyId": BY_KEY},
        ),
        bad=example(INSTANCE, {**_DATABASE, "performanceInsightsEnabled": True}),
    ),
    Rule(
        id="database-password-encrypted",
        title="A master password that RDS manages is kept under a customer-managed key",
        types=(INSTANCE, "aws:rds/cluster:Cluster"),
        check=when(is_true("manageMasterUserPassword"), customer_key("masterUserSecretKmsKeyId")),
        remedy=f"{_HOW} in `masterUserSecretKmsKeyId`.",
        controls=ENCRYPTION,
        good=example(
            INSTANCE,
            {**_DATABASE, "manageMasterUserPassword": True, "masterUserSecretKmsKeyId": BY_KEY},
        ),
        bad=example(INSTANCE, {**_DATABASE, "manageMasterUserPassword": True}),
    ),
    Rule(
        id="bucket-encrypted",
        title="Buckets encrypt under a customer-managed key",
        types=(ENCRYPTION_OF_BUCKET,),
        check=_bucket_keys,
        remedy="Encrypt with aws:kms and name the ARN of a KMS key; only a bucket that AWS writes access logs"
        " into may have AES256.",
        controls=ENCRYPTION,
        whole_plan=True,
        good=example(ENCRYPTION_OF_BUCKET, {"bucket": Ref("bucket", "id"), "rules": _RULES}, BUCKET),
        bad=example(
            ENCRYPTION_OF_BUCKET,
            {
                "bucket": Ref("bucket", "id"),
                "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
            },
            BUCKET,
        ),
    ),
    Rule(
        id="bucket-names-encryption",
        title="Every bucket has an explicit encryption setting",
        types=(BUCKET_TYPE,),
        check=companion(ENCRYPTION_OF_BUCKET, "bucket"),
        remedy="Give the bucket a BucketServerSideEncryptionConfiguration, as components.common.bucket does.",
        controls=ENCRYPTION,
        whole_plan=True,
        good=example(
            BUCKET_TYPE,
            BUCKET.inputs,
            KEY,
            after=(Made(ENCRYPTION_OF_BUCKET, "encryption", {"bucket": Ref("it", "id"), "rules": _RULES}),),
        ),
        bad=example(BUCKET_TYPE, BUCKET.inputs),
    ),
    keyed("secret-encrypted", "aws:secretsmanager/secret:Secret", "kmsKeyId", "Secrets are encrypted"),
    keyed("topic-encrypted", "aws:sns/topic:Topic", "kmsMasterKeyId", "Topics are encrypted"),
    keyed("queue-encrypted", "aws:sqs/queue:Queue", "kmsMasterKeyId", "Queues are encrypted"),
    keyed("log-group-encrypted", "aws:cloudwatch/logGroup:LogGroup", "kmsKeyId", "Logs are encrypted"),
    keyed(
        "trail-encrypted",
        "aws:cloudtrail/trail:Trail",
        "kmsKeyId",
        "The audit trail is encrypted",
        {"s3BucketName": "an-example-bucket", "name": "example"},
    ),
    Rule(
        id="volumes-encrypted-by-default",
        title="EBS volumes are encrypted by default, whoever creates them",
        types=("aws:ebs/encryptionByDefault:EncryptionByDefault",),
        check=is_true("enabled", default=True),
        remedy="Leave EBS encryption by default on.",
        controls=ENCRYPTION,
        good=example("aws:ebs/encryptionByDefault:EncryptionByDefault", {"enabled": True}),
        bad=example("aws:ebs/encryptionByDefault:EncryptionByDefault", {"enabled": False}),
    ),
    Rule(
        id="function-environment-encrypted",
        title="Functions' environments are encrypted under a customer-managed key",
        types=("aws:lambda/function:Function",),
        check=when(present("environment.variables"), customer_key("kmsKeyArn")),
        remedy=f"{_HOW} in `kmsKeyArn`.",
        controls=ENCRYPTION,
        good=example("aws:lambda/function:Function", {**_FUNCTION, "kmsKeyArn": BY_KEY}),
        bad=example("aws:lambda/function:Function", _FUNCTION),
    ),
    Rule(
        id="parameter-encrypted",
        title="Secret parameters are encrypted under a customer-managed key",
        types=(_PARAMETER,),
        check=when(one_of("type", "SecureString"), customer_key("keyId")),
        remedy=f"{_HOW} in `keyId`.",
        controls=ENCRYPTION,
        good=example(_PARAMETER, {"type": "SecureString", "value": "x", "keyId": BY_KEY}),
        bad=example(_PARAMETER, {"type": "SecureString", "value": "x", "keyId": f"{AWS_KEY}ssm"}),
    ),
    Rule(
        id="exec-session-encrypted",
        title="Sessions in containers are encrypted under a customer-managed key",
        types=(_CLUSTER,),
        check=customer_key("configuration.executeCommandConfiguration.kmsKeyId"),
        remedy=f"{_HOW} in `configuration.executeCommandConfiguration.kmsKeyId`.",
        controls=ENCRYPTION,
        good=example(
            _CLUSTER,
            {"configuration": {"executeCommandConfiguration": {"kmsKeyId": BY_KEY, "logging": "DEFAULT"}}},
        ),
        bad=example(_CLUSTER, {}),
    ),
    Rule(
        id="store-encrypted",
        title="Every other store is encrypted under a customer-managed key",
        types=tuple(OTHER_STORES),
        check=_other_store,
        remedy=f"Turn encryption at rest on and {_HOW_TOO}.",
        controls=ENCRYPTION,
        good=example(
            "aws:ebs/volume:Volume",
            {"availabilityZone": "eu-west-1a", "size": 8, "encrypted": True, "kmsKeyId": BY_KEY},
        ),
        bad=example("aws:ebs/volume:Volume", {"availabilityZone": "eu-west-1a", "size": 8}),
    ),
)
