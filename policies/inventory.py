"""Finds all rules in the modules of `policies/rules/`.

tests/policies/reviewed_rules.yaml lists their ids, so that a test notices a missing one.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Final, cast

from policies import rules
from policies.rule import Rule


def _found() -> Iterator[Rule]:
    """The rules of all modules there, in the order of their names; a module without `RULES` helps others."""
    for name in sorted(module.name for module in iter_modules(rules.__path__)):
        module = import_module(f"{rules.__name__}.{name}")
        yield from cast("tuple[Rule, ...]", getattr(module, "RULES", ()))


RULES: Final[tuple[Rule, ...]] = tuple(_found())
BY_ID: Final[Mapping[str, Rule]] = {rule.id: rule for rule in RULES}
EVERY: Final = "*"  # of `Rule.types`: whatever is there


def applies(rule: Rule, kind: str) -> bool:
    """Whether a rule looks at resources of a type."""
    return kind in rule.types or (EVERY in rule.types and ":" in kind)


@cache
def rules_of(kind: str) -> tuple[Rule, ...]:
    """The rules that look at resources of a type."""
    return tuple(rule for rule in RULES if applies(rule, kind))
