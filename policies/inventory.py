"""All rules, in one place. A test pins their ids: one that goes missing is seen."""

from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Final

from policies.rule import Rule
from policies.rules import (
    account,
    backups,
    encryption,
    exposure,
    firewall,
    identity,
    keys,
    records,
    resilience,
    sharing,
    tenancy,
    transit,
    workloads,
)

ROOMS: Final[tuple[ModuleType, ...]] = (
    *(encryption, keys, transit, exposure, sharing, firewall, identity, tenancy),
    *(workloads, records, resilience, backups, account),
)
RULES: Final[tuple[Rule, ...]] = tuple(rule for room in ROOMS for rule in room.RULES)
BY_ID: Final[Mapping[str, Rule]] = {rule.id: rule for rule in RULES}
EVERY: Final = "*"  # of `Rule.types`: whatever is there


def applies(rule: Rule, kind: str) -> bool:
    """Whether a rule looks at resources of a type."""
    return kind in rule.types or (EVERY in rule.types and ":" in kind)


@cache
def rules_of(kind: str) -> tuple[Rule, ...]:
    """The rules that look at resources of a type."""
    return tuple(rule for rule in RULES if applies(rule, kind))
