"""IAM's decision about one request: pure, so that tests of policies and the sandbox ask the same judge.

Rules: IAM user guide, "Policy evaluation logic" and "How AWS enforcement code logic evaluates requests to
allow or deny access", within one account; "IAM JSON policy elements: Condition operators"; "Creating a
condition with multiple keys or values"; Organizations user guide, "SCP evaluation" (all 2026-11).
Grants of KMS, ACLs and requests from another account are not judged here.
"""

import base64
import datetime
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from policies.documents import EVERYONE, Document, Statement

Context = Mapping[str, tuple[str, ...]]
"""Condition key, in any case → its values. A key of one value has a tuple of one; an absent key has none."""


class Layer(StrEnum):
    """The kinds of policy that have a say; the words are AWS's, as its messages use them."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    RESOURCE = "resource-based policy"
    SCP = "service control policy"
    ENDPOINT = "VPC endpoint policy"


class Outcome(StrEnum):
    ALLOWED = "allowed"
    EXPLICIT = "explicit deny"
    IMPLICIT = "implicit deny"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `arn` is what a policy may name: a role's ARN, a service (`lambda.amazonaws.com`)."""

    kind: str  # AWS, Service, Federated
    arn: str
    account: str = ""
    session: str = ""  # ARN of the assumed role's session, where it is one


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one resource, and what is known about it."""

    action: str  # "s3:GetObject"
    resource: str  # an ARN, or "*" where the action has none
    principal: Principal
    context: Context = field(default_factory=dict[str, tuple[str, ...]])


@dataclass(frozen=True, slots=True)
class Policies:
    """All that apply. None of boundary, session, endpoint: there is none, so it does not limit.

    `scps` has one entry for each level from the root down to the account, each the policies attached there.
    """

    identity: Sequence[Document] = ()
    resource: Document | None = None
    boundary: Document | None = None
    session: Document | None = None
    endpoint: Document | None = None
    scps: Sequence[Sequence[Document]] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, by which kind of policy, and by which statement (None: none allows it)."""

    outcome: Outcome
    layer: Layer
    statement: Statement | None = None

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED

    def why(self, action: str) -> str:
        """The end of AWS's message (IAM user guide, "Troubleshoot access denied error messages")."""
        article = "an" if self.layer is Layer.IDENTITY else "a"
        if self.outcome is Outcome.EXPLICIT:
            return f"with an explicit deny in {article} {self.layer}"
        return f"because no {self.layer} allows the {action} action"


def decide(request: Request, policies: Policies, *, resource_decides: bool = False) -> Decision:
    """Whether the request is allowed.

    `resource_decides`: without a word of the resource's policy nothing is allowed, as with the keys of
    KMS and the trust policies of roles. Elsewhere either side may allow it, within one account.
    """
    denied = _denied(request, policies)
    if denied:
        return denied
    ceilings = [(Layer.SCP, level) for level in policies.scps]
    outside = _silent(request, [*ceilings, *_optional(Layer.ENDPOINT, policies.endpoint)])
    if outside:
        return outside
    given = _given(request, policies, resource_decides=resource_decides)
    if not given.allowed:
        return given
    if given.layer is Layer.RESOURCE and _names_session(given.statement, request):
        return given  # said to this very session, which no boundary and no session policy then limits
    limits = [
        *_optional(Layer.BOUNDARY, policies.boundary),
        *_optional(Layer.SESSION, policies.session),
    ]
    return _silent(request, limits) or given


def _optional(layer: Layer, document: Document | None) -> Sequence[tuple[Layer, Sequence[Document]]]:
    return () if document is None else ((layer, (document,)),)


def _silent(request: Request, limits: Sequence[tuple[Layer, Sequence[Document]]]) -> Decision | None:
    """The first of the limits that does not allow it: what limits gives nothing, and must agree."""
    for layer, documents in limits:
        if _first(request, documents, allow=True) is None:
            return Decision(Outcome.IMPLICIT, layer)
    return None


def _denied(request: Request, policies: Policies) -> Decision | None:
    """An explicit deny, wherever it stands, comes before everything."""
    one: Sequence[tuple[Layer, Sequence[Document]]] = (
        (Layer.SCP, [d for level in policies.scps for d in level]),
        (Layer.RESOURCE, _present(policies.resource)),
        (Layer.ENDPOINT, _present(policies.endpoint)),
        (Layer.IDENTITY, policies.identity),
        (Layer.BOUNDARY, _present(policies.boundary)),
        (Layer.SESSION, _present(policies.session)),
    )
    for layer, documents in one:
        found = _first(request, documents, allow=False)
        if found:
            return Decision(Outcome.EXPLICIT, layer, found)
    return None


