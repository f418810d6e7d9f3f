"""The parts of a rule: id, check, severity, remedy, controls, and two examples."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from policies.model import Outcome, Plan, Resource, Verdict

Check: TypeAlias = Callable[[Resource, Plan], Verdict]


class Severity(StrEnum):
    """Whether a failure stops a preview."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"


@dataclass(frozen=True, slots=True)
class Ref:
    """In an example, an output of another of its resources: `Ref("key", "arn")`."""

    name: str
    output: str = "arn"


@dataclass(frozen=True, slots=True)
class Made:
    """A resource of an example."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool = False
    parent: str = ""  # the name of the component that it hangs below, if any


@dataclass(frozen=True, slots=True)
class Example:
    """A resource that the rule looks at, what it needs, and what is made for it."""

    subject: Made
    before: tuple[Made, ...] = ()
    after: tuple[Made, ...] = ()

    @property
    def resources(self) -> tuple[Made, ...]:
        """All of them, in the order that they are made."""
        return (*self.before, self.subject, *self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One guardrail over the resources of some types.

    `whole_plan` says that it looks at more than the resource: it is decided when all are known.
    """

    id: str
    title: str  # what must hold, one sentence
    types: tuple[str, ...]
    check: Check
    remedy: str
    controls: tuple[str, ...]
    good: Example
    bad: Example
    severity: Severity = Severity.MANDATORY
    whole_plan: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of one resource, unless it passes."""

    rule: Rule
    resource: Resource
    verdict: Verdict

    @property
    def stops(self) -> bool:
        """Whether it refuses the plan."""
        return self.verdict.outcome is Outcome.FAIL and self.rule.severity is Severity.MANDATORY

    def __str__(self) -> str:
        return f"{self.rule.id}: {self.resource.label}: {self.verdict.why}"


@dataclass(frozen=True, slots=True)
class Results:
    """What a set of rules says of a plan: counts for each rule, and every verdict that is not a pass."""

    passed: Mapping[str, int]
    findings: tuple[Finding, ...] = field(default=())
