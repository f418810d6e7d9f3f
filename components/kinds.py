"""The kinds of stack: what each reads, plans and creates. `tenantry:kind` in a stack's file chooses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from components.organization.organization import Organization
from components.platform import Platform
from config.settings_fields import Places, keys_of, structured
from organization import open_organization
from plan import Settings, parse_settings, plan_cell
from plan.organization import OrganizationSettings, parse_organization_settings, plan_organization
from tenants import open_registry


class Made(Protocol):
    """The one component of a stack that all others hang from."""

    exports: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Each step takes what the one before it gave; the types differ from kind to kind."""

    parse: Callable[[str, Mapping[str, object], Collection[str], Callable[[], Places]], Any]
    open_registry: Callable[[str], Any]
    plan: Callable[[Any, Any], Any]
    make: Callable[[str, Any], Made]


KINDS: Final[Mapping[str, Kind]] = {
    "cell": Kind(parse=parse_settings, open_registry=open_registry, plan=plan_cell, make=Platform),
    "organization": Kind(
        parse=parse_organization_settings,
        open_registry=open_organization,
        plan=plan_organization,
        make=Organization,
    ),
}
_MODELS: Final = (Settings, OrganizationSettings)
# Every stack is handed the defaults of all keys, those of the other kinds among them.
KEYS: Final = frozenset(key for model in _MODELS for key in keys_of(model))
STRUCTURED: Final = frozenset(key for model in _MODELS for key in structured(model))
