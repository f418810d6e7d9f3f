"""Refuses a refresh that would drop much of the state, as with wrong credentials or a slow cloud.

A preview of the refresh is made first. If it would drop more than a few resources from the state, it is
refused. Keys that are pending deletion are left out of the refresh.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from recovery.engine import RecoveryError, Stack, last_line, mapping, resources

ACCEPT: Final = "TENANTRY_VANISHED"
FEW: Final = 3
SHARE: Final = 0.05  # of the state
KEY: Final = "aws:kms/key:Key"
# As `components.tenants.tenant_key_and_role` tags what may be deleted; the boundary keeps others from it.
LEAVING, ENDING = "leaving", "ending"
LOOK: Final = ("refresh", "--preview-only", "--suppress-progress", "--urns")


def keys_pending_deletion(stack: Stack) -> Sequence[str]:
    """The URNs that a refresh has to leave out, see `pending_keys_among_dropped`; raises
    `RecoveryError` where it would drop many others, unless their number is accepted.
    """
    known = len(resources(stack.export()))
    status, output = stack.pulumi(*LOOK)
    if status:
        raise RecoveryError(f"stack {stack.name}: the cloud could not be read: {last_line(output)}")
    gone, keys = urns_dropped_by_refresh(stack, output), pending_keys_among_dropped(stack, output)
    others = len(gone) - len(keys)
    if others > max(FEW, known * SHARE) and stack.env.get(ACCEPT) != str(others):
        raise RecoveryError(
            f"stack {stack.name}: a refresh would drop {others} of {known} resources, since the cloud does"
            " not show them; nothing was changed; other credentials or a cloud that is late look like this:"
            f" see `pulumi refresh --preview-only`, and if they really are gone, set {ACCEPT}={others}"
        )
    return keys


def urns_dropped_by_refresh(stack: Stack, output: str) -> Sequence[str]:
    """The URNs that a refresh would drop, as a look at it printed them."""
    found = re.findall(r"^\s*- +(urn:\S+) delete\s*$", output, re.MULTILINE)
    count = re.search(r"^\s*- (\d+) to delete", output, re.MULTILINE)
    if len(found) != (int(count[1]) if count else 0):  # another engine, with other words
        raise RecoveryError(
            f"stack {stack.name}: `pulumi {' '.join(LOOK)}` says how many resources a refresh would drop, and"
            " names others; nothing was changed; use the version of pulumi that this was tried with"
        )
    return found


def pending_keys_among_dropped(stack: Stack, output: str) -> Sequence[str]:
    """Keys of tenants that leave which a refresh would drop: the provider takes a key that waits for its
    deletion for gone (terraform-provider-aws, `findKeyByID`, 2026-11), and the next run would make another.
    """
    gone = set(urns_dropped_by_refresh(stack, output))
    return [
        r["urn"]
        for r in (resources(stack.export()) if gone else ())
        if r["urn"] in gone and r["type"] == KEY and _belongs_to_leaving_tenant(r)
    ]


def exclude_options(keys: Sequence[str]) -> list[str]:
    """What a refresh is told so that it leaves them out."""
    return [word for urn in keys for word in ("--exclude", urn)]


def why_excluded(stack: Stack, keys: Sequence[str]) -> str:
    """For a person: which keys, and why a refresh must not believe the cloud."""
    names = ", ".join(urn.rsplit("::", 1)[1] for urn in keys)
    return (
        f"stack {stack.name}: the keys of tenants that leave ({names}) wait for their deletion, and a refresh"
        " would take them for gone, so that the next run makes others"
    )


def _belongs_to_leaving_tenant(resource: Mapping[str, Any]) -> bool:
    tags = mapping(mapping(resource.get("inputs")).get("tags"))
    return tags.get(LEAVING) == ENDING
