"""Every rule on its own examples, and on what the program plans."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from devtools.generators.reviewed_rules import FILE, render, reviewed
from policies.examples import plan_of
from policies.exceptions import read_exceptions
from policies.inventory import RULES, applies
from policies.judge import judge, look
from policies.model import UNKNOWN, Outcome, Plan, Resource
from policies.rule import Rule, Severity
from tests.cells import EXCEPTIONS
from tests.policies.plans import changed, committed

EACH = pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
STACKS = pytest.mark.parametrize("stack", ["dev", "prod"])


def test_the_inventory_is_the_one_that_was_reviewed() -> None:
    """A rule that goes, or that loses its severity, is a change that somebody has to mean."""
    assert {rule.id: str(rule.severity) for rule in RULES} == reviewed(FILE.read_text("utf-8"))


def test_only_what_is_new_is_added_to_the_reviewed_rules() -> None:
    gone, *others = RULES
    weaker = replace(others[0], severity=Severity.ADVISORY)
    before = render("# why\n", [gone, *others[:1]])
    after = render(before, [weaker, others[1]])
    assert before.startswith("# why\n")
    assert reviewed(after) == {rule.id: str(rule.severity) for rule in (gone, *others[:2])}


def test_ids_are_unique_and_every_rule_says_all_there_is_to_say() -> None:
    assert [i for i, n in Counter(r.id for r in RULES).items() if n > 1] == []
    for rule in RULES:
        assert all((rule.title, rule.remedy, rule.controls, rule.types)), rule.id


@EACH
def test_the_good_example_is_let_through(rule: Rule) -> None:
    plan, it = plan_of(rule.good)
    assert not applies(rule, it.type) or look(rule, it, plan).outcome is Outcome.PASS


@EACH
def test_the_bad_example_is_refused_with_a_reason(rule: Rule) -> None:
    plan, it = plan_of(rule.bad)
    assert applies(rule, it.type)
    verdict = look(rule, it, plan)
    assert (verdict.outcome, bool(verdict.why)) == (Outcome.FAIL, True)


@EACH
def test_what_is_not_known_is_never_passed_silently(rule: Rule) -> None:
    """With every input of the bad example unknown, a rule may doubt or refuse; it may not be content."""
    plan, it = plan_of(rule.bad)
    if not it.inputs:
        pytest.skip("what is wrong there is that nothing is said")
    hidden = Resource(it.urn, it.type, dict.fromkeys(it.inputs, UNKNOWN), it.parent, it.protect, it.provider)
    others = tuple(hidden if r is it else r for r in plan.resources)
    assert look(rule, hidden, Plan(others, plan.stack, plan.config)).outcome is not Outcome.PASS


# What an input cannot hide: protection is the engine's own word, and a tag is there whatever it says.
TOLD_ANYHOW = {"data-protected", "tagged"}


def hidden(good: Mapping[str, Any], bad: Mapping[str, Any]) -> dict[str, Any]:
    """The good inputs, with exactly what tells them from the bad ones not known."""
    found = dict(good)
    for key in {*good, *bad}:
        one, other = good.get(key), bad.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found[key] = hidden(one, other)
        elif one != other:
            found[key] = UNKNOWN
    return found


@pytest.mark.parametrize("rule", [r for r in RULES if r.id not in TOLD_ANYHOW], ids=lambda r: r.id)
def test_what_could_be_the_bad_example_is_not_passed(rule: Rule) -> None:
    """With just the difference between the examples unknown, in the resource or in what is made for it."""
    plan, it = plan_of(rule.good)
    worse, bad = plan_of(rule.bad)
    if it.type != bad.type:
        pytest.skip("the examples are of different types")
    unknown = replace(it, inputs=hidden(it.inputs, bad.inputs), sources={})
    others = {r: unknown if r is it else r for r in plan.resources}
    if unknown.inputs == it.inputs:
        made = {one.name for one in rule.good.after}
        twins = {r.type: r for r in worse.resources}
        for r in plan.resources:
            if r.name in made and r.type in twins:
                others[r] = replace(r, inputs=hidden(r.inputs, twins[r.type].inputs))
            elif r.name in made:
                others[r] = replace(r, inputs=dict.fromkeys(r.inputs, UNKNOWN), sources={})
    seen = Plan(tuple(others.values()), plan.stack, plan.config)
    assert look(rule, others[it], seen).outcome is not Outcome.PASS


@EACH
@pytest.mark.parametrize("odd", [7, "x", [], {}, [None], {"a": {}}, True])
def test_an_input_of_an_odd_shape_is_no_traceback(rule: Rule, odd: Any) -> None:
    plan, it = plan_of(rule.good)
    strange = Resource(it.urn, it.type, dict.fromkeys([*it.inputs, "tags"], odd), it.parent)
    others = tuple(strange if r is it else r for r in plan.resources)
    assert look(rule, strange, Plan(others, plan.stack, plan.config)).outcome in Outcome


@STACKS
def test_the_platform_breaks_no_rule(stack: str) -> None:
    allowed = read_exceptions(EXCEPTIONS)
    found = judge(committed(stack)).findings
    assert [str(f) for f in found if f.stops and not allowed.covers(f)] == []
    assert [str(f) for f in found if f.verdict.outcome is Outcome.UNKNOWN] == []
    assert {f.rule.id for f in found if f.rule.severity is Severity.ADVISORY} <= {"secret-rotates"}


def test_most_rules_have_something_to_look_at() -> None:
    """A rule whose types the program does not use is there for what may come; most are not such."""
    passed = judge(committed("prod")).passed
    assert sum(n > 0 for n in passed.values()) > len(RULES) / 2


# What somebody might change, and the rule that must see it: kind, name, inputs.
SABOTAGE: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("database-encrypted", "rds/instance:Instance", "silo-ember-cards-instance", {"kmsKeyId": None}),
    ("database-not-public", "rds/instance:Instance", "shard-a-instance", {"publiclyAccessible": True}),
    ("key-rotates", "kms/key:Key", "cobalt-fx-identity-key", {"rotationPeriodInDays": 365}),
    ("container-read-only", "ecs/taskDefinition:TaskDefinition", "monolith-service-task-definition", {
        "containerDefinitions": '[{"name": "app", "image": "x@sha256:0", "user": "1"}]'
    }),
    ("trail-complete", "cloudtrail/trail:Trail", "baseline-trail-trail", {"enableLogFileValidation": False}),
)  # fmt: skip


@pytest.mark.parametrize(("rule", "kind", "name", "inputs"), SABOTAGE, ids=lambda x: str(x)[:24])
def test_a_change_for_the_worse_is_seen(rule: str, kind: str, name: str, inputs: dict[str, Any]) -> None:
    before = committed("dev")
    after = judge(changed(before, kind, name, inputs)).findings
    assert rule in {f.rule.id for f in after if f.stops and f.resource.name == name}
    assert rule not in {f.rule.id for f in judge(before).findings if f.stops and f.resource.name == name}


def test_a_policy_of_a_tenant_that_names_anothers_bucket_is_seen() -> None:
    plan = committed("dev")
    policy = next(r for r in plan.resources if r.name == "amber-pay-tenant-policy")
    bucket = next(r for r in plan.resources if r.name == "cobalt-fx-tenant-artefacts-bucket").inputs["bucket"]
    text = str(policy.inputs["policy"])
    worse = text.replace('"Resource":[', f'"Resource":["arn:aws:s3:::{bucket}/*",', 1)
    assert worse != text
    found = judge(changed(plan, "RolePolicy", policy.name, {"policy": worse})).findings
    assert any(f.rule.id == "tenants-apart" and "cobalt-fx" in f.verdict.why for f in found)
