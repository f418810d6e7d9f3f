"""The rules as a CrossGuard policy pack: `pulumi preview --policy-pack policies`.

Two policies decide and one advises. `guardrails` checks each resource before it is created, `plan` all of
them together at the end of a preview. One policy per rule would decode every resource a hundred times; so
the message names the rule instead.
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

from policies.checking import Verdicts, by_rule, verdicts
from policies.exceptions import Exceptions, read_exceptions
from policies.inventory import RULES, rules_of
from policies.judge import look
from policies.model import Plan, Resource
from policies.preview import known
from policies.rule import Finding, Severity
from policies.settings import settled

NAME: Final = "tenantry"


class Pack:
    """What the engine has shown: inputs one resource at a time, what they are made of at the end."""

    def __init__(self, exceptions: Exceptions) -> None:
        self.exceptions = exceptions
        self.inputs: dict[str, Mapping[str, Any]] = {}
        self.refused: set[tuple[str, str]] = set()  # rule and URN of what was refused already
        self.results: Verdicts | None = None

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
            finding = Finding(rule, seen, look(rule, seen, plan))
            if finding.stops and not self.exceptions.covers(finding):
                self.refused.add((rule.id, args.urn))
                report(message(finding), args.urn)

    def stack(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """What only shows among all resources, and exceptions that allow nothing any more."""
        found = self._judged(args.resources)
        for finding in found.refused:
            if (finding.rule.id, finding.resource.urn) not in self.refused:
                report(message(finding), finding.resource.urn)
        for line in found.stale:
            report(line, None)

    def advice(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """Recommendations, one line per rule, and one line of the rules that could not be decided yet."""
        for line in advice(self._judged(args.resources)):
            report(line, None)

    def _judged(self, resources: Iterable[PolicyResource]) -> Verdicts:
        if self.results is None:
            self.results = verdicts(_plan(*map(self._resource, resources)), RULES, self.exceptions)
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


def advice(found: Verdicts) -> list[str]:
    """Advisory failures, each rule once, and the rules that something cannot be told of before the update."""
    advised = [
        f"[{rule}] fails for {len(those)}, such as {those[0].resource.name}: {those[0].verdict.why}"
        for rule, those in by_rule(found.advised)
    ]
    if not found.untold:
        return advised
    rules = ", ".join(f"{rule} ({len(those)})" for rule, those in by_rule(found.untold))
    return [*advised, f"cannot be decided before the update, and are checked again during it: {rules}"]


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
    config = {k: v for k, v in CONFIG.get().items() if k.startswith("tenantry:")}
    return Plan(resources, stack, config or _of_file(stack))


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
                description="Recommendations, and rules that cannot be decided before the update",
                validate=pack.advice,
                enforcement_level=EnforcementLevel.ADVISORY,
            ),
        ],
    )
