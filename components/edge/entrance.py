"""What the API gives to each tenant's component: where to create keys and clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import Input


@dataclass(frozen=True, kw_only=True)
class ClientPool:
    """Where the cell makes clients for tenants itself."""

    user_pool_id: Input[str]
    scopes: Input[list[str]]
    token_url: Input[str]


@dataclass(frozen=True, kw_only=True)
class ApiEntrance:
    """What the edge of a cell offers to each of its tenants."""

    url: Input[str]
    usage_plan_ids: Mapping[str, Input[str]]  # by service plan
    clients: ClientPool | None  # None where another issuer makes clients, and its tokens name tenants
