"""The tags of a resource: its own over those that its provider gives everything."""

import json
from collections.abc import Mapping
from typing import Any, cast

from policies.model import UNKNOWN, Plan, Resource


def tags_of(resource: Resource, plan: Plan) -> Mapping[str, Any] | None:
    """The tags as they will be; None where they are not known yet."""
    given: dict[str, Any] = dict(_of_provider(resource, plan))
    for name in ("tagsAll", "tags"):
        found = resource.get(name, {})
        if found is UNKNOWN:
            return None
        given |= found
    return given


def _of_provider(resource: Resource, plan: Plan) -> Mapping[str, Any]:
    """The engine keeps a provider's settings as JSON text."""
    provider = plan.by_urn.get(resource.provider)
    found: Any = provider.get("defaultTags", {}) if provider else {}
    if isinstance(found, str):
        found = json.loads(found)
    return cast("Mapping[str, Any]", found.get("tags") or {}) if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownMemberType]
