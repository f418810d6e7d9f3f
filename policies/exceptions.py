"""Exceptions to rules in `policies/exceptions.yaml`: who allowed what, why, and until when.

Read strictly, every problem at once with its place. One that has expired, or that nothing needs any
more, is a failure of its own.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from config.fields import WRONG, Choice, Fault, Problem, Record, Report, Text, spec
from config.text_fields import DATE, EMAIL, ONE_LINE
from config.yaml_reader import compose
from config.yaml_tree import Finding as FileFinding
from config.yaml_tree import Items, Map, Node
from policies.inventory import BY_ID
from policies.model import Outcome
from policies.rule import Finding

HERE: Final = Path(__file__).parent
FILE: Final = HERE / "exceptions.yaml"


class ExceptionsError(ValueError):
    """The file cannot be used; `str()` has a line for each problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """One exception."""

    rule: str = field(metadata=spec(Choice(tuple(BY_ID)), "Id of the rule"))
    resource: str = field(metadata=spec(ONE_LINE, "Type and name, as type::name"))
    stacks: str = field(metadata=spec(ONE_LINE, "The stack, or * for all"))
    reason: str = field(metadata=spec(Text(ONE_LINE.pattern, "why it may be", 500, 20), "Why it may be"))
    owner: str = field(metadata=spec(EMAIL, "Who answers for it"))
    expires: date = field(metadata=spec(DATE, "Last day that it holds"))

    def covers(self, finding: Finding, stack: str) -> bool:
        return (
            (self.rule, self.resource) == (finding.rule.id, finding.resource.label)
            and self.stacks in ("*", stack)
            and finding.verdict.outcome is Outcome.FAIL
        )


@dataclass(frozen=True, slots=True)
class Exceptions:
    """What is allowed on a day."""

    allowed: tuple[Allowed, ...] = ()
    on: date = date.min

    def covers(self, finding: Finding) -> bool:
        """Whether a failure is allowed; one that has expired allows nothing."""
        stack = finding.resource.urn.split("::")[0].rpartition(":")[2]
        return any(a.covers(finding, stack) and a.expires >= self.on for a in self.allowed)

    def expired(self) -> tuple[Allowed, ...]:
        return tuple(a for a in self.allowed if a.expires < self.on)

    def unused(self, findings: Iterable[Finding], stack: str, rules: Container[str]) -> tuple[Allowed, ...]:
        """Those for a stack and some rules that no failure of its plan needs."""
        found = tuple(findings)
        return tuple(
            a
            for a in self.allowed
            if a.rule in rules and a.stacks in ("*", stack) and not any(a.covers(f, stack) for f in found)
        )


def today() -> date:
    """The date of this run, in UTC."""
    return datetime.now(UTC).date()


def read_exceptions(path: Path = FILE, on: date | None = None) -> Exceptions:
    """The exceptions of a file; none where there is no file. Raises `ExceptionsError`."""
    if not path.exists():
        return Exceptions((), on or today())
    entries = read_entries(path, Allowed)
    return Exceptions(tuple(entries), on or today())


def read_entries(path: Path, model: type[Any]) -> list[Any]:
    """The entries of a file; raises `ExceptionsError` with every problem."""
    return parse_entries(path.read_bytes(), path.name, model)


def parse_entries(data: bytes, name: str, model: type[Any]) -> list[Any]:
    """A YAML list of mappings with the fields of a model; raises `ExceptionsError` with every problem."""
    root, problems = compose(data, name)
    report = _reporter(name, problems)
    items: tuple[Node, ...] = ()
    if isinstance(root, Items):
        items = root.items
    elif root is not None and not problems and not (isinstance(root, Map) and not root.pairs):
        wrong, right = "the file is not a list", "write - rule: …, an entry each"
        report(Problem(root, "", Fault.NOT_ALLOWED, wrong, right))
    read = [Record(model).read(item, f"entry {n}", report) for n, item in enumerate(items, 1)]
    if problems:
        raise ExceptionsError("\n".join(map(str, sorted(set(problems)))))
    return [entry for entry in read if entry is not WRONG]


def _reporter(file: str, findings: list[FileFinding]) -> Report:
    def report(problem: Problem) -> None:
        node = problem.node
        findings.append(FileFinding(file, node.line, node.column, "", problem.wrong, problem.right))

    return report
