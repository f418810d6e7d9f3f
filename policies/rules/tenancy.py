"""Rules on tenants: a tenant's resources name nothing of another tenant, and admit no other tenant."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from iam.documents import DocumentError, Statement
from iam.patterns import overlap
from policies.control_ids import TENANCY as CONTROLS
from policies.model import PASS, UNKNOWN, Plan, Resource, Verdict, cannot_tell, fail, worst
from policies.plan_documents import PolicyDocument, policy_documents, types_with_documents
from policies.rule import Example, Made, Rule

TYPES: Final = types_with_documents("identity", "trust", "resource")
# The ARN of what has a name that was chosen: it is known before the resource is.
_PLANNED: Final[Mapping[str, tuple[str, str]]] = {
    "aws:s3/bucket:Bucket": ("bucket", "arn:aws:s3:::{name}"),
    "aws:iam/role:Role": ("name", "arn:aws:iam::{account}:role/{name}"),
    "aws:sns/topic:Topic": ("name", "arn:aws:sns:{region}:{account}:{name}"),
    "aws:sqs/queue:Queue": ("name", "arn:aws:sqs:{region}:{account}:{name}"),
    "aws:ssm/parameter:Parameter": ("name", "arn:aws:ssm:{region}:{account}:parameter{name}"),
    "aws:secretsmanager/secret:Secret": (
        "name",
        "arn:aws:secretsmanager:{region}:{account}:secret:{name}-??????",
    ),
    "aws:cloudwatch/logGroup:LogGroup": ("name", "arn:aws:logs:{region}:{account}:log-group:{name}"),
    "aws:rds/instance:Instance": ("identifier", "arn:aws:rds:{region}:{account}:db:{name}"),
    "aws:lambda/function:Function": ("name", "arn:aws:lambda:{region}:{account}:function:{name}"),
}
# What is inside of a thing has an ARN of its own.
_INSIDE: Final[Mapping[str, str]] = {
    "aws:s3/bucket:Bucket": "/*",
    "aws:cloudwatch/logGroup:LogGroup": ":*",
    "aws:lambda/function:Function": ":*",
}
# Actions that name no thing, or tell names alone (service authorization reference, 2026-11).
_HARMLESS: Final = re.compile(
    r"[a-z0-9-]+:Describe[A-Za-z]+|xray:Put(TraceSegments|TelemetryRecords)|ecr:GetAuthorizationToken"
    r"|cloudwatch:PutMetricData|sts:GetCallerIdentity|tag:GetResources"
)


@dataclass(frozen=True, slots=True)
class OwnedResource:
    """Something of a tenant's that a policy could name, by a pattern of its ARN."""

    tenant: str
    arn: str
    head: str  # the ARN up to its first wildcard
    label: str


def arns_of(resource: Resource, plan: Plan) -> Iterator[str]:
    """Patterns of the ARNs of a resource and of what is in it, as it is and as its planned name says."""
    found: set[str] = set()
    known = resource.identity.get("arn")
    if isinstance(known, str):
        found.add(known)
    path, form = _PLANNED.get(resource.type, ("", ""))
    name = resource.get(path) if path else None
    if isinstance(name, str):
        found.add(form.format(name=name, region=plan.setting("region"), account=plan.setting("accountId")))
    for arn in sorted(found):
        yield arn
        if resource.type in _INSIDE:
            yield arn + _INSIDE[resource.type]


class TenantInventory:
    """What the tenants of a plan have, and how they are called."""

    def __init__(self, plan: Plan) -> None:
        self.things = tuple(
            OwnedResource(tenant, arn, _head(arn), r.label)
            for r in plan.resources
            if (tenant := plan.tenant_of(r))
            for arn in arns_of(r, plan)
        )
        # The longest first: an id may hold another one (`acme` in `acme-pay`). Databases have `_` for `-`.
        ids = sorted(plan.tenants, key=len, reverse=True)
        written = "|".join(re.escape(i).replace(r"\-", "[-_]") for i in ids)
        self._called = re.compile(rf"(?<![a-z0-9])({written})(?![a-z0-9])") if ids else None

    def tenants_named_in(self, text: str) -> set[str]:
        """The tenants whose ids stand in a text."""
        return {m.replace("_", "-") for m in self._called.findall(text)} if self._called else set()

    def of_others(self, text: str, tenant: str) -> OwnedResource | None:
        """The first thing of another tenant that a pattern of ARNs may mean."""
        head = _head(text)
        for thing in self.things:
            near = thing.head.startswith(head) or head.startswith(thing.head)
            if near and thing.tenant != tenant and overlap(text, thing.arn):
                return thing
        return None


def _head(arn: str) -> str:
    return re.split(r"[*?]|\$\{", arn, maxsplit=1)[0]


@lru_cache(maxsize=4)
def tenant_inventory(plan: Plan) -> TenantInventory:
    """Plans compare by identity, so each is looked through once."""
    return TenantInventory(plan)


