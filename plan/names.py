"""Physical names of resources: deterministic, within each service's length limit, never colliding.

A name is `<project>-<stack>-<parts>`, so that a person can find it, a lost create can be looked up,
and two stacks of one account never meet. Names too long for their kind keep their head and end in a
hash of the whole (a cut without a hash is how two tenants come to share a database).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PROJECT: Final = "tenantry"
_HASH: Final = 8

# Longest name of each kind (AWS service quotas and API references, 2026-11).
LIMITS: Final[Mapping[str, int]] = {
    "role": 64,
    "policy": 128,
    "bucket": 63,
    "database": 63,
    "load-balancer": 32,
    "target-group": 32,
    "trust-store": 32,
    "queue": 80,
    "topic": 256,
    "function": 64,
    "state-machine": 80,
    "schedule": 64,
    "schedule-group": 64,
    "service": 255,
    "repository": 256,
    "secret": 512,
    "log-group": 512,
    "parameter": 1011,
    "alias": 256,
    "subnet-group": 255,
    "parameter-group": 255,
    "security-group": 255,
    "alarm": 255,
    "web-acl": 128,
    "vault": 50,
    "any": 64,
}


@dataclass(frozen=True, slots=True)
class Names:
    """Labels of one stack."""

    stack: str
    account_id: str

    def label(self, kind: str, *parts: str) -> str:
        """`tenantry-dev-acme-key`, cut with a hash where the kind's limit asks for it."""
        return fit("-".join((PROJECT, self.stack, *parts)), LIMITS[kind])

    def path(self, kind: str, *parts: str) -> str:
        """The same with slashes, for secrets, parameters and log groups: `tenantry/dev/tenants/acme`."""
        return fit("/".join((PROJECT, self.stack, *parts)), LIMITS[kind])

    def bucket(self, *parts: str) -> str:
        """Buckets share one name space over all accounts, so the account is part of the name."""
        return fit("-".join((PROJECT, self.stack, *parts, self.account_id)), LIMITS["bucket"])


def fit(name: str, limit: int) -> str:
    """`name` itself, or its head and a hash of the whole in `limit` characters."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    return f"{name[: limit - _HASH - 1].rstrip('-/')}-{digest}"


def sql_name(tenant_id: str) -> str:
    """A tenant's role and schema: `acme-pay` → `t_acme_pay`; injective, since ids have no underscore."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", tenant_id):
        raise ValueError(f"not a tenant id: {tenant_id!r}")
    return "t_" + tenant_id.replace("-", "_")
