"""A tenant's keys: which is in use, which edits are refused, and what stays under earlier keys.

A new key is for one that may be known to somebody. It is another thing than the yearly turn of a key's
material, which KMS does by itself and which leaves everything readable to who could read it before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from tenants.lifecycle.registry_changes import TransitionError
from tenants.models import MOST_KEYS, Placement, Tenant
from tenants.phases import Phase

Problem = tuple[str, tuple[str, ...], str, str]
"""Tenant, path of the field, what is wrong, what would be right."""

# While data moves or leaves, which key is where must not change under the hands of who does it.
SETTLED: Final = frozenset({Phase.ACTIVE, Phase.SUSPENDED})
OLD_VERSIONS_DAYS: Final = 90  # that earlier versions of artefacts are kept


def next_key(tenant: Tenant, placement: Placement | None) -> int:
    """The number of the tenant's next key; raises `TransitionError`."""
    if tenant.phase not in SETTLED:
        raise TransitionError(f"{tenant.id} is in {tenant.phase}; {_SETTLE}")
    if placement is None or placement.key != tenant.key:
        raise TransitionError(f"key {tenant.key} of {tenant.id} was not run yet; run pulumi up first")
    if tenant.key == MOST_KEYS:
        raise TransitionError(f"{tenant.id} has had {MOST_KEYS} keys, which is the most")
    return tenant.key + 1


_SETTLE: Final = "finish or abort its move, or lead it back from leaving, before it gets another key"


def problems(tenant: Tenant, placement: Placement) -> list[Problem]:
    """A key is followed by the next one, in a run of its own, and never by an earlier one."""
    if tenant.key == placement.key:
        return []
    wrong = f"key goes from {placement.key} to {tenant.key}"
    right = f"after key {placement.key} comes {placement.key + 1}, and no earlier one is taken into use again"
    if tenant.key == placement.key + 1:
        if {tenant.phase, placement.phase} <= SETTLED:
            return []
        right = _SETTLE
    return [(tenant.id, ("key",), wrong, right)]


def newcomer(tenant: Tenant) -> Problem:
    return tenant.id, ("key",), f"begins with key {tenant.key}", "take key out: the first one is key 1"


@dataclass(frozen=True, slots=True)
class KeyLeftover:
    """What stays under an earlier key because nothing can re-encrypt it where it is."""

    what: str
    key: int  # the number of the key
    todo: str

    def plain(self) -> Mapping[str, Any]:
        return asdict(self)


def leftovers_of_earlier_keys(tenant: Tenant, placement: Placement) -> Sequence[KeyLeftover]:
    """What a person has to see to, or wait for, before nothing needs the earlier keys any more."""
    found: list[KeyLeftover] = []
    for key in range(1, placement.key):
        found += [
            KeyLeftover(
                "earlier versions of artefacts",
                key,
                f"nothing: they are deleted {OLD_VERSIONS_DAYS} days after the run that copied them",
            ),
            KeyLeftover(
                "what the services have encrypted for the tenant themselves, such as columns",
                key,
                "re-encrypt their data keys; the tenant's role may still decrypt with the earlier key",
            ),
        ]
        if placement.issued:
            found.append(
                KeyLeftover(
                    "backups and snapshots of databases of its own",
                    key,
                    "wait until the automatic ones have aged; delete last snapshots, or copy them under the"
                    " new key",
                )
            )
    if placement.instance and placement.stored < placement.key:
        found.append(
            KeyLeftover(
                "its database, with the password of its administrator and its performance data",
                placement.stored,
                f"move the tenant to a new one: python -m tenants move {tenant.id} --to KIND",
            )
        )
    return found
