"""Whether a role may do something: its policies, the resource's policy, its boundary, and denies.

Follows AWS's order (IAM user guide, "Policy evaluation logic", 2026-11), for requests within one account:
an explicit deny anywhere wins; a resource's policy that names the role allows by itself, but never beyond
the role's boundary; a key and a role admit only whom their own policy admits. What cannot be decided counts
as possible, and is reported with the condition that it depends on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from iam.documents import Document, Statement
from iam.patterns import action_matches, pattern
from policies.escalation.conditions import Certainty, Facts, holds
from policies.escalation.principals import Role


@dataclass(frozen=True, slots=True)
class AccessAnswer:
    """Whether something is possible, and what that hangs on."""

    possible: bool
    when: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.possible

    def __and__(self, other: "AccessAnswer") -> "AccessAnswer":
        return AccessAnswer(True, self.when | other.when) if self and other else NO

    def __or__(self, other: "AccessAnswer") -> "AccessAnswer":
        if not (self and other):
            return self if self else other
        return self if len(self.when) <= len(other.when) else other


NO: Final = AccessAnswer(False)
YES: Final = AccessAnswer(True)


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What is asked for. `guarded`: nobody is let in by their own policies alone (keys, roles)."""

    arns: frozenset[str]
    policy: Document = ()
    guarded: bool = False
    facts: Facts = field(default_factory=dict[str, tuple[str, ...]])
    doubt: str = ""  # why its policy is not known


def can_perform(role: Role, action: str, target: Target) -> AccessAnswer:
    """Whether a role may do an action to a target."""
    facts = {**role.facts, **target.facts}
    own = _allowed(role.identity, action, target.arns, facts)
    ask = [s for s in target.policy if s.allow]
    named = _allowed([s for s in ask if _names(s, role)], action, target.arns, facts, whose=True)
    session = _allowed([s for s in ask if _names_session(s, role)], action, target.arns, facts, whose=True)
    if target.guarded:
        mine = [s for s in ask if _names_account(s, role)]
        let_in = AccessAnswer(True, frozenset({target.doubt})) if target.doubt else NO
        own &= let_in | _allowed(mine, action, target.arns, facts, whose=True)
    most = YES if role.boundary is None else _allowed(role.boundary, action, target.arns, facts)
    found = ((own | named) & most) | session
    theirs = [s for s in target.policy if not s.allow and _denies(s, role)]
    return (
        found
        & _not_denied((*role.identity, *(role.boundary or ())), action, target.arns, facts)
        & _not_denied(theirs, action, target.arns, facts, whose=True)
    )


def grants(role: Role, action: str) -> Iterator[tuple[str, AccessAnswer]]:
    """On which patterns of resources a role's own policies allow an action, and its boundary does too."""
    for statement in role.identity:
        if not statement.allow or not of_action(statement, action):
            continue
        for text in statement.resources or ("*",):
            answer = can_perform(role, action, Target(frozenset({text}))) if text else NO
            if answer:
                yield text, answer


def covers(text: str, arns: Iterable[str]) -> bool:
    """Whether a pattern of a policy names something by one of its ARNs."""
    return text == "*" or any(pattern(text).fullmatch(arn) for arn in arns)


def of_action(statement: Statement, action: str) -> bool:
    """Whether a statement speaks of an action."""
    return _mentions_action(statement.actions, statement.not_actions, action)


@cache
def _mentions_action(actions: tuple[str, ...], not_actions: tuple[str, ...], action: str) -> bool:
    """Kept, for a boundary is asked the same for every role and thing of a plan."""
    if not_actions:
        return not any(action_matches(a, action) for a in not_actions)
    return any(action_matches(a, action) for a in actions)


def _names_no_resource(statement: Statement) -> bool:
    """As in a trust policy, which hangs on what it is about."""
    return not statement.resources and not statement.not_resources


def _of_resource(statement: Statement, arns: Iterable[str]) -> str | None:
    """The pattern by which a statement is about something, None if it is not.

    What a policy variable in NotResource takes out is not known: the pattern then has the variable.
    """
    if not statement.not_resources:
        return next((r for r in statement.resources if covers(r, arns)), None)
    excepted = [r for r in statement.not_resources if covers(r, arns)]
    if any("${" not in r for r in excepted):
        return None
    return f"all but {' | '.join(excepted)}" if excepted else "*"


def _allowed(
    statements: Iterable[Statement], action: str, arns: frozenset[str], facts: Facts, *, whose: bool = False
) -> AccessAnswer:
    """`whose`: these are of the target's own policy, which is about the target whatever its resources say."""
    found = NO
    for s in statements:
        if not s.allow or not of_action(s, action):
            continue
        text = "*" if whose and _names_no_resource(s) else _of_resource(s, arns)
        if text is None:
            continue
        held = holds(s.condition, facts)
        if held.truth is not Certainty.NO:
            fits = {f"{text} fits"} if "${" in text else set[str]()
            found |= AccessAnswer(True, frozenset({*held.doubts, *fits}))
    return found


def _not_denied(
    statements: Iterable[Statement], action: str, arns: frozenset[str], facts: Facts, *, whose: bool = False
) -> AccessAnswer:
    """NO where a refusal holds for sure; otherwise what would avoid those that may hold."""
    doubts: set[str] = set()
    for s in statements:
        if s.allow or not of_action(s, action):
            continue
        text = "*" if whose and _names_no_resource(s) else _of_resource(s, arns)
        if text is None:
            continue
        held = holds(s.condition, facts)
        if held.truth is Certainty.YES and "${" not in text:
            return NO
        if held.truth in (Certainty.YES, Certainty.UNSURE):
            doubts |= {f"not {d}" for d in held.doubts or (text,)}
    return AccessAnswer(True, frozenset(doubts))


def _aws(statement: Statement) -> tuple[str, ...]:
    return statement.principals.get("AWS", ())


def _names(statement: Statement, role: Role) -> bool:
    return bool(role.arns & set(_aws(statement)))


def _names_session(statement: Statement, role: Role) -> bool:
    """Everybody, or the role's sessions: what a boundary's silence does not stop."""
    if statement.not_principals:
        return not (role.arns & set(statement.not_principals.get("AWS", ())))
    sessions = [p for p in _aws(statement) if f":assumed-role/{role.name}/" in p]
    return bool(sessions) or "*" in _aws(statement)


def _names_account(statement: Statement, role: Role) -> bool:
    """The account as a whole, which leaves it to the caller's own policies."""
    accounts = {a.split(":")[4] for a in role.arns if a.count(":") >= 5}
    return any(
        p in accounts or (p.endswith(":root") and p.split(":")[4] in accounts | {""}) for p in _aws(statement)
    )


def _denies(statement: Statement, role: Role) -> bool:
    return _names(statement, role) or _names_session(statement, role) or _names_account(statement, role)
