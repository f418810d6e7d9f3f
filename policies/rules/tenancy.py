"""What is one tenant's names nothing of another's, and lets nobody of another's in."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from policies.documents import DocumentError, Statement, held, places
from policies.model import PASS, UNKNOWN, Plan, Resource, Verdict, cannot_tell, fail, worst
from policies.patterns import pattern
from policies.rule import Example, Made, Rule
from policies.serves import TENANCY as CONTROLS

TYPES: Final = places("identity", "trust", "resource")
# The ARN of what has a name that was chosen: it is known before the resource is.
_PLANNED: Final[Mapping[str, tuple[str, str]]] = {
    "aws:s3/bucket:Bucket": ("bucket", "arn:aws:s3:::{name}"),
    "aws:iam/role:Role": ("name", "arn:aws:iam::{account}:role/{name}"),
    "aws:sns/topic:Topic": ("name", "arn:aws:sns:{region}:{account}:{name}"),
    "aws:sqs/queue:Queue": ("name", "arn:aws:sqs:{region}:{account}:{name}"),
    "aws:ssm/parameter:Parameter": ("name", "arn:aws:ssm:{region}:{account}:parameter{name}"),
    "aws:secretsmanager/secret:Secret": ("name", "arn:aws:secretsmanager:{region}:{account}:secret:{name}-"),
    "aws:cloudwatch/logGroup:LogGroup": ("name", "arn:aws:logs:{region}:{account}:log-group:{name}"),
}


# What flow logs must be let do to find their own group; it tells names alone (VPC user guide, 2026-11).
_FINDS: Final = ("logs:DescribeLogGroups",)


@dataclass(frozen=True, slots=True)
class Owned:
    """Something of a tenant's that a policy could name."""

    tenant: str
    arn: str
    label: str


def arn_of(resource: Resource, plan: Plan) -> str:
    """The ARN of a resource: as it is, or as its planned name says; "" where neither is known."""
    known = resource.identity.get("arn")
    if isinstance(known, str):
        return known
    path, form = _PLANNED.get(resource.type, ("", ""))
    name = resource.get(path) if path else None
    if not isinstance(name, str):
        return ""
    return form.format(name=name, region=plan.setting("region"), account=plan.setting("accountId"))


@lru_cache(maxsize=4)
def owned(plan: Plan) -> tuple[Owned, ...]:
    """What tenants have, by ARN. Plans compare by identity, so each is looked through once."""
    found = ((plan.tenant_of(r), arn_of(r, plan), r.label) for r in plan.resources)
    return tuple(Owned(*f) for f in found if f[0] and f[1])


def _named(statement: Statement) -> Iterator[str]:
    """What a statement is about and whom it lets in."""
    yield from statement.resources
    for those in statement.principals.values():
        yield from those


def _others(statement: Statement, tenant: str, plan: Plan) -> str | None:
    """The first thing of another tenant that a statement of `tenant` gives away, or takes."""
    if not statement.allow:
        return None
    for text in _named(statement):
        if text == "*" or statement.actions == _FINDS:
            continue  # a resource's policy is about the resource that holds it
        for other in plan.tenants - {tenant}:
            if re.search(rf"(?<![a-z0-9]){re.escape(other)}(?![a-z0-9])", text) and not _mine(text, tenant):
                return f"it names {text}, of tenant {other}"
        matching = pattern(text)
        for thing in owned(plan):
            if thing.tenant != tenant and matching.fullmatch(thing.arn):
                return f"{text} matches {thing.label} of tenant {thing.tenant}"
    return None


def _mine(text: str, tenant: str) -> bool:
    """An id may hold another one (`acme` in `acme-pay`): a name of this tenant's own is its own."""
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(tenant)}(?![a-z0-9])", text))


def _isolated(resource: Resource, plan: Plan) -> Verdict:
    tenant = plan.tenant_of(resource) or _of_role(resource, plan)
    if not tenant:
        if resource.get("role") is UNKNOWN and not plan.source(resource, "role"):
            return cannot_tell("role is not known before the update, so neither is whose policy it is")
        return PASS
    found: list[Verdict] = []
    try:
        for document in held(resource, "identity", "trust", "resource"):
            if document.statements is None:
                found.append(
                    cannot_tell(f"{document.path} of tenant {tenant} is not known before the update")
                )
                continue
            for s in document.statements:
                why = _others(s, tenant, plan)
                found.append(fail(f"statement {s.sid or '?'} of tenant {tenant}: {why}") if why else PASS)
    except DocumentError as wrong:
        return fail(f"its policy cannot be read: {wrong}")
    return worst(found)


def _of_role(resource: Resource, plan: Plan) -> str:
    """A policy is its role's, wherever in the tree it hangs."""
    roles = plan.source(resource, "role", "aws:iam/role:Role")
    return plan.tenant_of(roles[0]) if roles else ""


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
        title="No policy of a tenant names, matches or lets in what is another tenant's",
        types=TYPES,
        check=_isolated,
        remedy="Name the tenant's own resources one by one (components.tenant does).",
        controls=CONTROLS,
        whole_plan=True,
        good=_tenants(_policy("arn:aws:s3:::example-amber-pay/*")),
        bad=_tenants(_policy("arn:aws:s3:::example-*")),
    ),
)
