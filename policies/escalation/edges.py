"""What each way of the techniques reaches, for one role: the edges of the graph."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from iam.documents import Statement
from iam.patterns import action_matches
from policies.escalation.access import NO, YES, Answer, Target, covers, grants, may, of_action
from policies.escalation.data_access import opened, used
from policies.escalation.graph import Edge, Node, Reached, node
from policies.escalation.principals import POLICY, Role, arns_of
from policies.escalation.targets import RUNS_AS, World
from policies.escalation.techniques import INSTANCE, Technique, Way

USER_TYPES: Final = ("aws:iam/user:User", "aws:iam/group:Group")


def edges(role: Role, technique: Technique, world: World) -> Iterator[Edge]:
    """Where a technique brings a role, as far as its permissions go."""
    if technique.way not in LETS_IN and not all(_asks(role, a) for a in technique.actions):
        return
    for end, answer in _WAYS[technique.way](role, technique, world):
        declared = technique.way is Way.ASSUME and _declared(role, end, world)
        yield Edge(node(role), end, technique.id, answer.when, declared)


# What else may let a role in, by a policy of its own; all the rest only the role's policies give.
LETS_IN: Final = (Way.ASSUME, Way.USE, Way.OPEN)


def _asks(role: Role, action: str) -> bool:
    """Whether a role's own policies speak of an action at all: most do not, and that is quickly told."""
    return any(s.allow and of_action(s, action) for s in role.identity)


def _somewhere(role: Role, action: str) -> Answer:
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


def _changed(role: Role, technique: Technique, world: World) -> Reached:
    """More for itself, up to its boundary, or for another role."""
    for other in world.roles:
        answer = may(role, technique.actions[0], _of_role(other))
        if answer and other is not role:
            yield node(other), answer
        elif answer and role.boundary is None:
            yield Node("everything", role.name), answer
        elif answer and _more(role):
            yield Node("ceiling", role.name), answer
    yield from _beyond(role, technique.actions[0], _all_roles(world))


def _more(role: Role) -> bool:
    """Whether a boundary allows what a role's own policies do not."""
    own = [a for s in role.identity if s.allow and "*" in s.resources for a in s.actions]
    most = [s for s in role.boundary or () if s.allow]
    return any(
        s.not_actions or not all(any(action_matches(o, a) for o in own) for a in s.actions) for s in most
    )


def _trusted(role: Role, technique: Technique, world: World) -> Reached:
    for other in world.roles:
        if other is not role and (answer := may(role, technique.actions[0], _of_role(other))):
            yield node(other), answer
    yield from _beyond(role, technique.actions[0], _all_roles(world))


def _unbound(role: Role, technique: Technique, world: World) -> Reached:
    """A boundary replaced by one of the caller's choice, or none."""
    chosen = {"iam:permissionsboundary": ("any other",)} if "Put" in technique.id else {}
    for other in world.roles:
        target = _of_role(other)
        target = replace(target, facts={**target.facts, **chosen})
        if other.boundary_names and (answer := may(role, technique.actions[0], target)):
            yield Node("unbound", other.name), answer


def _unrefused(role: Role, technique: Technique, world: World) -> Reached:
    for other in world.roles:
        refused = any(not s.allow for s in other.identity)
        if refused and (answer := may(role, technique.actions[0], _of_role(other))):
            yield Node("unbound", other.name), answer


def _policies(role: Role, technique: Technique, world: World) -> Reached:
    """A policy with another text: for whom it is attached to, and for whom it is the boundary of."""
    planned: set[str] = set()
    for policy in world.plan.of(POLICY):
        arns = arns_of(policy, world.plan)
        planned |= arns
        answer = may(role, technique.actions[0], Target(arns))
        for other in world.roles if answer else ():
            if policy.urn in other.boundary_names:
                yield Node("unbound", other.name), answer
            if policy.urn in other.attached and other is not role:
                yield node(other), answer
            if policy.urn in other.attached and other is role:
                yield Node("everything" if role.boundary is None else "ceiling", role.name), answer
    yield from _beyond(role, technique.actions[0], frozenset(planned))


