"""What a value in the YAML files may be: read strictly, explained, and told as JSON Schema.

A shape turns a node into a value or reports what is wrong with it; it never raises and never
guesses. Whatever it refuses, the schema refuses too where JSON Schema can say so.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, Final, Protocol

from config.wording import allowed_or_near, quoted, shown
from config.yaml_tree import Broken, Items, Map, Node, Scalar, kind_of

Schema = dict[str, Any]
Report = Callable[[Node, str, str], None]
"""Takes the node, what is wrong, what would be right."""


class Wrong:
    """What `read` returns for a value that it has reported."""


WRONG: Final = Wrong()


class Shape(Protocol):
    def read(self, node: Node, label: str, report: Report) -> Any:
        """The value of `node`, or `WRONG` after a call of `report`; `label` is the field's path."""
        ...

    def schema(self) -> Schema:
        """The same rule as JSON Schema."""
        ...


_KINDS: Final = {"null": "empty", "bool": "a boolean", "int": "a number", "float": "a number", "text": "text"}


def is_what(node: Node) -> str:
    """What a node is, for a person: `a list`, `empty`, `text`."""
    match node:
        case Scalar():
            return _KINDS[kind_of(node)]
        case Items():
            return "a list"
        case _:
            return "a mapping"


def _scalar(node: Node, label: str, expected: str, report: Report) -> Scalar | None:
    """`node` as a scalar that is there, else None after reporting."""
    if isinstance(node, Scalar) and kind_of(node) != "null":
        return node
    if not isinstance(node, Broken):
        report(node, f"{label} is {is_what(node)}", f"expected {expected}")
    return None


