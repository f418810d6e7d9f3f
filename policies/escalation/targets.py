"""What escalation techniques can reach in a plan: roles, what runs with them, and what holds data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from iam.documents import Document, parse_data
from policies.escalation import techniques as t
from policies.escalation.access import Target
from policies.escalation.principals import (
    LATE,
    ROLE,
    Role,
    arns_of,
    documents,
    region_and_account,
    resources_named_by,
    roles,
)
from policies.model import Plan, Resource
from policies.tags import known_tags_of

# Type → the inputs that name the roles that it runs as.
RUNS_AS: Final[Mapping[str, tuple[str, ...]]] = {
    t.FUNCTION: ("role",),
    t.TASK: ("taskRoleArn", "executionRoleArn"),
    t.PROJECT: ("serviceRole",),
    t.JOB: ("roleArn",),
    t.DEV_ENDPOINT: ("roleArn",),
    t.NOTEBOOK: ("roleArn",),
    t.STACK: ("iamRoleArn",),
    t.MACHINE: ("roleArn",),
}
ALIAS: Final = "aws:kms/alias:Alias"
PROFILE: Final = "aws:iam/instanceProfile:InstanceProfile"
# Type → what follows its ARN where a policy names what is in it.
_INSIDE: Final = {t.BUCKET: "/object"}
# Type → the input that names its key, and the service that then asks the key.
KEYS: Final[Mapping[str, tuple[str, str]]] = {
    t.SECRET: ("kmsKeyId", "secretsmanager"),
    t.QUEUE: ("kmsMasterKeyId", "sqs"),
    t.PARAMETER: ("keyId", "ssm"),
}
# Resource policies that stand beside what they guard: type → the input that names it, and its type.
_GUARDS: Final[Mapping[str, tuple[str, str]]] = {
    t.KEY: ("aws:kms/keyPolicy:KeyPolicy", "keyId"),
    t.SECRET: ("aws:secretsmanager/secretPolicy:SecretPolicy", "secretArn"),
    t.BUCKET: ("aws:s3/bucketPolicy:BucketPolicy", "bucket"),
    t.QUEUE: ("aws:sqs/queuePolicy:QueuePolicy", "queueUrl"),
    t.TOPIC: ("aws:sns/topicPolicy:TopicPolicy", "arn"),
}


@dataclass(frozen=True, slots=True, eq=False)
class ReachableResource:
    """Something that is somebody's: a key, a secret, a bucket …"""

    resource: Resource
    tenant: str
    target: Target
    key: "ReachableResource | None" = None
    key_service: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PlanAccess:
    plan: Plan
    roles: tuple[Role, ...]
    things: Mapping[str, tuple[ReachableResource, ...]]  # by type
    unclear: tuple[str, ...]

    def runs_as(self, resource: Resource) -> tuple[Role, ...]:
        """The roles that code in a resource has."""
        found = [
            r
            for path in RUNS_AS.get(resource.type, ())
            for r in resources_named_by(resource, path, ROLE, self.plan)
        ]
        for profile in self.plan.source(resource, "iamInstanceProfile", PROFILE):
            found += resources_named_by(profile, "role", ROLE, self.plan)
        return tuple(role for role in self.roles if role.resource in found)


def plan_access(plan: Plan) -> PlanAccess:
    """Look through a plan once. Raises `DocumentError` for a policy that is none."""
    made = roles(plan)
    unclear = [u for role in made for u in role.unclear]
    keys = {r.urn: _reachable_resource(r, plan, unclear) for r in plan.of(t.KEY)}
    things: dict[str, tuple[ReachableResource, ...]] = {t.KEY: tuple(keys.values())}
    kinds = {kind for technique in t.TECHNIQUES for kind in technique.targets} - {t.KEY}
    for kind in sorted(kinds):
        things[kind] = tuple(_reachable_resource(r, plan, unclear, keys) for r in plan.of(kind))
    return PlanAccess(plan, made, things, tuple(dict.fromkeys(unclear)))


def _reachable_resource(
    resource: Resource, plan: Plan, unclear: list[str], keys: Mapping[str, ReachableResource] | None = None
) -> ReachableResource:
    policy, doubt = _policy(resource, plan)
    if doubt:
        unclear.append(doubt)
    path, service = KEYS.get(resource.type, ("", ""))
    by = plan.source(resource, path, t.KEY, ALIAS) if path and keys else ()
    key = next((keys[k.urn] for k in by if keys and k.urn in keys), None)
    inside = _INSIDE.get(resource.type, "")
    arns = arns_of(resource, plan)
    if resource.type == t.DATABASE:
        arns = (
            frozenset(f"{arn.replace(':rds:', ':rds-db:').replace(':db:', ':dbuser:')}/user" for arn in arns)
            | arns
        )
    facts: dict[str, tuple[str, ...]] = {
        f"aws:resourcetag/{k.lower()}": (v,) for k, v in known_tags_of(resource, plan).items()
    }
    if aliases := _aliases(resource, plan):
        facts["kms:resourcealiases"] = aliases
    target = Target(
        frozenset({*arns, *(f"{arn}{inside}" for arn in arns if inside)}),
        policy,
        guarded=resource.type == t.KEY,
        facts=facts,
        doubt=doubt,
    )
    return ReachableResource(resource, plan.tenant_of(resource), target, key, service)


def _aliases(resource: Resource, plan: Plan) -> tuple[str, ...]:
    """The names of a key, as far as they can be told."""
    found = plan.attached(resource, ALIAS, "targetKeyId")[0] if resource.type == t.KEY else ()
    return tuple(name for a in found if isinstance(name := a.get("name"), str))


def _policy(resource: Resource, plan: Plan) -> tuple[Document, str]:
    """The statements of a resource's own policies, and what of them is not known."""
    beside, path = _GUARDS.get(resource.type, ("", ""))
    holders = (resource, *(plan.attached(resource, beside, path)[0] if beside else ()))
    parts = [(part, holder) for holder in holders for part in documents(holder, "resource")]
    if resource.type == t.KEY and not parts:
        return _default(plan), ""
    unknown = [f"{part.path} of {holder.label}{LATE}" for part, holder in parts if part.statements is None]
    return tuple(s for part, _ in parts for s in part.statements or ()), unknown[0] if unknown else ""


def _default(plan: Plan) -> Document:
    """A key that is made without a policy leaves all to the account (KMS developer guide, 2026-11)."""
    everybody = {"AWS": f"arn:aws:iam::{region_and_account(plan)[1]}:root"}
    return parse_data(
        {"Statement": {"Effect": "Allow", "Principal": everybody, "Action": "kms:*", "Resource": "*"}}
    )
