"""Rules on policy documents: syntax and size.

Sizes: IAM and STS quotas (managed policy 6,144 characters, inline policies of a role together 10,240, a
trust policy 2,048 and 4,096 where raised; white space does not count), SCP 5,120 with white space (AWS
Organizations quotas), KMS key policy 32 KB, bucket policy 20 KB, secret's policy 20,480; all 2026-11.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from iam.documents import ELEMENTS, EXCLUSIVE
from sandbox.aws.refusals.rule import CREATE, INPUTS, Refusal, RuleContext, rule
from sandbox.aws.templates import UNKNOWN

ROLE, ROLE_POLICY, POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"
ORGANIZATION: Final = "aws:organizations/policy:Policy"
MALFORMED: Final = "MalformedPolicyDocument"
INLINE_TOTAL: Final = 10_240
# Type and input → characters allowed, whether white space counts, the codes of no policy and of one too long.
DOCUMENTS: Final[dict[tuple[str, str], tuple[int, bool, str, str]]] = {
    (ROLE, "assumeRolePolicy"): (2_048, False, MALFORMED, "LimitExceeded"),
    (POLICY, "policy"): (6_144, False, MALFORMED, "LimitExceeded"),
    (ROLE_POLICY, "policy"): (INLINE_TOTAL, False, MALFORMED, "LimitExceeded"),
    (ORGANIZATION, "content"): (
        5_120,
        True,
        "MalformedPolicyDocumentException",
        "ConstraintViolationException",
    ),
    ("aws:kms/key:Key", "policy"): (
        32_768,
        True,
        "MalformedPolicyDocumentException",
        "LimitExceededException",
    ),
    ("aws:s3/bucketPolicy:BucketPolicy", "policy"): (20_480, True, "MalformedPolicy", "PolicyTooLarge"),
    ("aws:secretsmanager/secret:Secret", "policy"): (
        20_480,
        True,
        "MalformedPolicyDocumentException",
        "InvalidParameterException",
    ),
    ("aws:secretsmanager/secretPolicy:SecretPolicy", "policy"): (
        20_480,
        True,
        "MalformedPolicyDocumentException",
        "InvalidParameterException",
    ),
    ("aws:sns/topic:Topic", "policy"): (30_720, True, "InvalidParameter", "InvalidParameter"),
    ("aws:sns/topicPolicy:TopicPolicy", "policy"): (30_720, True, "InvalidParameter", "InvalidParameter"),
    ("aws:sqs/queuePolicy:QueuePolicy", "policy"): (
        8_192,
        True,
        "InvalidAttributeValue",
        "InvalidAttributeValue",
    ),
    ("aws:sqs/queue:Queue", "policy"): (8_192, True, "InvalidAttributeValue", "InvalidAttributeValue"),
    ("aws:ecr/repositoryPolicy:RepositoryPolicy", "policy"): (
        10_240,
        True,
        "InvalidParameterException",
        "InvalidParameterException",
    ),
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "policy"): (
        20_480,
        True,
        "InvalidPolicyDocument",
        "InvalidPolicyDocument",
    ),
    ("aws:cloudwatch/logResourcePolicy:LogResourcePolicy", "policyDocument"): (
        5_120,
        True,
        "InvalidParameterException",
        "LimitExceededException",
    ),
}
# Policies of an organization that manage (tags, backups …) are no IAM documents, and have a length of
# their own (AWS Organizations quotas, 2026-11).
SCP: Final = "SERVICE_CONTROL_POLICY"
MANAGEMENT: Final = 10_000
IDENTITY: Final = {POLICY, ROLE_POLICY, ORGANIZATION}  # whose statements name no principal
ENDPOINTS: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"


def _size(text: str, spaces: bool) -> int:
    return len(text) if spaces else len("".join(text.split()))


def _asks(token: str, key: str) -> None:
    limit, spaces, malformed, too_long = DOCUMENTS[token, key]

    def policy_document(at: RuleContext) -> Iterator[Refusal]:
        text = at.known(key)
        if not isinstance(text, str) or UNKNOWN in text:
            return
        other = at.known("type") if token == ORGANIZATION else None
        most, problems = (
            (limit, _problems(token, text)) if other in (None, SCP) else (MANAGEMENT, _no_json(text))
        )
        for words in problems:
            yield Refusal(malformed, words, key)
        if _size(text, spaces) > most:
            yield Refusal(too_long, f"Cannot exceed quota for {key}: {most}", key)

    rule(INPUTS, token, checks=(key,))(policy_document)


for _token, _key in DOCUMENTS:
    _asks(_token, _key)


def _no_json(text: str) -> Iterator[str]:
    try:
        json.loads(text)
    except ValueError:
        yield "The provided policy document does not meet the requirements of the specified policy type."


def _problems(token: str, text: str) -> Iterator[str]:
    try:
        document = json.loads(text)
    except ValueError:
        yield "This policy contains invalid Json"
        return
    policy = cast("Mapping[str, Any]", document if isinstance(document, dict) else {})
    given = policy.get("Statement")
    statements = cast("list[Any]", given if isinstance(given, list) else [given])
    if not isinstance(given, list | dict) or not statements:
        yield "Syntax errors in policy: it must contain at least one Statement"
        return
    if policy.get("Version", "2012-10-17") not in ("2012-10-17", "2008-10-17"):
        yield "The policy must contain a valid version string"
    for statement in statements:
        yield from _of_statement(token, statement)
    objects = [cast("Mapping[str, Any]", s) for s in statements if isinstance(s, dict)]
    sids = [s["Sid"] for s in objects if s.get("Sid")]
    if len(sids) != len(set(sids)):
        yield "Statement IDs (SID) in a single policy must be unique."


def _wrong_elements(statement: Mapping[str, Any]) -> Iterator[str]:
    """IAM user guide, "Grammar of the IAM JSON policy language", 2026-11."""
    for element in sorted(statement.keys() - ELEMENTS):
        yield f"Syntax errors in policy: {element} is no element of a statement"
    for one, other in EXCLUSIVE:
        if {one, other} <= statement.keys():
            yield f"Syntax errors in policy: {one} and {other} exclude each other"


def _of_statement(token: str, found: Any) -> Iterator[str]:
    if not isinstance(found, dict):
        yield "Syntax errors in policy: a Statement must be an object"
        return
    statement = cast("Mapping[str, Any]", found)
    yield from _wrong_elements(statement)
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield "Syntax errors in policy: Effect must be Allow or Deny"
    if not (statement.get("Action") or statement.get("NotAction")):
        yield "Policy statement must contain actions."
    is_trust = token == ROLE
    if token in IDENTITY and {"Principal", "NotPrincipal"} & statement.keys():
        yield "Policy document should not specify a principal."
    if token not in IDENTITY and not (statement.get("Principal") or statement.get("NotPrincipal")):
        yield "Policy document must specify a principal."
    if is_trust and {"Resource", "NotResource"} & statement.keys():
        yield "Has prohibited field Resource"
    if token in IDENTITY and not (statement.get("Resource") or statement.get("NotResource")):
        yield "Policy statement must contain resources."


@rule(CREATE, ROLE_POLICY, checks=("policy",))
def check_inline_policies_size(at: RuleContext) -> Iterator[Refusal]:
    """All inline policies of a role share one allowance."""
    role = at.known("role")
    texts = [str(r.inputs.get("policy", "")) for r in at.others(ROLE_POLICY, role=role)]
    if sum(_size(t, False) for t in (*texts, str(at.known("policy") or ""))) > INLINE_TOTAL:
        words = f"Maximum policy size of {INLINE_TOTAL} bytes exceeded for role {role}"
        yield Refusal("LimitExceeded", words, "policy")
