"""The tags of a resource: its own over its provider's default tags."""

import json
from collections.abc import Mapping
from typing import Any, cast

from policies.model import HIDDEN, UNKNOWN, Plan, Resource


def tags_of(resource: Resource, plan: Plan) -> Mapping[str, Any] | None:
    """The tags as they will be, a value may be `UNKNOWN`; None where it is not known which there are."""
    given = _of_provider(resource, plan)
    for name in ("tagsAll", "tags"):
        found = resource.get(name, {})
        if given is None or not isinstance(found, Mapping):
            return None
        given = {**given, **cast("Mapping[str, Any]", found)}
    return given


def known_tags_of(resource: Resource, plan: Plan) -> dict[str, str]:
    """Those tags whose values are known."""
    return {k: v for k, v in (tags_of(resource, plan) or {}).items() if isinstance(v, str)}


def _of_provider(resource: Resource, plan: Plan) -> Mapping[str, Any] | None:
    """The engine keeps a provider's settings as JSON text."""
    provider = plan.by_urn.get(resource.provider)
    found: Any = provider.get("defaultTags", {}) if provider else {}
    if found is UNKNOWN or found == HIDDEN:
        return None
    settings: Any = json.loads(found) if isinstance(found, str) else found
    return cast("Mapping[str, Any]", settings.get("tags") or {})
