"""By what each input of a type is judged, and which inputs nothing judges."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import yaml

from sandbox.aws.input_validation import rules
from sandbox.aws.refusals import checked, quotas
from sandbox.aws.type_descriptions import HERE, LOADER, describe

UNCHECKED: Final = HERE / "unchecked.yaml"
SOURCES: Final = {"cfn": "resource schema", "api": "botocore"}
HEAD: Final = """# What the sandbox checks
Made by `python -m sandbox coverage --write --project tests/project`; a test says when it is stale. For each
type that the program registers (the stacks of tests/project, under mocks) every input that it gives, and by
what a wrong value is refused:

- **resource schema**, **botocore**: CloudFormation's schemas and AWS's service models, compiled into
  `sandbox/aws/input_rules.json`; **nested**: so are the parts of the value.
- **described**: values, bounds, patterns and exclusions in `sandbox/aws/types/`; **unique** there too.
- **reference**: it must lead to what exists in this account and Region.
- *rule of that name*: by hand, with its source, in `sandbox/aws/refusals/`.
- **kind**: true or false, and nothing else can be wrong with it.
- **unlisted names** and missing ones are refused for every type.
"""


@dataclass(frozen=True)
class Judged:
    """An input of a type, and by what it is judged: nothing where `by` is empty."""

    token: str
    key: str
    by: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.token} {self.key}"


def judged(used: Mapping[str, Iterable[str]]) -> list[Judged]:
    """Every input in use, in order."""
    return [Judged(t, k, tuple(_by(t, k))) for t in sorted(used) for k in sorted(used[t])]


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
def unchecked() -> dict[str, str]:
    """Type and input → why nothing judges it."""
    # The loader is yaml's safe one.
    reasons = yaml.load(UNCHECKED.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506
    return {name: reason for reason, names in reasons.items() for name in names}


def findings(rows: list[Judged]) -> list[str]:
    """What is neither judged nor listed, and what is listed though it is judged or not in use."""
    bare = {r.name for r in rows if not r.by}
    missing = [
        f"{n}: nothing judges it, and it is not in {UNCHECKED.name}" for n in sorted(bare - set(unchecked()))
    ]
    stale = [f"{n}: in {UNCHECKED.name}, and judged or not in use" for n in sorted(set(unchecked()) - bare)]
    return missing + stale


def render(rows: list[Judged]) -> str:
    """The page."""
    lines = [HEAD, f"{_summary(rows)}\n"]
    for token in dict.fromkeys(r.token for r in rows):
        limits = quotas.limited(token)
        lines.append(f"## {token}")
        if limits:
            lines.append(f"Quotas: {', '.join(limits)}.\n")
        lines.append("| input | judged by |\n| --- | --- |")
        lines += [
            f"| `{r.key}` | {', '.join(r.by) or unchecked().get(r.name, '')} |"
            for r in rows
            if r.token == token
        ]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _summary(rows: list[Judged]) -> str:
    types, bare = len({r.token for r in rows}), sum(1 for r in rows if not r.by)
    return (
        f"{types} types, {len(rows)} inputs in use: {len(rows) - bare} are judged, {bare} cannot be wrong by"
        " themselves, and say why."
    )
