"""What `tenantry policy check` and `rules` do. Each function returns its exit code."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from config.wording import allowed_or_near
from policies.exceptions import Allowed, Exceptions, read_exceptions
from policies.inventory import BY_ID, RULES
from policies.judge import judge
from policies.model import Outcome, Plan
from policies.preview import read_preview
from policies.rule import Finding, Rule
from policies.settings import settled

SHOWN = 3  # resources of a rule that are named where it cannot be told


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the rules say of a plan, with the exceptions of the day."""

    plan: Plan
    passed: dict[str, int]
    refused: tuple[Finding, ...]
    advised: tuple[Finding, ...]
    untold: tuple[Finding, ...]
    excepted: tuple[Finding, ...]
    expired: tuple[Allowed, ...]
    unused: tuple[Allowed, ...]

    @property
    def stale(self) -> tuple[str, ...]:
        """Exceptions that allow nothing any more, a line each."""
        return (
            *(f"exceptions.yaml: {a.rule} on {a.resource} expired on {a.expires}" for a in self.expired),
            *(f"exceptions.yaml: {a.rule} on {a.resource} is needed by nothing" for a in self.unused),
        )

    @property
    def fine(self) -> bool:
        return not (self.refused or self.stale)


def verdicts(plan: Plan, rules: Sequence[Rule], exceptions: Exceptions, *, whole: bool = True) -> Verdicts:
    """Judge a plan. `whole` says that nothing is missing in it, so that unused exceptions can be told."""
    results = judge(plan, rules)
    excepted = tuple(f for f in results.findings if exceptions.covers(f))
    rest = [f for f in results.findings if f not in excepted]
    asked = {rule.id for rule in rules}
    return Verdicts(
        plan=plan,
        passed=dict(results.passed),
        refused=tuple(f for f in rest if f.stops),
        advised=tuple(f for f in rest if f.verdict.outcome is Outcome.FAIL and not f.stops),
        untold=tuple(f for f in rest if f.verdict.outcome is Outcome.UNKNOWN),
        excepted=excepted,
        expired=tuple(a for a in exceptions.expired() if a.rule in asked),
        unused=exceptions.unused(results.findings, plan.stack, asked) if whole else (),
    )


def check(
    file: Path, stack: str | None, names: Sequence[str] | None, exceptions: Path, *, as_json: bool
) -> int:
    """Judge a saved preview or state, and print every verdict that is not a pass."""
    rules = _chosen(names)
    allowed = read_exceptions(exceptions)
    preview = read_preview(file)
    found = verdicts(settled(preview.plan, stack), rules, allowed, whole=preview.whole)
    if as_json:
        print(json.dumps(report(found), indent=2, default=str))
    else:
        for line in lines(found, whole=preview.whole):
            print(line)
    return 0 if found.fine else 1


def _chosen(names: Sequence[str] | None) -> tuple[Rule, ...]:
    for name in names or ():
        if name not in BY_ID:
            raise typer.BadParameter(f"there is no rule {name}; {allowed_or_near(name, tuple(BY_ID))}")
    return tuple(BY_ID[name] for name in names) if names else RULES


def lines(found: Verdicts, *, whole: bool) -> list[str]:
    """For people: failures first, a line each, then doubts by rule, then a sum."""
    lines = [
        f"{'FAIL' if f.stops else 'advice'}  {f}. {f.rule.remedy}" for f in (*found.refused, *found.advised)
    ]
    lines += [f"FAIL  {line}" for line in found.stale]
    lines += [f"excepted  {f}" for f in found.excepted]
    for rule, those in by_rule(found.untold):
        names = ", ".join(f.resource.name for f in those[:SHOWN])
        more = f" and {len(those) - SHOWN} more" if len(those) > SHOWN else ""
        lines.append(f"cannot tell  {rule}: {names}{more}: {those[0].verdict.why}")
    part = "" if whole else "; the file leaves out what stays as it is, save it with --show-sames"
    lines.append(
        f"{len(found.plan.resources)} resources, {len(found.passed)} rules: "
        f"{sum(found.passed.values())} passed, {len(found.refused)} refused, {len(found.advised)} advised, "
        f"{len(found.untold)} cannot be told yet, {len(found.excepted)} excepted{part}"
    )
    return lines


def by_rule(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Findings by the ids of their rules."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.rule.id, []).append(finding)
    return sorted(found.items())


def report(found: Verdicts) -> dict[str, Any]:
    """The same for machines."""

    def rows(those: Sequence[Finding]) -> list[dict[str, str]]:
        return [
            {"rule": f.rule.id, "resource": f.resource.urn, "why": f.verdict.why, "remedy": f.rule.remedy}
            for f in those
        ]

    return {
        "stack": found.plan.stack,
        "resources": len(found.plan.resources),
        "passed": found.passed,
        "refused": rows(found.refused),
        "advised": rows(found.advised),
        "cannot tell": rows(found.untold),
        "excepted": rows(found.excepted),
        "expired exceptions": [f"{a.rule} on {a.resource}" for a in found.expired],
        "unused exceptions": [f"{a.rule} on {a.resource}" for a in found.unused],
    }


def list_rules(*, as_json: bool) -> int:
    """Every rule: what must hold, how grave, which controls it serves."""
    if as_json:
        rows = [
            {"id": r.id, "title": r.title, "severity": r.severity, "remedy": r.remedy, "controls": r.controls}
            for r in RULES
        ]
        print(json.dumps(rows, indent=2))
        return 0
    for rule in RULES:
        print(f"{rule.id:<34} {rule.severity:<10} {rule.title}")
    return 0
