"""The edges of the escalation graph: what each technique reaches from one role."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from iam.documents import Statement
from iam.patterns import action_matches
from policies.escalation.access import NO, YES, AccessAnswer, Target, can_perform, covers, grants, of_action
from policies.escalation.data_access import data_of_others, resource_policies_changed
from policies.escalation.graph import Edge, Node, Reached, node
from policies.escalation.principals import POLICY, Role, arns_of
from policies.escalation.targets import RUNS_AS, PlanAccess
from policies.escalation.techniques import INSTANCE, Technique, TechniqueKind

USER_TYPES: Final = ("aws:iam/user:User", "aws:iam/group:Group")


def edges(role: Role, technique: Technique, world: PlanAccess) -> Iterator[Edge]:
    """Where a technique brings a role, as far as its permissions go."""
    if technique.way not in LETS_IN and not all(_has_action(role, a) for a in technique.actions):
        return
    for end, answer in _WAYS[technique.way](role, technique, world):
        declared = technique.way is TechniqueKind.ASSUME and _declared(role, end, world)
        yield Edge(node(role), end, technique.id, answer.when, declared)


# What else may let a role in, by a policy of its own; all the rest only the role's policies give.
LETS_IN: Final = (TechniqueKind.ASSUME, TechniqueKind.USE, TechniqueKind.OPEN)


def _has_action(role: Role, action: str) -> bool:
    """Whether a role's own policies speak of an action at all: most do not, and that is quickly told."""
    return any(s.allow and of_action(s, action) for s in role.identity)


def _anywhere(role: Role, action: str) -> AccessAnswer:
    """Whether a role may do an action on anything at all."""
    found = NO
    for _, answer in grants(role, action):
        found |= answer
    return found


def _beyond(role: Role, action: str, planned: frozenset[str]) -> Reached:
    """What is granted on more than the plan has: on everything of a kind, or on what it does not name."""
    for text, answer in grants(role, action):
        if text == "*" or text.endswith((":*", "/*")) or not covers(text, planned):
            yield Node("outside", text), answer


def _role_permissions_changed(role: Role, technique: Technique, world: PlanAccess) -> Reached:
    """More for itself, up to its boundary, or for another role."""
    for other in world.roles:
        answer = can_perform(role, technique.actions[0], _of_role(other))
        if answer and other is not role:
            yield node(other), answer
        elif answer and role.boundary is None:
            yield Node("everything", role.name), answer
        elif answer and _boundary_allows_more(role):
            yield Node("ceiling", role.name), answer
    yield from _beyond(role, technique.actions[0], _all_roles(world))


def _boundary_allows_more(role: Role) -> bool:
    """Whether a boundary allows what a role's own policies do not."""
    own = [a for s in role.identity if s.allow and "*" in s.resources for a in s.actions]
    most = [s for s in role.boundary or () if s.allow]
    return any(
        s.not_actions or not all(any(action_matches(o, a) for o in own) for a in s.actions) for s in most
    )


def _trust_changed(role: Role, technique: Technique, world: PlanAccess) -> Reached:
    for other in world.roles:
        if other is not role and (answer := can_perform(role, technique.actions[0], _of_role(other))):
            yield node(other), answer
    yield from _beyond(role, technique.actions[0], _all_roles(world))


def _boundary_removed(role: Role, technique: Technique, world: PlanAccess) -> Reached:
    """A boundary replaced by one of the caller's choice, or none."""
    chosen = {"iam:permissionsboundary": ("any other",)} if "Put" in technique.id else {}
    for other in world.roles:
        target = _of_role(other)
        target = replace(target, facts={**target.facts, **chosen})
        if other.boundary_names and (answer := can_perform(role, technique.actions[0], target)):
            yield Node("unbound", other.name), answer


def _deny_removed(role: Role, technique: Technique, world: PlanAccess) -> Reached:
    for other in world.roles:
        refused = any(not s.allow for s in other.identity)
        if refused and (answer := can_perform(role, technique.actions[0], _of_role(other))):
            yield Node("unbound", other.name), answer


def _attached_policy_changed(role: Role, technique: Technique, world: PlanAccess) -> Reached:
    """A policy with another text: for whom it is attached to, and for whom it is the boundary of."""
    planned: set[str] = set()
    for policy in world.plan.of(POLICY):
        arns = arns_of(policy, world.plan)
        planned |= arns
        answer = can_perform(role, technique.actions[0], Target(arns))
        for other in world.roles if answer else ():
            if policy.urn in other.boundary_names:
                yield Node("unbound", other.name), answer
            if policy.urn in other.attached and other is not role:
                yield node(other), answer
            if policy.urn in other.attached and other is role:
                yield Node("everything" if role.boundary is None else "ceiling", role.name), answer
    yield from _beyond(role, technique.actions[0], frozenset(planned))


