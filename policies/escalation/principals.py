"""The roles of a plan, with their policies, permissions boundary and trust policy."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from iam.documents import Document, DocumentError, parse
from policies.escalation.conditions import ABSENT, Facts
from policies.escalation.managed import DOCUMENTS, is_managed
from policies.model import UNKNOWN, Plan, Resource
from policies.plan_documents import PolicyDocument, policy_documents
from policies.tags import known_tags_of

ROLE: Final = "aws:iam/role:Role"
POLICY: Final = "aws:iam/policy:Policy"
INLINE: Final = "aws:iam/rolePolicy:RolePolicy"
LATE: Final = ", which is not known before the update"
ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ATTACHMENT_OF_MANY: Final = "aws:iam/policyAttachment:PolicyAttachment"
# The ARN of what has a name that was chosen: it is known before the resource is.
_PLANNED: Final = {
    "aws:iam/role:Role": ("name", "arn:aws:iam::{account}:role{path}{name}"),
    "aws:iam/policy:Policy": ("name", "arn:aws:iam::{account}:policy{path}{name}"),
    "aws:iam/user:User": ("name", "arn:aws:iam::{account}:user{path}{name}"),
    "aws:iam/group:Group": ("name", "arn:aws:iam::{account}:group{path}{name}"),
    "aws:s3/bucket:Bucket": ("bucket", "arn:aws:s3:::{name}"),
    "aws:sns/topic:Topic": ("name", "arn:aws:sns:{region}:{account}:{name}"),
    "aws:sqs/queue:Queue": ("name", "arn:aws:sqs:{region}:{account}:{name}"),
    "aws:ssm/parameter:Parameter": ("name", "arn:aws:ssm:{region}:{account}:parameter{name}"),
    # Secrets Manager adds a dash and six characters to the name.
    "aws:secretsmanager/secret:Secret": (
        "name",
        "arn:aws:secretsmanager:{region}:{account}:secret:{name}-AAAAAA",
    ),
    "aws:dynamodb/table:Table": ("name", "arn:aws:dynamodb:{region}:{account}:table/{name}"),
    "aws:lambda/function:Function": ("name", "arn:aws:lambda:{region}:{account}:function:{name}"),
    "aws:codebuild/project:Project": ("name", "arn:aws:codebuild:{region}:{account}:project/{name}"),
    "aws:glue/job:Job": ("name", "arn:aws:glue:{region}:{account}:job/{name}"),
    "aws:glue/devEndpoint:DevEndpoint": ("name", "arn:aws:glue:{region}:{account}:devEndpoint/{name}"),
    "aws:ecs/taskDefinition:TaskDefinition": (
        "family",
        "arn:aws:ecs:{region}:{account}:task-definition/{name}:1",
    ),
    "aws:sagemaker/notebookInstance:NotebookInstance": (
        "name",
        "arn:aws:sagemaker:{region}:{account}:notebook-instance/{name}",
    ),
    "aws:cloudformation/stack:Stack": ("name", "arn:aws:cloudformation:{region}:{account}:stack/{name}/id"),
    "aws:sfn/stateMachine:StateMachine": ("name", "arn:aws:states:{region}:{account}:stateMachine:{name}"),
}


@lru_cache(maxsize=4)
def region_and_account(plan: Plan) -> tuple[str, str]:
    """Region and account of a plan: as its settings say, else as most of the ARNs that are known."""
    region, account = plan.setting("region"), plan.setting("accountId")
    if region and account:
        return region, account
    known = (str(r.identity.get("arn", "")).split(":") for r in plan.resources)
    places = Counter((arn[3], arn[4]) for arn in known if len(arn) > 5 and arn[3] and arn[4])
    found = places.most_common(1)[0][0] if places else ("", "")
    return region or found[0], account or found[1]


def arns_of(resource: Resource, plan: Plan) -> frozenset[str]:
    """All ARNs that a policy may name a resource by: the one it has, and the one that its name gives it."""
    known = {v for v in (resource.identity.get("arn"), resource.get("arn")) if isinstance(v, str) and v}
    path, form = _PLANNED.get(resource.type, ("", ""))
    name = resource.get(path) if path else None
    if isinstance(name, str):
        folder = resource.get("path", "/")
        known.add(
            form.format(
                name=name,
                region=region_and_account(plan)[0],
                account=region_and_account(plan)[1],
                path=folder if isinstance(folder, str) else "/",
            )
        )
    return frozenset(known)


@lru_cache(maxsize=4)
def _by_arn(plan: Plan) -> Mapping[str, Resource]:
    """Roles and policies by each of their ARNs. Plans compare by identity, so each is looked through once."""
    return {arn: r for r in plan.of(ROLE, POLICY) for arn in arns_of(r, plan)}


def resources_named_by(resource: Resource, path: str, kind: str, plan: Plan) -> tuple[Resource, ...]:
    """The roles or policies that an input names: by what there is, or by the ARN that they will have."""
    found = plan.source(resource, path, kind)
    planned = _by_arn(plan).get(text) if isinstance(text := resource.get(path), str) else None
    return found or ((planned,) if planned is not None and planned.type == kind else ())


def documents(resource: Resource, *kinds: str) -> tuple[PolicyDocument, ...]:
    """The documents of these kinds that a resource holds. Raises `DocumentError`, which says whose it is."""
    try:
        return tuple(policy_documents(resource, *kinds))
    except DocumentError as wrong:
        raise DocumentError(f"{resource.label}: its policy cannot be read: {wrong}") from None


def read(resource: Resource, text: str) -> Document:
    """A document of a resource. Raises `DocumentError`, which says whose it is."""
    try:
        return parse(text)
    except DocumentError as wrong:
        raise DocumentError(f"{resource.label}: its policy cannot be read: {wrong}") from None


@dataclass(frozen=True, slots=True, eq=False)
class Role:
    """A role as the plan makes it. `boundary` is None where it has none."""

    resource: Resource
    arns: frozenset[str]
    tenant: str
    identity: Document
    attached: frozenset[str]  # ARNs and URNs of its managed policies, the boundary apart
    boundary: Document | None
    boundary_names: frozenset[str]  # ARN and URN of the boundary
    trust: Document
    unclear: tuple[str, ...]  # what of it is not known before the update
    whole: bool  # whether all of its own policies are known
    facts: Facts  # of every request that it makes
    tags: Mapping[str, str]  # as far as they are known
    may_trust: frozenset[str]  # URNs of roles that an unknown trust policy is made of

    @property
    def name(self) -> str:
        name = self.resource.get("name")
        return name if isinstance(name, str) else self.resource.name

    @property
    def workload(self) -> bool:
        """Whether an AWS service, and so the code that runs on it, acts as this role."""
        return any(s.allow and "Service" in s.principals for s in self.trust)


def roles(plan: Plan) -> tuple[Role, ...]:
    """Every role of the plan. Raises `DocumentError` for a policy that is none."""
    return tuple(_role(r, plan) for r in plan.of(ROLE))


def _role(resource: Resource, plan: Plan) -> Role:
    trust, trust_doubts = _told([(resource, part) for part in documents(resource, "trust")])
    holders = (resource, *plan.attached(resource, INLINE, "role")[0])
    identity, own_doubts = _told([(h, part) for h in holders for part in documents(h, "identity")])
    names, managed, doubts = _managed(resource, plan)
    boundary, boundary_names, doubt = _boundary(resource, plan)
    return Role(
        resource=resource,
        arns=arns_of(resource, plan),
        tenant=plan.tenant_of(resource),
        identity=(*identity, *(s for d in managed for s in d)),
        attached=names,
        boundary=boundary,
        boundary_names=boundary_names,
        trust=trust,
        unclear=(*trust_doubts, *own_doubts, *doubts, *doubt),
        whole=not (own_doubts or doubts),
        facts=_facts(resource, plan),
        tags=known_tags_of(resource, plan),
        may_trust=_named_by_trust(resource, plan),
    )


def _told(parts: Sequence[tuple[Resource, PolicyDocument]]) -> tuple[Document, list[str]]:
    """The statements that are known, and what is not."""
    doubts = [f"{part.path} of {holder.label}{LATE}" for holder, part in parts if part.statements is None]
    return tuple(s for _, part in parts for s in part.statements or ()), doubts


def _managed(role: Resource, plan: Plan) -> tuple[frozenset[str], list[Document], list[str]]:
    """Names and documents of attached policies, and which of them cannot be read."""
    names: set[str] = set()
    found: list[Document] = []
    unclear: list[str] = []
    for arn, policies, where in _attached(role, plan):
        if policies:
            names |= {p.urn for p in policies} | {a for p in policies for a in arns_of(p, plan)}
            for p in policies:
                text = p.get("policy", UNKNOWN)
                found.append(() if text is UNKNOWN else read(p, str(text)))
                unclear += [f"policy of {p.label}{LATE}"] if text is UNKNOWN else []
        elif arn in DOCUMENTS:
            names.add(arn)
            found.append(DOCUMENTS[arn])
        else:
            names |= {arn} - {""}
            unclear.append(f"{arn or 'a policy'}, attached by {where}, whose text is not in the plan")
    return frozenset(names), found, unclear


def _attached(role: Resource, plan: Plan) -> Iterator[tuple[str, tuple[Resource, ...], str]]:
    """ARN ("" if not known), planned policies, and where it says so."""
    many = [
        found
        for found in plan.of(ATTACHMENT_OF_MANY)
        if (listed := found.get("roles", ())) is UNKNOWN
        or any(role in (*plan.named(one, ROLE), _by_arn(plan).get(one)) for one in listed)
        or role.urn in found.sources.get("roles", ())
    ]
    for found in (*plan.attached(role, ATTACHMENT, "role")[0], *many):
        arn = found.get("policyArn")
        yield (
            arn if isinstance(arn, str) else "",
            resources_named_by(found, "policyArn", POLICY, plan),
            found.label,
        )
    listed = role.get("managedPolicyArns", ())
    for arn in () if listed is UNKNOWN else listed:
        known = _by_arn(plan).get(arn) if isinstance(arn, str) else None
        yield arn if isinstance(arn, str) else "", (known,) if known else (), role.label


def _boundary(role: Resource, plan: Plan) -> tuple[Document | None, frozenset[str], list[str]]:
    """A boundary whose text is not known confines nothing that could be relied on."""
    given = role.get("permissionsBoundary")
    if given is None:
        return None, frozenset(), []
    for policy in resources_named_by(role, "permissionsBoundary", POLICY, plan):
        text = policy.get("policy", UNKNOWN)
        names = frozenset({policy.urn, *arns_of(policy, plan)})
        if text is not UNKNOWN:
            return read(policy, str(text)), names, []
        return None, names, [f"policy of {policy.label}, the boundary of {role.label}{LATE}"]
    arn = given if isinstance(given, str) else ""
    if arn in DOCUMENTS:
        return DOCUMENTS[arn], frozenset({arn}), []
    what = "one of AWS's own that is not known here" if is_managed(arn) else "not in the plan"
    return None, frozenset({arn} - {""}), [f"the boundary of {role.label}, {what}"]


def _facts(role: Resource, plan: Plan) -> Facts:
    account = region_and_account(plan)[1]
    facts: dict[str, tuple[str, ...]] = dict.fromkeys(ABSENT, ())
    facts |= {
        "aws:principalarn": tuple(sorted(arns_of(role, plan))),
        "aws:principaltype": ("AssumedRole",),
        "aws:principalisawsservice": ("false",),
        "aws:viaawsservice": ("false",),
        "kms:grantisforawsresource": ("false",),
        "kms:viaservice": (),
    }
    if account:
        facts |= {"aws:principalaccount": (account,), "kms:calleraccount": (account,)}
    return facts


def _named_by_trust(role: Resource, plan: Plan) -> frozenset[str]:
    made_of = role.sources.get("assumeRolePolicy", ())
    known = (plan.by_urn.get(urn) for urn in made_of)
    return frozenset(r.urn for r in known if r is not None and r.type == ROLE)