def _others(statement: Statement, tenant: str, kind: str, plan: Plan) -> str | None:
    """The first thing of another tenant that a statement of `tenant` gives away, or takes."""
    if not statement.allow:
        return None
    if kind == "identity" and ("*" in statement.resources or statement.not_resources):
        return _anything(statement, tenant)
    for text in (*statement.resources, *(p for those in statement.principals.values() for p in those)):
        if text == "*" or _all_harmless(statement):
            continue  # a resource's policy is about the resource that holds it
        strangers = tenant_inventory(plan).tenants_named_in(text) - {tenant}
        if strangers:
            return f"it names {text}, of tenant {min(strangers)}"
        if thing := tenant_inventory(plan).of_others(text, tenant):
            return f"{text} matches {thing.label} of tenant {thing.tenant}"
    return None


def _anything(statement: Statement, tenant: str) -> str | None:
    """What a role may do with anything, it may do with what others have, unless a condition is its own."""
    own = any(
        tenant in values and operator in ("StringEquals", "ForAnyValue:StringEquals")
        for operator, keys in statement.condition.items()
        for values in keys.values()
    )
    if own or _all_harmless(statement):
        return None
    what = ", ".join(statement.actions) or "everything but a few actions"
    return f"it allows {what} on anything, so on what is another tenant's"


def _all_harmless(statement: Statement) -> bool:
    return bool(statement.actions) and all(map(_HARMLESS.fullmatch, statement.actions))


def _isolated(resource: Resource, plan: Plan) -> Verdict:
    tenants = sorted({t for t in (plan.tenant_of(resource), *_of_roles(resource, plan)) if t})
    if not tenants:
        if resource.get("role") is UNKNOWN and not plan.source(resource, "role"):
            return cannot_tell("role is not known before the update, so neither is whose policy it is")
        return PASS
    try:
        documents = tuple(policy_documents(resource, "identity", "trust", "resource"))
    except DocumentError as wrong:
        return fail(f"its policy cannot be read: {wrong}")
    return worst(_document(d, t, resource, plan) for d in documents for t in tenants)


def _document(document: PolicyDocument, tenant: str, resource: Resource, plan: Plan) -> Verdict:
    if document.statements is None:
        return _made_of(document, tenant, resource, plan)
    found = ((s, _others(s, tenant, document.kind, plan)) for s in document.statements)
    return worst(fail(f"statement {s.sid or '?'} of tenant {tenant}: {why}") for s, why in found if why)


def _made_of(document: PolicyDocument, tenant: str, resource: Resource, plan: Plan) -> Verdict:
    """A document that is not known yet is made of things that are: none may be another tenant's."""
    for urn in resource.sources.get(document.path.split("[")[0], ()):
        part = plan.by_urn.get(urn)
        if part is not None and plan.tenant_of(part) not in ("", tenant):
            return fail(
                f"{document.path} of tenant {tenant} is made of {part.label} of tenant {plan.tenant_of(part)}"
            )
    return cannot_tell(f"{document.path} of tenant {tenant} is not known before the update")


def _of_roles(resource: Resource, plan: Plan) -> Iterator[str]:
    """A policy is its roles', wherever in the tree it hangs."""
    attachments, _ = plan.attached(resource, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "policyArn")
    for holder in (resource, *attachments):
        for role in plan.source(holder, "role", "aws:iam/role:Role"):
            yield plan.tenant_of(role)


def _policy(*resources: str) -> str:
    statement: dict[str, Any] = {
        "Sid": "It",
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": list(resources),
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _tenants(policy: str) -> Example:
    """Two tenants with a bucket each, and a policy of the first one's role."""
    trust = {"Sid": "It", "Effect": "Allow", "Action": ["sts:AssumeRole"]}
    trust |= {"Principal": {"AWS": ["arn:aws:iam::111122223333:role/example"]}}
    role = Made(
        "aws:iam/role:Role",
        "role",
        {
            "name": "example-amber-pay",
            "tags": {"tenant": "amber-pay"},
            "assumeRolePolicy": json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        },
    )
    bucket = Made(
        "aws:s3/bucket:Bucket",
        "bucket",
        {"bucket": "example-cobalt-fx", "tags": {"tenant": "cobalt-fx"}},
    )
    subject = Made("aws:iam/rolePolicy:RolePolicy", "it", {"role": "example-amber-pay", "policy": policy})
    return Example(subject, (role, bucket))


RULES: Final = (
    Rule(
        id="tenants-apart",
        title="No policy of a tenant names, matches or admits another tenant's resources",
        types=TYPES,
        check=_isolated,
        remedy="Name the tenant's own resources one by one (components.tenants.tenant_resources does).",
        controls=CONTROLS,
        whole_plan=True,
        good=_tenants(_policy("arn:aws:s3:::example-amber-pay/*")),
        bad=_tenants(_policy("arn:aws:s3:::example-*")),
    ),
)
