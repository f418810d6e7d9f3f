"""The pack as the engine calls it: each resource by itself, then all of them."""

from collections.abc import Mapping
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from policies.exceptions import Allowed, Exceptions
from policies.inventory import RULES
from policies.judge import look
from policies.model import Outcome, Plan
from policies.pack import Pack
from tests.policies.plans import committed

pytestmark = pytest.mark.usefixtures("judged_in_checkout")
KEY = "aws:kms/key:Key"
ON = date(2026, 11, 23)
TURNS = {"enableKeyRotation": True, "rotationPeriodInDays": 90, "deletionWindowInDays": 30}
TAGS = {"tags": {"project": "tenantry", "cell": "prod", "environment": "prod"}}


def made(kind: str, name: str, props: Mapping[str, Any], *, protect: bool = True) -> SimpleNamespace:
    return SimpleNamespace(
        urn=f"urn:pulumi:prod::tenantry::{kind}::{name}",
        resource_type=kind,
        props={**TAGS, **props},
        opts=SimpleNamespace(protect=protect),
        parent=None,
        provider=None,
        property_dependencies={},
    )


def messages(exceptions: Exceptions, *resources: SimpleNamespace) -> dict[str, list[str]]:
    """What each of the three policies reports."""
    pack, found = Pack(exceptions), {"resource": [], "stack": [], "advice": []}
    args: Any = SimpleNamespace(resources=list(resources))
    for one in resources:
        pack.resource(one, lambda text, _urn: found["resource"].append(text))  # type: ignore[arg-type]
    pack.stack(args, lambda text, _urn: found["stack"].append(text))
    pack.advice(args, lambda text, _urn: found["advice"].append(text))
    return found


def allowed(resource: str, expires: date) -> Exceptions:
    one = Allowed(
        rule="key-rotates",
        resource=resource,
        stacks="*",
        reason="the partner's key cannot be turned yet",
        owner="a@b.example",
        expires=expires,
    )
    return Exceptions((one,), ON)


def test_a_good_plan_is_let_through_without_a_word() -> None:
    assert messages(Exceptions(), made(KEY, "it", TURNS)) == {"resource": [], "stack": [], "advice": []}


def test_what_is_wrong_by_itself_is_told_once_and_before_the_end() -> None:
    found = messages(Exceptions(), made(KEY, "it", {**TURNS, "rotationPeriodInDays": 365}))
    assert [text.split("]")[0] for text in found["resource"]] == ["[key-rotates"]
    assert found["stack"] == []


def test_what_is_wrong_among_all_is_told_at_the_end() -> None:
    found = messages(
        Exceptions(), made(KEY, "it", TURNS, protect=False), made("aws:sqs/queue:Queue", "q", {})
    )
    assert any("[queue-tls]" in text for text in found["stack"])
    assert not any("[queue-tls]" in text for text in found["resource"])


@pytest.mark.parametrize(
    ("expires", "turned", "resource", "stack"),
    [
        (ON, False, 0, []),
        (date(2026, 11, 22), False, 1, ["expired on 2026-11-22"]),
        (ON, True, 0, ["is needed by nothing"]),
    ],
)
def test_an_exception_holds_until_it_expires_and_must_be_needed(
    expires: date, turned: bool, resource: int, stack: list[str]
) -> None:
    inputs = TURNS if turned else {**TURNS, "enableKeyRotation": False}
    found = messages(allowed(f"{KEY}::it", expires), made(KEY, "it", inputs))
    assert len(found["resource"]) == resource
    notes = [text for text in found["stack"] if "exceptions.yaml" in text]
    assert [part in text for part, text in zip(stack, notes, strict=True)] == [True] * len(stack)


def test_what_cannot_be_told_is_one_line_with_counts() -> None:
    unknown = "3eeb2bf0-c639-47a8-9e75-3b44932eb421"
    keys = [made(KEY, name, {**TURNS, "rotationPeriodInDays": unknown}) for name in ("a", "b")]
    (line,) = messages(Exceptions(), *keys)["advice"]
    assert "key-rotates (2)" in line


def test_what_a_rule_refuses_by_itself_it_refuses_among_all() -> None:
    """A rule that is asked before all is known may doubt then, and may not refuse what is right later."""
    plan = committed("prod")
    for rule in (r for r in RULES if not r.whole_plan):
        for it in (r for kind in rule.types for r in plan.of(kind)):
            alone = look(rule, it, Plan((it,), plan.stack, plan.config)).outcome
            among = look(rule, it, plan).outcome
            assert alone is among or alone is Outcome.UNKNOWN, (rule.id, it.label)