def _given(request: Request, policies: Policies, *, resource_decides: bool) -> Decision:
    """What gives the permission, before anything limits it."""
    by_resource = _first(request, _present(policies.resource), allow=True)
    # A policy that names the account leaves it to the identity's policies (KMS: "enable IAM policies").
    delegated = by_resource is not None and _only_account(by_resource, request)
    if by_resource is not None and not delegated:
        return Decision(Outcome.ALLOWED, Layer.RESOURCE, by_resource)
    if resource_decides and by_resource is None:
        return Decision(Outcome.IMPLICIT, Layer.RESOURCE)
    by_identity = _first(request, policies.identity, allow=True)
    if by_identity is None:
        return Decision(Outcome.IMPLICIT, Layer.IDENTITY)
    return Decision(Outcome.ALLOWED, Layer.IDENTITY, by_identity)


def _present(document: Document | None) -> Sequence[Document]:
    return () if document is None else (document,)


def _first(request: Request, documents: Sequence[Document], *, allow: bool) -> Statement | None:
    """The first statement of this effect that applies; one that names the principal itself goes first."""
    found = [s for d in documents for s in d if s.allow is allow and applies(s, request)]
    return min(found, key=lambda s: _only_account(s, request), default=None)


def applies(statement: Statement, request: Request) -> bool:
    """Whether a statement speaks of the request: principal, action, resource and every condition."""
    return (
        _principal(statement, request.principal)
        and _action(statement, request.action)
        and _resource(statement, request)
        and all(_condition(o, keys, request.context) for o, keys in statement.condition.items())
    )


# -- principals


def _principal(statement: Statement, principal: Principal) -> bool:
    if statement.not_principals:
        return not _named(statement.not_principals, principal)
    # Policies of identities, boundaries, sessions and SCPs name nobody: they are somebody's.
    return not statement.principals or _named(statement.principals, principal)


def _named(principals: Mapping[str, tuple[str, ...]], principal: Principal) -> bool:
    return any(
        name == EVERYONE or name in _names(principal)
        for kind, names in principals.items()
        if kind in (principal.kind, EVERYONE)
        for name in names
    )


def _names(principal: Principal) -> frozenset[str]:
    """By what a policy may name it: itself, its session, its account in either form."""
    found = {principal.arn, principal.session, *_account_names(principal)}
    return frozenset(found - {""})


def _account_names(principal: Principal) -> frozenset[str]:
    if not principal.account or principal.kind != "AWS":
        return frozenset()
    return frozenset({principal.account, f"arn:aws:iam::{principal.account}:root"})


def _only_account(statement: Statement, request: Request) -> bool:
    """Whether it names the principal by its account alone."""
    names = frozenset(n for those in statement.principals.values() for n in those)
    principal = request.principal
    return bool(names & _account_names(principal)) and not names & {
        principal.arn,
        principal.session,
        EVERYONE,
    }


def _names_session(statement: Statement | None, request: Request) -> bool:
    session = request.principal.session
    return bool(statement and session) and any(
        session in names for names in (statement.principals.values() if statement else ())
    )


# -- actions and resources


def _action(statement: Statement, action: str) -> bool:
    if statement.not_actions:
        return not any(_like(a, action, case=False) for a in statement.not_actions)
    return any(_like(a, action, case=False) for a in statement.actions)


def _resource(statement: Statement, request: Request) -> bool:
    if statement.not_resources:
        return not any(_resource_like(r, request) for r in statement.not_resources)
    # A trust policy names no resource: it hangs on the one it is about.
    return not statement.resources or any(_resource_like(r, request) for r in statement.resources)


def _resource_like(wanted: str, request: Request) -> bool:
    regex = _regex(wanted, request.context)
    return regex is not None and regex.fullmatch(request.resource) is not None


# -- patterns with variables

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_LITERAL: Final = {"*": "*", "?": "?", "$": "$"}


def _regex(text: str, context: Context, *, wild: bool = True) -> re.Pattern[str] | None:
    """A pattern with its variables put in, as they are; None where one has no single value."""
    parts: list[str] = []
    for i, part in enumerate(_VARIABLE.split(text)):
        if i % 2 == 0:
            parts.append(_wild(part) if wild else re.escape(part))
            continue
        value = _variable(part, context)
        if value is None:
            return None
        parts.append(re.escape(value))
    return re.compile("".join(parts), re.DOTALL)


def _wild(text: str) -> str:
    return "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text)


def _variable(inside: str, context: Context) -> str | None:
    if inside in _LITERAL:
        return _LITERAL[inside]
    key, _, default = inside.partition(",")
    values = _values(key.strip(), context)
    if values is not None and len(values) == 1:
        return values[0]
    return default.strip().strip("'") if default else None


