"""Warns in every preview about certificates that end soon: they are renewed by a deployment only."""

from __future__ import annotations

import datetime

import pulumi
from pulumi import Output


def warn_of_end(name: str, end: Output[str], days: int, resource: pulumi.Resource) -> None:
    """A warning of the engine where `end` (RFC 3339) is known and less than `days` away."""

    def look(found: str | None) -> None:
        text = ends_soon(name, found, days, datetime.datetime.now(datetime.UTC)) if found else None
        if text:
            pulumi.log.warn(text, resource)

    end.apply(look)


def ends_soon(name: str, end: str, days: int, now: datetime.datetime) -> str | None:
    """What to say of a certificate that ends within `days` of `now`, or None."""
    left = datetime.datetime.fromisoformat(end) - now
    if left > datetime.timedelta(days=days):
        return None
    when = f"ends in {left.days} days" if left.days >= 0 else "has ended"
    return f"certificate {name} {when}, on {end[:10]}; see docs/runbooks/private-ca.md"
