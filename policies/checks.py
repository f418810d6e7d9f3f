"""The small checks that rules are made of. Each passes, fails with a reason, or cannot tell yet."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from policies.model import PASS, UNKNOWN, Outcome, Plan, Resource, Verdict, cannot_tell, fail, worst
from policies.rule import Check

KEYS: Final = ("aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", "aws:kms/externalKey:ExternalKey")
_NOT_YET: Final = "is not known before the update"


def value(path: str, test: Callable[[Any], bool], expected: str, default: Any = None) -> Check:
    """The input at `path` passes a test; `default` is what AWS takes where it is missing."""

    def check(resource: Resource, _plan: Plan) -> Verdict:
        found = resource.get(path, default)
        if found is UNKNOWN:
            return cannot_tell(f"{path} {_NOT_YET}")
        if found is not None and test(found):
            return PASS
        shown = "is missing" if found is None else f"is {found!r}"
        return fail(f"{path} {shown}, expected {expected}")

    return check


def is_true(path: str, default: bool = False) -> Check:
    return value(path, lambda v: v is True, "true", default)


def is_false(path: str, default: bool = False) -> Check:
    return value(path, lambda v: v is False, "false", default)


def one_of(path: str, *allowed: object, default: object = None) -> Check:
    return value(path, lambda v: v in allowed, " or ".join(map(repr, allowed)), default)


def between(path: str, low: float, high: float, default: float | None = None) -> Check:
    expected = f"{low:g} to {high:g}" if high < float("inf") else f"at least {low:g}"
    return value(path, lambda v: low <= float(v) <= high, expected, default)


def at_least(path: str, low: float, default: float | None = None) -> Check:
    return between(path, low, float("inf"), default)


def present(path: str) -> Check:
    return value(path, bool, "a value")


def matches(path: str, pattern: str, expected: str) -> Check:
    return value(path, lambda v: bool(re.fullmatch(pattern, str(v))), expected)


def all_of(*checks: Check) -> Check:
    """The worst of what several say."""
    return lambda resource, plan: worst([check(resource, plan) for check in checks])


def any_of(*checks: Check) -> Check:
    """The best of what several say; the first one's reason where none passes."""
    return lambda resource, plan: min(
        [check(resource, plan) for check in checks], key=lambda v: v.outcome.rank
    )


def when(condition: Check, then: Check, otherwise: Check | None = None) -> Check:
    """`then` where the condition passes, `otherwise` (a pass) where it fails."""

    def check(resource: Resource, plan: Plan) -> Verdict:
        match condition(resource, plan):
            case Verdict(Outcome.PASS):
                return then(resource, plan)
            case Verdict(Outcome.FAIL):
                return otherwise(resource, plan) if otherwise else PASS
            case doubt:
                either = worst([then(resource, plan), otherwise(resource, plan) if otherwise else PASS])
                return PASS if either.outcome is Outcome.PASS else doubt

    return check


def in_prod(then: Check) -> Check:
    """Asked for in prod only, and wherever the plan does not say what it is."""
    return lambda resource, plan: then(resource, plan) if plan.prod else PASS


def unless(path: str, then: Check) -> Check:
    """Asked for where an input is missing: `unless("replicateSourceDb", …)`."""
    return lambda resource, plan: PASS if resource.get(path) is not None else then(resource, plan)


def each(path: str, check: Callable[[Mapping[str, Any], str], Verdict]) -> Check:
    """Every mapping of a list; `check` is told where it stands: `rules[2]`."""

    def run(resource: Resource, _plan: Plan) -> Verdict:
        items = resource.get(path, ())
        if items is UNKNOWN:
            return cannot_tell(f"{path} {_NOT_YET}")
        return worst(
            cannot_tell(f"{path}[{i}] {_NOT_YET}") if item is UNKNOWN else check(item, f"{path}[{i}]")
            for i, item in enumerate(listed(items))
        )

    return run


def listed(found: object) -> Sequence[Any]:
    """A list as it is, anything else as a list of one."""
    return found if isinstance(found, (list, tuple)) else [found]  # pyright: ignore[reportUnknownVariableType]


def customer_key(path: str) -> Check:
    """A KMS key of the customer's own, by ARN or id; an alias of AWS (`alias/aws/…`) is AWS's own key."""

    def check(resource: Resource, plan: Plan) -> Verdict:
        return key_verdict(resource.get(path), path, resource, plan)

    return check


def key_verdict(found: object, path: str, resource: Resource, plan: Plan) -> Verdict:
    """Whether a value that stands at `path` is a customer's key."""
    if found is None or found == "":
        return fail(f"{path} is missing: AWS's own key, or none, would encrypt it")
    if plan.source(resource, path, *KEYS):
        return PASS
    if found is UNKNOWN:
        return cannot_tell(f"{path} {_NOT_YET}, and is not made of a key of this plan")
    text = str(found)
    if "alias/aws/" in text or text in ("AES256", "SSE_S3"):
        return fail(f"{path} is {text}, a key of AWS's own")
    if plan.named(text, *KEYS) or "alias/" in text:
        return PASS
    return cannot_tell(f"{path} is {text}, which is no key of this plan")


def companion(kind: str, path: str, check: Check | None = None, what: str = "") -> Check:
    """Another resource of a type names this one at `path`, and passes a check.

    Where a resource of that type names something that cannot be told yet, its absence cannot be either.
    """
    noun = what or kind.rsplit(":", 1)[-1]

    def run(resource: Resource, plan: Plan) -> Verdict:
        found, more = plan.attached(resource, kind, path)
        if not found:
            return cannot_tell(f"whether it has a {noun}") if more else fail(f"it has no {noun}")
        return worst(check(other, plan) for other in found) if check else PASS

    return run


def forbidden(why: str) -> Check:
    """No resource of the type may be there."""
    return lambda _resource, _plan: fail(why)


def settings_verdict(found: Iterable[Verdict]) -> Verdict:
    return worst(found)
