"""Evaluates one request against IAM policies. Pure, and used by tests of policies and by the sandbox.

Rules: IAM user guide, "Policy evaluation logic" and "How AWS enforcement code logic evaluates requests to
allow or deny access", within one account; Organizations user guide, "SCP evaluation" (all 2026-11); of
principals, conditions and variables in the modules of these names.
Grants of KMS, ACLs and requests from another account are not judged here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from iam.conditions import holds
from iam.documents import Document, Statement
from iam.patterns import action_matches
from iam.principals import Naming, Principal, concerns, naming
from iam.variables import Context, Fill, filler, is_like, values_of


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
    if not given.allowed or _is_unlimited(given, request):
        return given
    limits = [
        *_optional(Layer.BOUNDARY, policies.boundary),
        *_optional(Layer.SESSION, policies.session),
    ]
    return _silent(request, limits) or given


def _optional(layer: Layer, document: Document | None) -> Sequence[tuple[Layer, Sequence[Document]]]:
    return () if document is None else ((layer, (document,)),)


def _is_unlimited(given: Decision, request: Request) -> bool:
    """Whether the resource's policy gives it to this very user or session, which then nothing limits."""
    return (
        given.layer is Layer.RESOURCE
        and given.statement is not None
        and naming(given.statement, request.principal) is Naming.ITSELF
    )


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
        found = _first(request, documents, allow=False, bounded=policies.boundary is not None)
        if found:
            return Decision(Outcome.EXPLICIT, layer, found)
    return None


def _given(request: Request, policies: Policies, *, resource_decides: bool) -> Decision:
    """What gives the permission, before anything limits it."""
    # A statement that names nobody gives nothing to anybody; IAM takes no such policy of a resource.
    named = tuple(s for s in policies.resource or () if s.principals or s.not_principals)
    by_resource = _first(request, (named,), allow=True)
    # A policy that names the account leaves it to the identity's policies (KMS: "enable IAM policies").
    delegated = by_resource and naming(by_resource, request.principal) is Naming.ACCOUNT
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


def _first(
    request: Request, documents: Sequence[Document], *, allow: bool, bounded: bool = False
) -> Statement | None:
    """The first statement of this effect that applies, of those that name the principal most directly."""
    found = [s for d in documents for s in d if s.allow is allow and applies(s, request, bounded=bounded)]
    return min(found, key=lambda s: naming(s, request.principal), default=None)


def applies(statement: Statement, request: Request, *, bounded: bool = False) -> bool:
    """Whether a statement speaks of the request: principal, action, resource and every condition.

    `bounded`: the principal has a permissions boundary, which NotPrincipal looks at.
    """
    fill = filler(request.context, variables=statement.variables)
    return (
        concerns(statement, request.principal, bounded=bounded)
        and _action(statement, request.action)
        and _resource(statement, request.resource, fill)
        and all(
            holds(operator, wanted, values_of(key, request.context), fill)
            for operator, keys in statement.condition.items()
            for key, wanted in keys.items()
        )
    )


# -- actions and resources


def _action(statement: Statement, action: str) -> bool:
    if statement.not_actions:
        return not any(action_matches(a, action) for a in statement.not_actions)
    return any(action_matches(a, action) for a in statement.actions)


def _resource(statement: Statement, resource: str, fill: Fill) -> bool:
    if statement.not_resources:
        return not any(_resource_like(r, resource, fill) for r in statement.not_resources)
    # A trust policy names no resource: it hangs on the one it is about.
    return not statement.resources or any(_resource_like(r, resource, fill) for r in statement.resources)


def _resource_like(wanted: str, resource: str, fill: Fill) -> bool:
    """A pattern of the whole ARN, not of its components as in a condition.

    "If the * wildcard is the last character of a resource ARN segment, it can expand to match beyond the
    colon boundaries" (IAM user guide, "IAM JSON policy elements: Resource", 2026-11). The page leaves open
    whether one inside of a segment can too; it is assumed to (`wildcards-cross-colons` of
    sandbox/aws/assumptions.yaml), as is `?`. A pattern with a variable that has no value "will not match any
    resource" ("Variables and tags"), and so takes none out of NotResource.
    """
    filled = fill(wanted)
    return filled is not None and is_like(filled, resource)
