"""Applies rules to a plan: every result that is not a pass, and how often each rule passed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from policies.inventory import RULES, applies
from policies.model import Outcome, Plan, Resource, Verdict, fail
from policies.rule import Finding, Results, Rule

ENGINE = ("pulumi:pulumi:Stack", "pulumi:providers:")


def judge(plan: Plan, rules: Sequence[Rule] = RULES) -> Results:
    """What the rules say of a plan, worst first, then by rule and resource."""
    passed: Counter[str] = Counter({rule.id: 0 for rule in rules})
    findings: list[Finding] = []
    for rule, resource, verdict in verdicts(plan, rules):
        if verdict.outcome is Outcome.PASS:
            passed[rule.id] += 1
        else:
            findings.append(Finding(rule, resource, verdict))
    findings.sort(key=lambda f: (-f.verdict.outcome.rank, f.rule.id, f.resource.urn))
    return Results(dict(passed), tuple(findings))


def verdicts(plan: Plan, rules: Iterable[Rule] = RULES) -> Iterator[tuple[Rule, Resource, Verdict]]:
    """Each rule on each resource that it looks at."""
    rules = tuple(rules)
    for kind, resources in plan.by_type.items():
        for rule in rules:
            if applies(rule, kind):
                for resource in resources:
                    yield rule, resource, look(rule, resource, plan)


def look(rule: Rule, resource: Resource, plan: Plan) -> Verdict:
    """One rule on one resource. An input of a wrong shape is a failure, never a traceback."""
    try:
        return rule.check(resource, plan)
    except (AttributeError, KeyError, TypeError, ValueError) as wrong:
        return fail(f"an input is not of the shape that the type takes ({wrong})")
