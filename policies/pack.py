"""The rules as a CrossGuard pack: `pulumi preview --policy-pack policies`.

Two policies decide and one advises. `guardrails` looks at each resource before it is made, `plan` at all
of them together at the end of a preview. A policy for each of the hundred rules would decode every
resource a hundred times over; the rule's id stands in its message instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, cast

from pulumi.runtime.config import CONFIG
from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.exceptions import Exceptions, read_exceptions
from policies.inventory import rules_of
from policies.judge import judge, look
from policies.model import Outcome, Plan, Resource
from policies.preview import known
from policies.rule import Finding, Severity
from policies.settings import settled

NAME: Final = "tenantry"


class Pack:
    """What the engine has shown: inputs one resource at a time, what they are made of at the end."""

    def __init__(self, exceptions: Exceptions) -> None:
        self.exceptions = exceptions
        self.inputs: dict[str, Mapping[str, Any]] = {}
        self.results: tuple[Finding, ...] | None = None

    def resource(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        """The rules that need to see one resource only; what cannot be told yet is told at the end."""
        inputs = cast("Mapping[str, Any]", known(_plain(args.props)))
        self.inputs[args.urn] = inputs
        self.results = None
        seen = Resource(args.urn, args.resource_type, inputs, protect=args.opts.protect)
        plan = _plan(seen)
        for rule in rules_of(seen.type):
            if rule.whole_plan or rule.severity is Severity.ADVISORY:
                continue
            verdict = look(rule, seen, plan)
            finding = Finding(rule, seen, verdict)
            if verdict.outcome is Outcome.FAIL and not self.exceptions.covers(finding):
                report(message(finding), args.urn)

    def stack(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """The rules that need to see everything."""
        for finding in self._judged(args.resources):
            if finding.stops and finding.rule.whole_plan:
                report(message(finding), finding.resource.urn)

    def advice(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """What should be otherwise, and how much could not be told; a line for each rule."""
        for line in advice(self._judged(args.resources)):
            report(line, None)

    def _judged(self, resources: Iterable[PolicyResource]) -> tuple[Finding, ...]:
        if self.results is None:
            plan = _plan(*map(self._resource, resources))
            found = judge(plan).findings
            self.results = tuple(f for f in found if not self.exceptions.covers(f))
        return self.results

    def _resource(self, made: PolicyResource) -> Resource:
        outputs = cast("Mapping[str, Any]", known(_plain(made.props)))
        return Resource(
            urn=made.urn,
            type=made.resource_type,
            inputs=self.inputs.get(made.urn, outputs),
            parent=made.parent.urn if made.parent else "",
            protect=made.opts.protect,
            provider=made.provider.urn if made.provider else "",
            sources={k: tuple(d.urn for d in of) for k, of in made.property_dependencies.items() if of},
            identity={k: v for k, v in outputs.items() if isinstance(v, str)},
        )


def message(finding: Finding) -> str:
    return f"[{finding.rule.id}] {finding.verdict.why}. {finding.rule.remedy}"


def advice(findings: Iterable[Finding]) -> list[str]:
    """Advisory failures, and what cannot be told before the update, each rule once."""
    by_rule: dict[tuple[Outcome, str], list[Finding]] = {}
    for f in findings:
        if not f.stops:
            by_rule.setdefault((f.verdict.outcome, f.rule.id), []).append(f)
    return [
        f"[{rule}] {outcome} of {len(found)}, such as {found[0].resource.name}: {found[0].verdict.why}"
        for (outcome, rule), found in sorted(by_rule.items())
    ]


def _plain(value: Any) -> Any:
    """The values below the proxies, which raise at what is not known."""
    if isinstance(value, Mapping):
        below = cast("Mapping[str, Any]", _target(value))
        return {k: _plain(v) for k, v in below.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(v) for v in cast("Sequence[Any]", _target(value))]
    return value


def _target(value: Any) -> Any:
    return value["__target"] if type(value).__module__ == "pulumi_policy.proxy" else value


def _plan(*resources: Resource) -> Plan:
    """Resources with the configuration of their stack, as the engine has told it, else as its file says.

    Some engines tell a pack by a call that its SDK leaves unheard (pulumi-policy 1.21, `ConfigureStack`).
    """
    stack = resources[0].urn.split("::")[0].rpartition(":")[2] if resources else ""
    told = {k: v for k, v in CONFIG.get().items() if k.startswith("tenantry:")}
    return Plan(resources, stack, told or _of_file(stack))


@cache
def _of_file(stack: str) -> Mapping[str, str]:
    return settled(Plan((), stack)).config


def run() -> None:
    """Serve the pack until the engine ends it."""
    pack = Pack(read_exceptions())
    PolicyPack(
        name=NAME,
        enforcement_level=EnforcementLevel.MANDATORY,
        policies=[
            ResourceValidationPolicy(
                name="guardrails", description="No resource is dangerous by itself", validate=pack.resource
            ),
            StackValidationPolicy(
                name="plan", description="No resources are dangerous together", validate=pack.stack
            ),
            StackValidationPolicy(
                name="advice",
                description="What should be otherwise, and what cannot be told before the update",
                validate=pack.advice,
                enforcement_level=EnforcementLevel.ADVISORY,
            ),
        ],
    )
