"""Which check covers each input of a resource type, and which inputs no check covers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import yaml

from sandbox.aws.behaviours import behaviours, head
from sandbox.aws.input_validation import rules
from sandbox.aws.refusals import checked, quotas
from sandbox.aws.type_descriptions import HERE, LOADER, describe, described

UNCHECKED: Final = HERE / "unchecked.yaml"
SOURCES: Final = {"cfn": "resource schema", "api": "botocore"}
HEAD: Final = """# What the sandbox checks

<!-- Written by `make generate`; a test compares them. -->

For each resource type that the program uses, this page lists every input that it sets, and what refuses a
wrong value of it in the sandbox. (The inputs are those of the stacks of tests/project, under mocks.)
`tenantry sandbox coverage` prints the same for your own stacks.

| word | the value is checked against |
| --- | --- |
| resource schema | CloudFormation's schema of the type, compiled into `sandbox/aws/input_rules.json` |
| botocore | AWS's service model, compiled into the same file |
| nested | the same two, for each part of the value |
| described | values, bounds, patterns and exclusions in `sandbox/aws/types/` |
| unique | other resources, which may not have the same value |
| reference | resources of this account and Region, one of which it must name |
| *a name in italics* | a rule of that name, written by hand with its source, in `sandbox/aws/refusals/` |
| kind | true or false; nothing else can be wrong with it |

An input that the type does not have, and a required one that is missing, are refused for every type.
"""


@dataclass(frozen=True)
class CoveredInput:
    """An input of a type, and by what it is judged: nothing where `by` is empty."""

    token: str
    key: str
    by: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.token} {self.key}"


def covered_inputs(used: Mapping[str, Iterable[str]]) -> list[CoveredInput]:
    """Every input in use, in order."""
    return [CoveredInput(t, k, tuple(_by(t, k))) for t in sorted(used) for k in sorted(used[t])]


def _by(token: str, key: str) -> Iterable[str]:
    described, rule = describe(token), rules()["types"][token].get(key, {})
    yield from (SOURCES[s] for s in sorted(_sources(rule)))
    if "of" in rule:
        yield "nested"
    if any(key in part for part in (described.allow, described.range, described.match, described.exclusive)):
        yield "described"
    if key in (described.unique or ()):
        yield "unique"
    if any(path.split(".")[0] == key for path in described.refs):
        yield "reference"
    yield from sorted({f"*{name}*" for name in checked(token).get(key, ())})
    if key == "tags" and described.taggable:
        yield "*tags*"
    if rule.get("kind") == "boolean":
        yield "kind"


def _sources(rule: Mapping[str, Any]) -> set[str]:
    found = [*rule.get("checks", ()), *rule.get("each", ())]
    return {source for check in found for source in check["by"].split("+")}


@cache
def unchecked_inputs() -> dict[str, str]:
    """Type and input → why nothing judges it."""
    # The loader is yaml's safe one.
    reasons = yaml.load(UNCHECKED.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506
    return {name: reason for reason, names in reasons.items() for name in names}


def findings(rows: list[CoveredInput]) -> list[str]:
    """What is neither judged nor listed, and what is listed though it is judged or not in use."""
    bare = {r.name for r in rows if not r.by}
    missing = [
        f"{n}: nothing judges it, and it is not in {UNCHECKED.name}"
        for n in sorted(bare - set(unchecked_inputs()))
    ]
    stale = [
        f"{n}: in {UNCHECKED.name}, and judged or not in use" for n in sorted(set(unchecked_inputs()) - bare)
    ]
    return missing + stale


def render(rows: list[CoveredInput]) -> str:
    """The page: types in use, whose `rows` these are, and those that could be."""
    lines = [HEAD.rstrip(), head(), f"{_summary(rows)}\n"]
    for token in dict.fromkeys(r.token for r in rows):
        limits = quotas.limited(token)
        lines.append(f"## {token}")
        lines.append(behaviours(token))
        if limits:
            lines.append(f"Quotas: {', '.join(limits)}.\n")
        lines.append("| input | judged by |\n| --- | --- |")
        lines += [
            f"| `{r.key}` | {', '.join(r.by) or unchecked_inputs().get(r.name, '')} |"
            for r in rows
            if r.token == token
        ]
        lines.append("")
    lines += [*_not_in_use({r.token for r in rows}), ""]
    return "\n".join(lines).rstrip() + "\n"


def _not_in_use(used: set[str]) -> Iterable[str]:
    """Types that no stack has; when one has, its inputs that nothing judges must say why."""
    yield from ("## Known, and not in use", "| type | inputs that are judged |", "| --- | --- |")
    for token in described():
        if token not in used:
            inputs = covered_inputs({token: describe(token).inputs})
            yield f"| `{token}` | {sum(1 for i in inputs if i.by)} of {len(inputs)} |"


def _summary(rows: list[CoveredInput]) -> str:
    types, bare = len({r.token for r in rows}), sum(1 for r in rows if not r.by)
    return (
        f"{types} types, {len(rows)} inputs in use: {len(rows) - bare} are judged, {bare} cannot be wrong by"
        " themselves, and say why."
    )
