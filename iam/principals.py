"""The principal of a request, and whether a policy statement names it.

Rules: IAM user guide, "AWS JSON policy elements: Principal" and "NotPrincipal", "Permissions boundaries for
IAM entities", "Policy evaluation logic" (source of 2023-05-11, the last that AWS published, and the pages
of 2026-11).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from iam.documents import EVERYONE, Statement


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `arn` is what a policy may name: a role's ARN, a service (`lambda.amazonaws.com`)."""

    kind: str  # AWS, Service, Federated
    arn: str
    account: str = ""
    session: str = ""  # ARN of the assumed role's session, where it is one


class Naming(IntEnum):
    """How a statement names a principal, what gives most first."""

    ITSELF = 0  # the user, the session, or everybody: no boundary and no session policy limits the grant
    ROLE = 1  # the role behind the session
    ACCOUNT = 2  # its account alone, which leaves it to the identity's own policies


def naming(statement: Statement, principal: Principal) -> Naming:
    """How a statement that applies to the principal names it."""
    names = {n for those in statement.principals.values() for n in those}
    if EVERYONE in names or (principal.session or principal.arn) in names:
        # `"*"` names the session: "permissions boundaries or session policies do not limit permissions
        # granted using aws:PrincipalArn with a wildcard in the Principal element".
        return Naming.ITSELF
    return Naming.ACCOUNT if names & _account_names(principal) and principal.arn not in names else Naming.ROLE


def concerns(statement: Statement, principal: Principal, *, bounded: bool) -> bool:
    """Whether a statement's Principal or NotPrincipal covers it; `bounded`: it has a permissions boundary."""
    if statement.not_principals:
        return not _excepted(statement, principal, bounded=bounded)
    # Policies of identities, boundaries, sessions and SCPs name nobody: they are somebody's.
    return not statement.principals or _is_named(statement.principals, principal, _names(principal))


def _excepted(statement: Statement, principal: Principal, *, bounded: bool) -> bool:
    """Whether NotPrincipal takes the principal out of the statement.

    A Deny takes out who is named with all that AWS may check one after the other, account, role and session,
    and nobody who has a permissions boundary. Of an Allow, which AWS no longer supports, one name is enough.
    """
    if not statement.allow and bounded and principal.kind == "AWS":
        return False
    ways = [_names(principal)] if statement.allow else _each_way(principal)
    return all(_is_named(statement.not_principals, principal, names) for names in ways)


def _is_named(principals: Mapping[str, tuple[str, ...]], principal: Principal, names: frozenset[str]) -> bool:
    # `{"AWS": "*"}` is `"*"`: everybody, AWS's services too.
    return any(
        (name == EVERYONE and kind in (principal.kind, "AWS", EVERYONE))
        or (name in names and kind == principal.kind)
        for kind, those in principals.items()
        for name in those
    )


def _each_way(principal: Principal) -> list[frozenset[str]]:
    ways = [frozenset({principal.arn}), frozenset({principal.session}), _account_names(principal)]
    return [way - {""} for way in ways if way - {""}]


def _names(principal: Principal) -> frozenset[str]:
    """By what a policy may name it: itself, its session, its account in either form."""
    return frozenset(name for way in _each_way(principal) for name in way)


def _account_names(principal: Principal) -> frozenset[str]:
    if not principal.account or principal.kind != "AWS":
        return frozenset()
    return frozenset({principal.account, f"arn:aws:iam::{principal.account}:root"})
