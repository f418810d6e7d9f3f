"""Parses `field=value` arguments with the field types of the models."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from config.fields import WRONG, Choice, Entry, Labels, Number, Problem, Record, Report, Schema, fields_of
from config.wording import allowed_or_near, quoted
from config.yaml_editing import EditError
from config.yaml_tree import Node, Scalar
from tenants.models import Tenant
from tenants.project import Project


def parse_changes(words: Sequence[str]) -> dict[str, Any]:
    """`field=value` arguments as changes; every problem at once as an `EditError`."""
    problems: list[str] = []
    changes: dict[str, Any] = {}
    for word in words:
        path, sign, text = word.partition("=")
        if not sign:
            problems.append(f"{quoted(word)} is not field=value")
            continue
        try:
            changes[path] = _parse(path, text)
        except EditError as wrong:
            problems.append(str(wrong))
    if problems:
        raise EditError("\n".join(problems))
    return changes


def _parse(path: str, text: str) -> Any:
    entry = _field(path)
    if not text:
        if entry.required:
            raise EditError(f"{path} cannot be left out")
        return None
    problems: list[str] = []

    def report(problem: Problem) -> None:
        problems.append(f"{problem.wrong}; {problem.right}")

    value = entry.type.read(Scalar(text, isinstance(entry.type, Number), 1, 1), path, report)
    if value is WRONG:
        raise EditError("\n".join(problems))
    return value if isinstance(value, int | float | date) else str(value)


def _field(path: str) -> Entry:
    """The field that a dotted path names, such as `plan`, `contacts.email` or `tags.team`."""
    known = fields_of(Tenant)
    head, _, rest = path.partition(".")
    entry = known.get(head)
    if entry is None:
        raise EditError(f"there is no field {quoted(path)}; {allowed_or_near(head, known)}")
    if isinstance(entry.type, Record):
        inner = fields_of(entry.type.model)
        if rest not in inner:
            raise EditError(
                f"there is no field {quoted(path)}; {allowed_or_near(path, [f'{head}.{n}' for n in inner])}"
            )
        return inner[rest]
    if isinstance(entry.type, Labels):
        if not rest:
            raise EditError(f"{path} is a mapping; write {path}.name=value")
        return Entry(_KeyedText(entry.type, rest), entry.doc, False, None)
    if rest:
        raise EditError(f"there is no field {quoted(path)}; did you mean {quoted(head)}?")
    return entry


class _KeyedText:
    """The value of one label, whose name is checked along with it."""

    def __init__(self, labels: Labels, key: str) -> None:
        self.labels, self.key = labels, key

    def read(self, node: Node, label: str, report: Report) -> Any:
        key = self.labels.key.read(Scalar(self.key, False, 1, 1), f"name of {label}", report)
        return WRONG if key is WRONG else self.labels.value.read(node, label, report)

    def schema(self) -> Schema:
        return self.labels.value.schema()


def suggestions(root: Path, begun: str) -> list[str]:
    """Completions of a `field=value` word: fields first, then the values of those that have few."""
    path, sign, text = begun.partition("=")
    if not sign:
        return [f"{field}=" for field in _paths() if field.startswith(begun)]
    if path == "plan":
        words = sorted(Project(root).plans[0])
    else:
        try:
            shape = _field(path).type
        except EditError:
            return []
        words = shape.words() if isinstance(shape, Choice) else ()
    return [f"{path}={word}" for word in words if word.startswith(text)]


def _paths() -> list[str]:
    """Every field by its dotted path; a label stands for all, with `name` for its own."""
    found: list[str] = []
    for name, entry in fields_of(Tenant).items():
        if isinstance(entry.type, Record):
            found += [f"{name}.{inner}" for inner in fields_of(entry.type.model)]
        else:
            found.append(f"{name}.name" if isinstance(entry.type, Labels) else name)
    return found
