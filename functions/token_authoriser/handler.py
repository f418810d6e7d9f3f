"""The entry point: takes a token, and returns what its caller may do with the API."""

import json
import logging
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from functions.common.keep_active import answers_keep_active

from .keys import Keys, fetch
from .tokens import Expected, FindKey, TokenError, check

_BEARER: Final = re.compile(r"Bearer ([\w.~+/-]+)", re.ASCII)
_TENANT: Final = re.compile("[a-z][a-z0-9-]{2,39}")
log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Operation:
    """One operation of the contract and the scope that it takes."""

    method: str
    path: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class Rules:
    """From the function's environment."""

    expected: Expected
    tenant_claim: str
    operations: Sequence[Operation]

    @classmethod
    def parse(cls, environment: Mapping[str, str]) -> "Rules":
        operations = [
            Operation(o["method"], o["path"], frozenset(o["scopes"]))
            for o in json.loads(environment["OPERATIONS"])
        ]
        expected = Expected(environment["ISSUER"], environment["AUDIENCE"])
        return cls(expected, environment["TENANT_CLAIM"], operations)


class UnauthorisedError(Exception):
    """API Gateway answers 401 to exactly this text, and 500 to any other."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


@answers_keep_active
def handle(event: Mapping[str, Any], _context: object) -> Mapping[str, Any]:
    """What API Gateway calls."""
    rules, keys = _configured()
    return authorise(event, rules, keys.find, time.time())


@cache
def _configured() -> tuple[Rules, Keys]:
    rules = Rules.parse(os.environ)
    return rules, Keys(rules.expected.issuer, fetch)


def authorise(event: Mapping[str, Any], rules: Rules, find_key: FindKey, now: float) -> Mapping[str, Any]:
    """Whom the token names, and every operation that its scopes allow: the answer is kept for others."""
    bearer = _BEARER.fullmatch(str(event.get("authorizationToken")))
    try:
        if bearer is None:
            raise TokenError("no bearer token")
        claims = check(bearer[1], rules.expected, find_key, now)
        tenant = claims.get(rules.tenant_claim)
        if not isinstance(tenant, str) or not _TENANT.fullmatch(tenant):
            raise TokenError("names no tenant")
    except TokenError as why:
        log.info("refused: %s", why)
        raise UnauthorisedError from None
    return {
        "principalId": tenant,
        "context": {"tenant": tenant},
        "policyDocument": _policy(event["methodArn"], rules.operations, _scopes(claims)),
    }


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """As `scope` (RFC 9068) or as `scp`, which some issuers write; a text or a list."""
    scope = claims.get("scope", claims.get("scp", ""))
    return frozenset(scope.split() if isinstance(scope, str) else map(str, scope))


def _policy(arn: str, operations: Sequence[Operation], scopes: frozenset[str]) -> Mapping[str, Any]:
    stage = "/".join(arn.split("/")[:2])
    allowed = [
        f"{stage}/{o.method}{re.sub('{[^}]*}', '*', o.path)}" for o in operations if o.scopes <= scopes
    ]
    statement = (
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": allowed}
        if allowed
        else {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": [f"{stage}/*"]}
    )
    return {"Version": "2012-10-17", "Statement": [statement]}