def _users(role: Role, technique: Technique, world: World) -> Reached:
    planned: set[str] = set()
    for user in world.plan.of(*USER_TYPES):
        arns = arns_of(user, world.plan)
        planned |= arns
        if answer := may(role, technique.actions[0], Target(arns)):
            yield Node("user", user.label), answer
    yield from _beyond(role, technique.actions[0], frozenset(planned))


def _federated(role: Role, technique: Technique, world: World) -> Reached:
    """Roles that trust who signs in elsewhere, and whatever else of the account does."""
    for other in world.roles:
        trusts = any(s.allow and "Federated" in s.principals for s in other.trust)
        if trusts and other is not role and (answer := _somewhere(role, technique.actions[0])):
            yield node(other), answer
    for text, answer in grants(role, technique.actions[0]):
        yield Node("outside", text), answer


def _passed(role: Role, technique: Technique, world: World) -> Reached:
    """A role that lets the service in, and all that it takes to have the service run."""
    rest = YES
    for action in technique.actions[1:]:
        rest &= _somewhere(role, action)
    if not rest:
        return
    service = technique.services[0]
    facts = {"iam:passedtoservice": (service,)}
    for other in world.roles:
        target = replace(_of_role(other), facts={**_of_role(other).facts, **facts})
        if other is not role and _lets_in(other, service) and (answer := may(role, "iam:PassRole", target)):
            yield node(other), answer & rest
    for end, answer in _beyond(role, "iam:PassRole", _all_roles(world)):
        # asked once more, with the service that the role would be passed to
        if answer := may(role, "iam:PassRole", Target(frozenset({end.name}), facts=facts)):
            yield end, answer & rest


def _lets_in(role: Role, service: str) -> bool:
    return any(s.allow and service in s.principals.get("Service", ()) for s in role.trust)


def _compute(role: Role, technique: Technique, world: World) -> Reached:
    things = [thing for kind in technique.targets for thing in world.things[kind]]
    for thing in things:
        answer = may(role, technique.actions[0], thing.target)
        if answer and thing.resource.type not in (*RUNS_AS, INSTANCE):
            yield Node("thing", thing.resource.label), answer  # which role it has, its definition says
        for other in world.runs_as(thing.resource) if answer else ():
            if other is not role:
                yield node(other), answer
    planned = frozenset(arn for thing in things for arn in thing.target.arns)
    yield from _beyond(role, technique.actions[0], planned)


def _assumed(role: Role, technique: Technique, world: World) -> Reached:
    for other in world.roles:
        if other is role:
            continue
        target = replace(_of_role(other), policy=other.trust, guarded=True)
        if answer := may(role, technique.actions[0], target):
            yield node(other), answer
    yield from _beyond(role, technique.actions[0], _all_roles(world))


def _of_role(other: Role) -> Target:
    facts = {
        "iam:permissionsboundary": tuple(sorted(n for n in other.boundary_names if n.startswith("arn:")))
    }
    for key, value in other.tags.items():
        facts |= {f"{service}:resourcetag/{key}".lower(): (value,) for service in ("aws", "iam")}
    return Target(other.arns, facts=facts)


def _all_roles(world: World) -> frozenset[str]:
    return frozenset(arn for role in world.roles for arn in role.arns)


def _declared(role: Role, end: Node, world: World) -> bool:
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


_WAYS: Final[Mapping[Way, Callable[[Role, Technique, World], Reached]]] = {
    Way.ROLE: _changed,
    Way.TRUST: _trusted,
    Way.UNBOUND: _unbound,
    Way.UNREFUSED: _unrefused,
    Way.POLICY: _policies,
    Way.USER: _users,
    Way.FEDERATION: _federated,
    Way.PASS: _passed,
    Way.COMPUTE: _compute,
    Way.ASSUME: _assumed,
    Way.USE: used,
    Way.OPEN: opened,
}
