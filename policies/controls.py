"""The control matrix: what auditors ask for, which rule, test or person serves it, and with what result.

`docs/controls.md` is rendered from here. A control that nothing serves is shown as a gap.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final, cast

import yaml

from policies import HERE
from policies.checking import Verdicts
from policies.inventory import RULES
from policies.model import Plan

FILE: Final = HERE / "controls.yaml"
FRAMEWORKS: Final[Mapping[str, str]] = {
    "SOC2": "SOC 2 (Trust Services Criteria 2017, revised 2022)",
    "PCI": "PCI DSS 4.0.1",
    "ISO": "ISO/IEC 27001:2022, Annex A",
    "DORA": "DORA, Regulation (EU) 2022/2554",
    "NIS2": "NIS 2, Directive (EU) 2022/2555",
}


@dataclass(frozen=True, slots=True)
class Control:
    """One control, and what serves it."""

    id: str  # SOC2:CC6.1
    title: str
    rules: tuple[str, ...]
    tests: tuple[str, ...]
    resources: tuple[str, ...]  # types
    people: bool  # a matter of the company's people and procedures, not of this platform

    @property
    def framework(self) -> str:
        return self.id.partition(":")[0]

    @property
    def number(self) -> str:
        return self.id.partition(":")[2]

    @property
    def gap(self) -> bool:
        return not (self.rules or self.tests or self.resources or self.people)


@cache
def controls() -> tuple[Control, ...]:
    """All controls, in the order of the file."""
    found = cast("dict[str, dict[str, Any]]", yaml.safe_load(FILE.read_text("utf-8")))
    served: dict[str, list[str]] = {}
    for rule in RULES:
        for control in dict.fromkeys(rule.controls):
            served.setdefault(control, []).append(rule.id)
    return tuple(
        Control(
            id=id_,
            title=about["title"],
            rules=tuple(served.get(id_, ())),
            tests=tuple(about.get("tests", ())),
            resources=tuple(about.get("resources", ())),
            people=bool(about.get("people", False)),
        )
        for id_, about in found.items()
    )


def results(found: Verdicts) -> Mapping[str, str]:
    """Of each rule in a word: holds, refused, advised, cannot be told, nothing to look at."""
    by_rule: dict[str, str] = {
        rule: "holds" if times else "nothing to look at" for rule, times in found.passed.items()
    }
    for word, those in (
        ("cannot be told yet", found.untold),
        ("holds, with exceptions", found.excepted),
        ("advised", found.advised),
        ("refused", found.refused),
    ):
        by_rule |= {f.rule.id: word for f in those}
    return by_rule


# What an organization's audit account makes in the accounts of stacks that leave detection to it.
OF_THE_ORGANIZATION: Final = frozenset({"aws:guardduty/detector:Detector", "aws:securityhub/account:Account"})


def result(control: Control, by_rule: Mapping[str, str], plan: Plan) -> str:
    """What a run says of a control: the worst of its rules, and whether its resources are there."""
    words = {by_rule.get(rule, "not run") for rule in control.rules}
    absent = {kind for kind in control.resources if kind not in plan.by_type}
    left = absent & OF_THE_ORGANIZATION if plan.setting("detection") == "organization" else set[str]()
    missing = [kind for kind in control.resources if kind in absent - left]
    order = ("refused", "not run", "advised", "cannot be told yet", "holds, with exceptions", "holds")
    for word in order:
        if word in words:
            return f"missing: {', '.join(missing)}" if missing and word.startswith("holds") else word
    if missing:
        return f"missing: {', '.join(missing)}"
    if control.resources:
        return "by the organization" if left else "there"
    if control.rules:
        return "nothing to look at"
    return "by tests" if control.tests else "by people" if control.people else "GAP"


def rows(found: Verdicts) -> list[dict[str, Any]]:
    """The matrix for machines, a control each, in the order of the file."""
    by_rule = results(found)
    return [
        {**asdict(c), "framework": c.framework, "result": result(c, by_rule, found.plan)} for c in controls()
    ]


def page(found: Verdicts, source: str, note: Sequence[str] = ()) -> str:
    """The whole page; `source` says which plan it speaks of, `note` stands beneath the title."""
    by_rule = results(found)
    all_of = controls()
    gaps = [c for c in all_of if c.gap]
    served, people = sum(bool(c.rules) for c in all_of), sum(c.people for c in all_of)
    lines = [
        "# Controls",
        "",
        *note,
        f"Which rule, test, resource or person serves each control, and whether the rules hold in {source}.",
        "Titles are this project's words, not the standards'. For dated and sealed evidence of your own",
        "stack: `tenantry policy evidence --stack STACK --out DIR`.",
        "",
        f"{len(all_of)} controls: {served} served by {len(RULES)} rules, {people} by people and procedures",
        f"outside this platform, {len(gaps)} by nothing (the gaps).",
        "",
        "## Gaps",
        "",
        *(f"- {FRAMEWORKS[c.framework].split(',')[0].split(' (')[0]} {c.number}: {c.title}" for c in gaps),
    ]
    for key, title in FRAMEWORKS.items():
        lines += ["", f"## {title}", "", "| control | served by | result |", "| --- | --- | --- |"]
        lines += [_row(c, by_rule, found.plan) for c in all_of if c.framework == key]
    return "\n".join([*lines, ""])


def _row(control: Control, by_rule: Mapping[str, str], plan: Plan) -> str:
    served: Sequence[str] = (
        *(f"rule `{r}`" for r in control.rules),
        *(f"tests `{t}`" for t in control.tests),
        *(f"resource `{r}`" for r in control.resources),
        *(("people",) if control.people else ()),
    )
    return f"| {control.number} {control.title} | {_joined(served)} | {result(control, by_rule, plan)} |"


def _joined(words: Iterable[str]) -> str:
    return ", ".join(words) or "nothing"
