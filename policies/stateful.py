"""Which resource types hold data that no code can create again, or watch over what does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_DATABASE: Final = (
    "make a second one beside it, move the data, and let the old one go in a later change;"
    " a new major version or another key is a restored snapshot"
)
_SECRET: Final = "keep the name; a new value is a new version of the secret that there is"  # noqa: S105
_BUCKET: Final = "make a second bucket, copy every version, and let the old one go in a later change"
_KEY: Final = "what it encrypted, backups too, can never be read again; make a new key and encrypt anew first"
_SIGN_IN: Final = "whoever uses it is locked out until they are given another; make the second one first"
_FILES: Final = "restore a backup into a second one, and let the old one go in a later change"
_WATCH: Final = (
    "where an organization takes it over, deploy once with `tenantry:detection: handover`, which leaves it on"
)
_COPY: Final = "let the next one be complete before this one goes"


@dataclass(frozen=True, slots=True)
class Stateful:
    """What a type holds, and what to do instead of replacing it.

    `protect`: whether the engine's own protection is asked for in prod. `subscribers`: what has to be there
    for it to hold anything.
    """

    holds: str
    instead: str
    protect: bool = True
    subscribers: tuple[str, str] | None = None  # the type that makes it hold data, and the input naming it


STATEFUL: Final[Mapping[str, Stateful]] = {
    "aws:rds/instance:Instance": Stateful("a database", _DATABASE),
    "aws:rds/cluster:Cluster": Stateful("a database", _DATABASE),
    "aws:rds/clusterInstance:ClusterInstance": Stateful("a database", _DATABASE),
    "aws:dynamodb/table:Table": Stateful("a table", _DATABASE),
    "aws:docdb/cluster:Cluster": Stateful("a database", _DATABASE),
    "aws:neptune/cluster:Cluster": Stateful("a database", _DATABASE),
    "aws:redshift/cluster:Cluster": Stateful("a warehouse", _DATABASE),
    "aws:redshiftserverless/namespace:Namespace": Stateful("a warehouse", _DATABASE),
    "aws:opensearch/domain:Domain": Stateful("an index", _DATABASE),
    "aws:opensearch/serverlessCollection:ServerlessCollection": Stateful("an index", _DATABASE),
    "aws:elasticache/replicationGroup:ReplicationGroup": Stateful("a store", _DATABASE),
    "aws:elasticache/serverlessCache:ServerlessCache": Stateful("a store", _DATABASE),
    "aws:memorydb/cluster:Cluster": Stateful("a store", _DATABASE),
    "aws:keyspaces/table:Table": Stateful("a table", _DATABASE),
    "aws:timestreamwrite/table:Table": Stateful("a table", _DATABASE),
    "aws:rds/globalCluster:GlobalCluster": Stateful("a database", _DATABASE),
    "aws:kms/key:Key": Stateful("a key", _KEY),
    "aws:kms/replicaKey:ReplicaKey": Stateful("a key", _KEY),
    "aws:kms/externalKey:ExternalKey": Stateful("a key", _KEY),
    "aws:s3/bucket:Bucket": Stateful("objects", _BUCKET),
    "aws:secretsmanager/secret:Secret": Stateful("a secret", _SECRET, protect=False),
    "aws:cognito/userPool:UserPool": Stateful("clients and users", "their ids and secrets are gone for good"),
    "aws:cognito/userPoolClient:UserPoolClient": Stateful("a sign-in", _SIGN_IN, protect=False),
    "aws:apigateway/apiKey:ApiKey": Stateful("a sign-in", _SIGN_IN, protect=False),
    "aws:ebs/volume:Volume": Stateful("a volume", _FILES),
    "aws:efs/fileSystem:FileSystem": Stateful("files", _FILES),
    "aws:fsx/openZfsFileSystem:OpenZfsFileSystem": Stateful("files", _FILES),
    "aws:fsx/ontapFileSystem:OntapFileSystem": Stateful("files", _FILES),
    "aws:fsx/lustreFileSystem:LustreFileSystem": Stateful("files", _FILES),
    "aws:fsx/windowsFileSystem:WindowsFileSystem": Stateful("files", _FILES),
    "aws:backup/vault:Vault": Stateful("backups", _FILES),
    "aws:rds/snapshot:Snapshot": Stateful("a backup", _COPY, protect=False),
    "aws:rds/clusterSnapshot:ClusterSnapshot": Stateful("a backup", _COPY, protect=False),
    "aws:ebs/snapshot:Snapshot": Stateful("a backup", _COPY, protect=False),
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": Stateful(
        "backups in a second Region", _COPY, protect=False
    ),
    "aws:ecr/repository:Repository": Stateful("images that run", "push them to the new one first"),
    "aws:acmpca/certificateAuthority:CertificateAuthority": Stateful("a certificate authority", _KEY),
    "aws:guardduty/detector:Detector": Stateful("findings, and watches the account", _WATCH, protect=False),
    "aws:securityhub/account:Account": Stateful("findings, and watches the account", _WATCH, protect=False),
    "aws:cloudtrail/trail:Trail": Stateful("the audit trail", "change it in place", protect=False),
    "aws:cloudwatch/logGroup:LogGroup": Stateful(
        "logs", "keep the name, or export the logs before", protect=False
    ),
    "aws:msk/cluster:Cluster": Stateful("messages", "let the consumers empty it before"),
    "aws:mq/broker:Broker": Stateful("messages", "let the consumers empty it before"),
    "aws:kinesis/stream:Stream": Stateful("messages", "let the consumers empty it before", protect=False),
    "aws:sqs/queue:Queue": Stateful("messages", "let the consumers empty it before", protect=False),
    "aws:sns/topic:Topic": Stateful(
        "subscriptions, which only the subscribers can confirm again",
        "keep the name",
        protect=False,
        subscribers=("aws:sns/topicSubscription:TopicSubscription", "topic"),
    ),
    "aws:route53/zone:Zone": Stateful("names", "make the new zone first and delegate to it", protect=False),
}
