"""Escalation by data: using another's keys, secrets, buckets or queues, or granting oneself access."""

from dataclasses import replace
from typing import Final

from iam.patterns import action_matches
from policies.escalation.access import YES, AccessAnswer, can_perform, covers
from policies.escalation.graph import Node, Reached
from policies.escalation.principals import Role
from policies.escalation.targets import PlanAccess, ReachableResource
from policies.escalation.techniques import PARAMETER, Technique

READS: Final = ("ssm:GetParameter",)
# Tags that a thing bears while its owner lets a role in (plan: while a tenant moves), and at no other time.
LET_IN: Final = frozenset({"aws:resourcetag/moving"})


def data_of_others(role: Role, technique: Technique, world: PlanAccess) -> Reached:
    """What another tenant owns; and credentials of the cell's that are not given by name."""
    action = technique.actions[0]
    for thing in (thing for kind in technique.targets for thing in world.things[kind]):
        if _own(role, thing, action):
            continue
        answer = can_perform(role, action, thing.target) & _key(role, thing)
        if answer:
            yield Node("thing", thing.resource.label), answer


def _key(role: Role, thing: ReachableResource) -> AccessAnswer:
    """Reading what is encrypted takes its key too, which is asked through the service."""
    if thing.key is None:
        return YES
    service = {"kms:viaservice": (f"{thing.key_service}.{_region(thing)}.amazonaws.com",)}
    return can_perform(
        role, "kms:Decrypt", replace(thing.key.target, facts={**thing.key.target.facts, **service})
    )


def _region(thing: ReachableResource) -> str:
    return next((arn.split(":")[3] for arn in sorted(thing.target.arns) if arn.split(":")[3]), "")


def _own(role: Role, thing: ReachableResource, action: str) -> bool:
    """Its tenant's; or given by name: by the owner's own policy, or as a thing of the cell's."""
    if role.tenant:
        return thing.tenant == role.tenant or (not thing.tenant and _by_name(role, thing, action))
    if thing.resource.type == PARAMETER and thing.resource.get("type") != "SecureString" and action in READS:
        return True  # a directory, which services are there to read; what is secret is not in it
    if thing.resource.type == PARAMETER and _let_in_by_tags(role, thing, action):
        return True
    return _consented(role, thing, action) or (not thing.tenant and _by_name(role, thing, action))


def _consented(role: Role, thing: ReachableResource, action: str) -> bool:
    """Whether the owner's policy, or that of the key, names the role."""
    asked = [(thing.target.policy, action)]
    if thing.key is not None:
        asked.append((thing.key.target.policy, "kms:Decrypt"))
    return any(
        s.allow
        and role.arns & set(s.principals.get("AWS", ()))
        and any(action_matches(a, wanted) for a in s.actions)
        for policy, wanted in asked
        for s in policy
    )


def _let_in_by_tags(role: Role, thing: ReachableResource, action: str) -> bool:
    """Whether the role could do nothing to it but for a tag that its owner has put on it.

    A parameter has no policy of its own that could name who is let in.
    """
    facts = {k: v for k, v in thing.target.facts.items() if not k.startswith("aws:resourcetag/")}
    answer = can_perform(role, action, replace(thing.target, facts=facts))
    return any(condition.split()[1].lower() in LET_IN for condition in answer.when)


def _by_name(role: Role, thing: ReachableResource, action: str) -> bool:
    return any(
        _is_name(text) and covers(text, thing.target.arns)
        for s in role.identity
        if s.allow and any(action_matches(a, action) for a in s.actions)
        for text in s.resources
    )


def _is_name(text: str) -> bool:
    """One thing's ARN: with nothing left open but what is inside a bucket, or a secret's random end."""
    for end in ("/*", "-??????", "-*"):
        text = text.removesuffix(end)
    return not ({"*", "?"} & set(text)) and "${" not in text


def resource_policies_changed(role: Role, technique: Technique, world: PlanAccess) -> Reached:
    for thing in (thing for kind in technique.targets for thing in world.things[kind]):
        if answer := can_perform(role, technique.actions[0], thing.target):
            yield Node("thing", thing.resource.label), answer
