"""Which inputs of which resource types hold IAM policy documents, and of what kind."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from iam.documents import Document, parse
from policies.model import UNKNOWN, Plan, Resource

# Which inputs hold policy documents, and of what kind: who may do something to the resource
# Which inputs hold policy documents, and of what kind: who may do something to the resource
# (`resource`), what a role may do (`identity`), who may assume it (`trust`).
PLACES: Final[Mapping[str, Mapping[str, str]]] = {
    "aws:iam/policy:Policy": {"policy": "identity"},
    "aws:iam/rolePolicy:RolePolicy": {"policy": "identity"},
    "aws:iam/userPolicy:UserPolicy": {"policy": "identity"},
    "aws:iam/groupPolicy:GroupPolicy": {"policy": "identity"},
    "aws:iam/role:Role": {"assumeRolePolicy": "trust"},
    "aws:kms/key:Key": {"policy": "resource"},
    "aws:kms/keyPolicy:KeyPolicy": {"policy": "resource"},
    "aws:s3/bucketPolicy:BucketPolicy": {"policy": "resource"},
    "aws:secretsmanager/secret:Secret": {"policy": "resource"},
    "aws:secretsmanager/secretPolicy:SecretPolicy": {"policy": "resource"},
    "aws:sns/topic:Topic": {"policy": "resource"},
    "aws:sns/topicPolicy:TopicPolicy": {"policy": "resource"},
    "aws:sqs/queue:Queue": {"policy": "resource"},
    "aws:sqs/queuePolicy:QueuePolicy": {"policy": "resource"},
    "aws:ecr/repositoryPolicy:RepositoryPolicy": {"policy": "resource"},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"policy": "endpoint"},
    "aws:backup/vaultPolicy:VaultPolicy": {"policy": "resource"},
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": {"policyDocument": "resource"},
    "aws:apigateway/restApiPolicy:RestApiPolicy": {"policy": "resource"},
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": {"policy": "resource"},
    "aws:dynamodb/resourcePolicy:ResourcePolicy": {"policy": "resource"},
    "aws:ecr/registryPolicy:RegistryPolicy": {"policy": "resource"},
    "aws:efs/fileSystemPolicy:FileSystemPolicy": {"policy": "resource"},
    "aws:kinesis/resourcePolicy:ResourcePolicy": {"policy": "resource"},
    "aws:opensearch/domainPolicy:DomainPolicy": {"accessPolicies": "resource"},
    "aws:s3control/accessPointPolicy:AccessPointPolicy": {"policy": "resource"},
}


def types_with_documents(*kinds: str) -> tuple[str, ...]:
    """The types that hold documents of these kinds."""
    return tuple(t for t, those in PLACES.items() if set(those.values()) & set(kinds))


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A document in a resource's input; None where it is not known yet."""

    path: str
    kind: str
    statements: Document | None


def policy_documents(resource: Resource, *kinds: str) -> Iterator[PolicyDocument]:
    """The documents of these kinds that a resource holds, a role's own inline policies included.

    Raises `DocumentError` for one that is none.
    """
    for path, kind in PLACES.get(resource.type, {}).items():
        text = resource.get(path)
        if kind in kinds and text is not None:
            yield PolicyDocument(path, kind, None if text is UNKNOWN else parse(str(text)))
    if resource.type == "aws:iam/role:Role" and "identity" in kinds:
        inline = resource.get("inlinePolicies", ())
        if inline is UNKNOWN:
            yield PolicyDocument("inlinePolicies", "identity", None)
            return
        for i, one in enumerate(cast("list[Any]", inline)):
            text = cast("Mapping[str, Any]", one).get("policy") if isinstance(one, Mapping) else UNKNOWN
            path = f"inlinePolicies[{i}].policy"
            yield PolicyDocument(path, "identity", None if text is UNKNOWN else parse(str(text)))


def trusted_accounts(plan: Plan) -> frozenset[str]:
    """The accounts that the plan looks after: its settings' one, and those that its providers may enter."""
    entered = [str(p.get("allowedAccountIds", "")) for p in plan.of("pulumi:providers:aws")]
    texts = [plan.setting("accountId"), *entered]  # a provider's are JSON text
    return frozenset(number for text in texts for number in re.findall(r"(?<!\d)\d{12}(?!\d)", text))