@dataclass(frozen=True, slots=True)
class Text:
    """Text that a pattern matches in full."""

    pattern: re.Pattern[str]
    meaning: str  # what is expected, for a person
    longest: int
    shortest: int = 1
    refuses: Callable[[str], str | None] | None = None  # what is wrong beyond the pattern, or None
    format: str | None = None  # JSON Schema's name for it

    def read(self, node: Node, label: str, report: Report) -> str | Wrong:
        scalar = _scalar(node, label, self.meaning, report)
        if scalar is None:
            return WRONG
        text = scalar.text
        if kind_of(scalar) != "text" and self.pattern.fullmatch(text):
            wrong = f"{label} {shown(text)} is {is_what(scalar)} in YAML"
            report(scalar, wrong, f'put it in quotes: "{text}"')
            return WRONG
        if not self.shortest <= len(text) <= self.longest:
            report(
                scalar,
                f"{label} has {len(text)} characters",
                f"expected {self.meaning}, {self.shortest} to {self.longest} characters",
            )
            return WRONG
        if not self.pattern.fullmatch(text):
            report(scalar, f"{label} {quoted(text)} is not allowed", f"expected {self.meaning}")
            return WRONG
        problem = self.refuses(text) if self.refuses else None
        if problem:
            report(scalar, f"{label} {quoted(text)} {problem}", f"expected {self.meaning}")
            return WRONG
        return text

    def schema(self) -> Schema:
        found: Schema = {
            "type": "string",
            "minLength": self.shortest,
            "maxLength": self.longest,
            "pattern": f"^(?:{self.pattern.pattern})$",
        }
        return found | ({"format": self.format} if self.format else {})


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words, as an enumeration's members or as they stand."""

    values: type[StrEnum] | tuple[str, ...]

    def words(self) -> tuple[str, ...]:
        return tuple(str(v) for v in self.values)

    def read(self, node: Node, label: str, report: Report) -> Any:
        words = self.words()
        scalar = _scalar(node, label, "one of " + ", ".join(words), report)
        if scalar is None:
            return WRONG
        if scalar.text not in words:
            report(
                scalar, f"{label} {quoted(scalar.text)} is not allowed", allowed_or_near(scalar.text, words)
            )
            return WRONG
        return scalar.text if isinstance(self.values, tuple) else self.values(scalar.text)

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self.words())}


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false, as YAML 1.2 has them."""

    def read(self, node: Node, label: str, report: Report) -> bool | Wrong:
        scalar = _scalar(node, label, "true or false", report)
        if scalar is None:
            return WRONG
        if scalar.plain and scalar.text in ("true", "false"):
            return scalar.text == "true"
        report(scalar, f"{label} {shown(scalar.text)} is not allowed", "expected true or false")
        return WRONG

    def schema(self) -> Schema:
        return {"type": "boolean"}


_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,15})")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,15})?")


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal number within bounds, both included, written without an exponent."""

    low: float
    high: float
    noun: str = "a number"
    written: re.Pattern[str] = _DECIMAL

    def read(self, node: Node, label: str, report: Report) -> Any:
        expected = f"{self.noun} from {self.low} to {self.high}"
        scalar = _scalar(node, label, expected, report)
        if scalar is None:
            return WRONG
        if self.written.fullmatch(scalar.text):
            if not scalar.plain:
                report(scalar, f'{label} "{scalar.text}" is text', f"write {scalar.text} without quotes")
                return WRONG
            value = self.value(scalar.text)
            if self.low <= value <= self.high:
                return value
        report(scalar, f"{label} {shown(scalar.text)} is not allowed", f"expected {expected}")
        return WRONG

    def value(self, text: str) -> float:
        return float(text)

    def schema(self) -> Schema:
        return {"type": "number", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Whole(Number):
    """A whole number within bounds, both included, in plain decimal digits."""

    low: int
    high: int
    noun: str = "a whole number"
    written: re.Pattern[str] = _WHOLE

    def value(self, text: str) -> int:
        return int(text)

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar date."""

    def read(self, node: Node, label: str, report: Report) -> date | Wrong:
        expected = "a date such as 2026-11-23"
        scalar = _scalar(node, label, expected, report)
        if scalar is None:
            return WRONG
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", scalar.text):
                return date.fromisoformat(scalar.text)
        except ValueError:
            pass
        report(scalar, f"{label} {shown(scalar.text)} is not a date", f"expected {expected}")
        return WRONG

    def schema(self) -> Schema:
        return {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of different values of one shape."""

    item: Shape
    most: int = 50

    def read(self, node: Node, label: str, report: Report) -> tuple[Any, ...] | Wrong:
        if not isinstance(node, Items):
            if not isinstance(node, Broken):
                report(node, f"{label} is {is_what(node)}", "expected a list such as [a, b]")
            return WRONG
        if len(node.items) > self.most:
            report(node, f"{label} has {len(node.items)} entries", f"at most {self.most} are allowed")
            return WRONG
        values = [self.item.read(item, f"{label}[{i}]", report) for i, item in enumerate(node.items)]
        if any(v is WRONG for v in values):
            return WRONG
        if len(set(values)) < len(values):
            report(node, f"{label} names a value twice", "name each once")
            return WRONG
        return tuple(values)

    def schema(self) -> Schema:
        return {"type": "array", "items": self.item.schema(), "maxItems": self.most, "uniqueItems": True}


@dataclass(frozen=True, slots=True)
class Labels:
    """A mapping of free names to values of one shape."""

    key: Text
    value: Shape
    most: int

    def read(self, node: Node, label: str, report: Report) -> dict[str, Any] | Wrong:
        if not isinstance(node, Map):
            if not isinstance(node, Broken):
                report(node, f"{label} is {is_what(node)}", "expected names with values, as {team: payments}")
            return WRONG
        if len(node.pairs) > self.most:
            report(node, f"{label} has {len(node.pairs)} entries", f"at most {self.most} are allowed")
            return WRONG
        read = [
            (
                self.key.read(key, f"name of {label}", report),
                self.value.read(value, f"{label}.{key.text}", report),
            )
            for key, value in node.pairs
        ]
        found = {key: value for key, value in read if isinstance(key, str) and value is not WRONG}
        return found if len(found) == len(read) else WRONG

    def schema(self) -> Schema:
        return {
            "type": "object",
            "maxProperties": self.most,
            "propertyNames": self.key.schema(),
            "additionalProperties": self.value.schema(),
        }


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with the fields of a model: nothing else, nothing missing."""

    model: type[Any]

    def read(self, node: Node, label: str, report: Report) -> Any:
        values = self.read_fields(node, label, node, report)
        return WRONG if values is None else self.model(**values)

    def read_fields(self, node: Node, label: str, anchor: Node, report: Report) -> dict[str, Any] | None:
        """The fields that are there and right; None if any is wrong. What is missing is told at `anchor`."""
        known = fields_of(self.model)
        if not isinstance(node, Map):
            if not isinstance(node, Broken):
                expected = f"expected {example_of(self)}"
                report(node, f"{label or 'the entry'} is {is_what(node)}", expected)
            return None
        values: dict[str, Any] = {}
        whole = True
        seen: set[str] = set()
        prefix = f"{label}." if label else ""
        for key, value in node.pairs:
            name = key.text
            seen.add(name)
            if name not in known:
                report(key, f"there is no field {quoted(prefix + name)}", allowed_or_near(name, known))
                whole = False
                continue
            found = known[name].shape.read(value, prefix + name, report)
            values[name] = found
            whole = whole and found is not WRONG
        for name, entry in known.items():
            if entry.required and name not in seen:
                report(anchor, f"{prefix}{name} is missing", f"add it: {example_of(entry.shape)}")
                whole = False
        return values if whole else None

    def schema(self) -> Schema:
        known = fields_of(self.model)
        return {
            "type": "object",
            "properties": {name: described(entry) for name, entry in known.items()},
            "required": [name for name, entry in known.items() if entry.required],
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a model."""

    shape: Shape
    doc: str
    required: bool
    default: Any


@cache
def fields_of(model: type[Any]) -> Mapping[str, Entry]:
    """The fields of a model that stand in the file, by name."""
    found: dict[str, Entry] = {}
    for f in dataclasses.fields(model):
        if "shape" in f.metadata:
            required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
            found[f.name] = Entry(f.metadata["shape"], f.metadata["doc"], required, f.default)
    return found


def described(entry: Entry) -> Schema:
    found = {"description": entry.doc} | entry.shape.schema()
    plain = isinstance(entry.default, str | int | float)
    return found | ({"default": entry.default} if plain else {})


def example_of(shape: Shape) -> str:
    """What a missing field may be, in a few words."""
    match shape:
        case Choice():
            return "one of " + ", ".join(shape.words())
        case Text():
            return shape.meaning
        case Record():
            known = fields_of(shape.model)
            return "a mapping with " + ", ".join([n for n, e in known.items() if e.required] or known)
        case Number():
            return f"{shape.noun} from {shape.low} to {shape.high}"
        case _:
            return "see tenants/registry.schema.json"


def spec(shape: Shape, doc: str) -> Mapping[str, Any]:
    """Metadata of a field that stands in a YAML file: its shape and its meaning."""
    return {"shape": shape, "doc": doc}