def _users_taken_over(role: Role, technique: Technique, world: PlanAccess) -> Reached:
    planned: set[str] = set()
    for user in world.plan.of(*USER_TYPES):
        arns = arns_of(user, world.plan)
        planned |= arns
        if answer := can_perform(role, technique.actions[0], Target(arns)):
            yield Node("user", user.label), answer
    yield from _beyond(role, technique.actions[0], frozenset(planned))


def _federation_changed(role: Role, technique: Technique, world: PlanAccess) -> Reached:
    """Roles that trust who signs in elsewhere, and whatever else of the account does."""
    for other in world.roles:
        trusts = any(s.allow and "Federated" in s.principals for s in other.trust)
        if trusts and other is not role and (answer := _anywhere(role, technique.actions[0])):
            yield node(other), answer
    for text, answer in grants(role, technique.actions[0]):
        yield Node("outside", text), answer


def _role_passed_to_service(role: Role, technique: Technique, world: PlanAccess) -> Reached:
    """A role that lets the service in, and all that it takes to have the service run."""
    rest = YES
    for action in technique.actions[1:]:
        rest &= _anywhere(role, action)
    if not rest:
        return
    service = technique.services[0]
    facts = {"iam:passedtoservice": (service,)}
    for other in world.roles:
        target = replace(_of_role(other), facts={**_of_role(other).facts, **facts})
        if (
            other is not role
            and _trusts_service(other, service)
            and (answer := can_perform(role, "iam:PassRole", target))
        ):
            yield node(other), answer & rest
    for end, answer in _beyond(role, "iam:PassRole", _all_roles(world)):
        # asked once more, with the service that the role would be passed to
        if answer := can_perform(role, "iam:PassRole", Target(frozenset({end.name}), facts=facts)):
            yield end, answer & rest


def _trusts_service(role: Role, service: str) -> bool:
    return any(s.allow and service in s.principals.get("Service", ()) for s in role.trust)


def _code_run_as_role(role: Role, technique: Technique, world: PlanAccess) -> Reached:
    things = [thing for kind in technique.targets for thing in world.things[kind]]
    for thing in things:
        answer = can_perform(role, technique.actions[0], thing.target)
        if answer and thing.resource.type not in (*RUNS_AS, INSTANCE):
            yield Node("thing", thing.resource.label), answer  # which role it has, its definition says
        for other in world.runs_as(thing.resource) if answer else ():
            if other is not role:
                yield node(other), answer
    planned = frozenset(arn for thing in things for arn in thing.target.arns)
    yield from _beyond(role, technique.actions[0], planned)


def _roles_assumed(role: Role, technique: Technique, world: PlanAccess) -> Reached:
    for other in world.roles:
        if other is role:
            continue
        target = replace(_of_role(other), policy=other.trust, guarded=True)
        if answer := can_perform(role, technique.actions[0], target):
            yield node(other), answer
    yield from _beyond(role, technique.actions[0], _all_roles(world))


def _of_role(other: Role) -> Target:
    facts = {
        "iam:permissionsboundary": tuple(sorted(n for n in other.boundary_names if n.startswith("arn:")))
    }
    for key, value in other.tags.items():
        facts |= {f"{service}:resourcetag/{key}".lower(): (value,) for service in ("aws", "iam")}
    return Target(other.arns, facts=facts)


def _all_roles(world: PlanAccess) -> frozenset[str]:
    return frozenset(arn for role in world.roles for arn in role.arns)


def _declared(role: Role, end: Node, world: PlanAccess) -> bool:
    """A service that acts for a tenant: the tenant's role names it, and it must say for whom it acts."""
    other = next((r for r in world.roles if node(r) == end), None)
    if other is None or not other.tenant or role.tenant:
        return False
    return any(_bound(s, role, other.tenant) for s in other.trust)


def _bound(statement: Statement, role: Role, tenant: str) -> bool:
    named = bool(role.arns & set(statement.principals.get("AWS", ())))
    tags = statement.condition.get("StringEquals", {})
    says = any(k.lower() == "aws:requesttag/tenant" and v == (tenant,) for k, v in tags.items())
    return statement.allow and named and says


_WAYS: Final[Mapping[TechniqueKind, Callable[[Role, Technique, PlanAccess], Reached]]] = {
    TechniqueKind.ROLE: _role_permissions_changed,
    TechniqueKind.TRUST: _trust_changed,
    TechniqueKind.UNBOUND: _boundary_removed,
    TechniqueKind.UNREFUSED: _deny_removed,
    TechniqueKind.POLICY: _attached_policy_changed,
    TechniqueKind.USER: _users_taken_over,
    TechniqueKind.FEDERATION: _federation_changed,
    TechniqueKind.PASS: _role_passed_to_service,
    TechniqueKind.COMPUTE: _code_run_as_role,
    TechniqueKind.ASSUME: _roles_assumed,
    TechniqueKind.USE: data_of_others,
    TechniqueKind.OPEN: resource_policies_changed,
}
