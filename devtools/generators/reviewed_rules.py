"""Adds new guardrails to the list of reviewed ones, tests/policies/reviewed_rules.yaml: `make generate`.

A rule that was removed, or has another severity, stays in the list as it was, so that the test which compares
them fails until somebody edits the list by hand.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import yaml

from devtools.paths import ROOT
from policies.rule import Rule

FILE: Final = ROOT / "tests" / "policies" / "reviewed_rules.yaml"


def reviewed(text: str) -> Mapping[str, str]:
    """Id → severity."""
    return yaml.safe_load(text) or {}


def render(text: str, rules: Iterable[Rule]) -> str:
    """The file with the rules that it does not have yet; its comment and all else stay."""
    comment = [line for line in text.splitlines(keepends=True) if line.startswith("#")]
    listed = {**{rule.id: str(rule.severity) for rule in rules}, **reviewed(text)}
    return "".join([*comment, *(f"{id_}: {severity}\n" for id_, severity in sorted(listed.items()))])