def _like(pattern: str, text: str, *, case: bool = True) -> bool:
    if not case:
        pattern, text = pattern.lower(), text.lower()
    return re.fullmatch(_wild(pattern), text, re.DOTALL) is not None


# -- conditions


def _values(key: str, context: Context) -> tuple[str, ...] | None:
    """Keys are compared without case; the tag in `aws:PrincipalTag/Team` too, as IAM does."""
    if key in context:
        return context[key]
    return next((v for k, v in context.items() if k.lower() == key.lower()), None)


def _condition(operator: str, keys: Mapping[str, tuple[str, ...]], context: Context) -> bool:
    return all(_holds(operator, key, wanted, context) for key, wanted in keys.items())


def _holds(operator: str, key: str, wanted: tuple[str, ...], context: Context) -> bool:
    quantifier, _, rest = operator.rpartition(":")
    word, optional = (rest.removesuffix("IfExists"), True) if rest.endswith("IfExists") else (rest, False)
    values = _values(key, context)
    if word == "Null":
        return (values is None) is (wanted == ("true",))
    if values is None:
        # A key that is absent: true where it is optional or negated, and for "all of nothing".
        return optional or quantifier == "ForAllValues" or (word in NEGATED and quantifier != "ForAnyValue")
    compare, negated = _comparer(word)

    def one(value: str) -> bool:
        return any(compare(w, value, context) for w in wanted) is not negated

    if quantifier == "ForAllValues":
        return all(one(v) for v in values)
    return any(one(v) for v in values) if quantifier else all(one(v) for v in values)


Compare = Callable[[str, str, Context], bool]


def _string(wanted: str, value: str, context: Context) -> bool:
    regex = _regex(wanted, context, wild=False)
    return regex is not None and regex.fullmatch(value) is not None


def _string_no_case(wanted: str, value: str, context: Context) -> bool:
    return _string(wanted.lower(), value.lower(), context)


def _string_like(wanted: str, value: str, context: Context) -> bool:
    regex = _regex(wanted, context)
    return regex is not None and regex.fullmatch(value) is not None


def _arn_like(wanted: str, value: str, context: Context) -> bool:
    """The six parts of an ARN one by one: a `*` does not reach over a colon of the first five."""
    theirs, mine = wanted.split(":", 5), value.split(":", 5)
    if len(theirs) != 6 or len(mine) != 6:
        return wanted == EVERYONE
    return all(_string_like(t, m, context) for t, m in zip(theirs, mine, strict=True))


def _boolean(wanted: str, value: str, _: Context) -> bool:
    return wanted.lower() == value.lower()


def _binary(wanted: str, value: str, _: Context) -> bool:
    return base64.b64decode(wanted) == base64.b64decode(value)


def _address(wanted: str, value: str, _: Context) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)


def _moment(text: str) -> float:
    """Seconds since 1970: an ISO 8601 date, or seconds already."""
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    found = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()


_ORDER: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "Equals": lambda w, v: v == w,
    "NotEquals": lambda w, v: v == w,
    "LessThan": lambda w, v: v < w,
    "LessThanEquals": lambda w, v: v <= w,
    "GreaterThan": lambda w, v: v > w,
    "GreaterThanEquals": lambda w, v: v >= w,
}


def _ordered(read: Callable[[str], float], order: Callable[[float, float], bool]) -> Compare:
    return lambda wanted, value, _: order(read(wanted), read(value))


COMPARE: Final[Mapping[str, Compare]] = {
    "StringEquals": _string,
    "StringNotEquals": _string,
    "StringEqualsIgnoreCase": _string_no_case,
    "StringNotEqualsIgnoreCase": _string_no_case,
    "StringLike": _string_like,
    "StringNotLike": _string_like,
    # IAM treats these two alike, and the negated two as well.
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "ArnNotEquals": _arn_like,
    "ArnNotLike": _arn_like,
    "Bool": _boolean,
    "BinaryEquals": _binary,
    "IpAddress": _address,
    "NotIpAddress": _address,
    **{f"Numeric{word}": _ordered(float, order) for word, order in _ORDER.items()},
    **{f"Date{word}": _ordered(_moment, order) for word, order in _ORDER.items()},
}
NEGATED: Final = frozenset(word for word in COMPARE if "Not" in word)


class UnknownOperatorError(ValueError):
    """A condition operator that IAM does not have."""


def _comparer(word: str) -> tuple[Compare, bool]:
    if word not in COMPARE:
        raise UnknownOperatorError(f"{word} is no condition operator")
    return COMPARE[word], word in NEGATED
