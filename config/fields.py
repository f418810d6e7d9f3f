"""Field types: what a value may be in a YAML file, a stack's settings or a function's event.

A field type turns a node into a value or reports what is wrong with it; it never raises and never guesses.
It also describes itself as JSON Schema, which refuses the same values as far as JSON Schema can. Pure Python
without other libraries, since it ships with the functions.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, Final, NamedTuple, Protocol

from config.values import Broken, Items, Map, Node, Scalar, kind_of
from config.wording import allowed_or_near, quoted, shown

Schema = dict[str, Any]


class Fault(StrEnum):
    """What can be wrong with a field."""

    MISSING = "missing"
    UNKNOWN = "not a field"
    NOT_ALLOWED = "not allowed"


class Problem(NamedTuple):
    """One thing that is wrong: at a node, with the field that `path` names (`overrides.storage`)."""

    node: Node
    path: str
    fault: Fault
    wrong: str  # a sentence without its end; it may quote the value
    right: str  # what is expected; it quotes no value


Report = Callable[[Problem], None]


class Wrong:
    """What `read` returns for a value that it has reported."""


WRONG: Final = Wrong()


class FieldType(Protocol):
    def read(self, node: Node, label: str, report: Report) -> Any:
        """The value of `node`, or `WRONG` after a call of `report`; `label` is the field's path."""
        ...

    def schema(self) -> Schema:
        """The same rule as JSON Schema."""
        ...


_KINDS: Final = {"null": "empty", "bool": "a boolean", "int": "a number", "float": "a number", "text": "text"}


def _refuse(node: Node, label: str, wrong: str, right: str, report: Report) -> Wrong:
    """Report that a value is not allowed."""
    report(Problem(node, label, Fault.NOT_ALLOWED, wrong, right))
    return WRONG


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
        _refuse(node, label, f"{label} is {is_what(node)}", f"expected {expected}", report)
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
            return _refuse(scalar, label, wrong, f'put it in quotes: "{text}"', report)
        expected = f"expected {self.meaning}"
        if not self.shortest <= len(text) <= self.longest:
            wrong = f"{label} has {len(text)} characters"
            sizes = f"{expected}, {self.shortest} to {self.longest} characters"
            return _refuse(scalar, label, wrong, sizes, report)
        if not self.pattern.fullmatch(text):
            return _refuse(scalar, label, f"{label} {quoted(text)} is not allowed", expected, report)
        problem = self.refuses(text) if self.refuses else None
        if problem:
            return _refuse(scalar, label, f"{label} {quoted(text)} {problem}", expected, report)
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

    values: type[StrEnum] | tuple[str, ...]  # some of an enumeration's members, too

    def words(self) -> tuple[str, ...]:
        return tuple(str(v) for v in self.values)

    def read(self, node: Node, label: str, report: Report) -> Any:
        words = self.words()
        scalar = _scalar(node, label, "one of " + ", ".join(words), report)
        if scalar is None:
            return WRONG
        if scalar.text not in words:
            wrong = f"{label} {quoted(scalar.text)} is not allowed"
            return _refuse(scalar, label, wrong, allowed_or_near(scalar.text, words), report)
        return next(v for v in self.values if v == scalar.text)

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
        wrong = f"{label} {shown(scalar.text)} is not allowed"
        return _refuse(scalar, label, wrong, "expected true or false", report)

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
                wrong = f'{label} "{scalar.text}" is text'
                return _refuse(scalar, label, wrong, f"write {scalar.text} without quotes", report)
            value = self.value(scalar.text)
            if self.low <= value <= self.high:
                return value
        wrong = f"{label} {shown(scalar.text)} is not allowed"
        return _refuse(scalar, label, wrong, f"expected {expected}", report)

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
class NumberChoice:
    """One of a few whole numbers."""

    values: tuple[int, ...]

    def read(self, node: Node, label: str, report: Report) -> int | Wrong:
        expected = "one of " + ", ".join(map(str, self.values))
        scalar = _scalar(node, label, expected, report)
        if scalar is None:
            return WRONG
        if scalar.plain and _WHOLE.fullmatch(scalar.text) and int(scalar.text) in self.values:
            return int(scalar.text)
        wrong = f"{label} {shown(scalar.text)} is not allowed"
        return _refuse(scalar, label, wrong, f"expected {expected}", report)

    def schema(self) -> Schema:
        return {"type": "integer", "enum": list(self.values)}


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
        wrong = f"{label} {shown(scalar.text)} is not a date"
        return _refuse(scalar, label, wrong, f"expected {expected}", report)

    def schema(self) -> Schema:
        return {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


@dataclass(frozen=True, slots=True)
class Nullable:
    """A value that may be null, which is then said and not left out."""

    inner: "FieldType"

    def read(self, node: Node, label: str, report: Report) -> Any:
        if isinstance(node, Scalar) and kind_of(node) == "null":
            return None
        return self.inner.read(node, label, report)

    def schema(self) -> Schema:
        return {"anyOf": [self.inner.schema(), {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of different values of one type."""

    item: FieldType
    most: int = 50
    fewest: int = 0
    meaning: str | None = None  # what is expected of the whole list, for a person
    refuses: Callable[[tuple[Any, ...]], bool] = lambda _: False  # whether it is wrong as a whole

    def read(self, node: Node, label: str, report: Report) -> tuple[Any, ...] | Wrong:
        if not isinstance(node, Items):
            if not isinstance(node, Broken):
                expected = f"expected {self.meaning or 'a list such as [a, b]'}"
                _refuse(node, label, f"{label} is {is_what(node)}", expected, report)
            return WRONG
        if not self.fewest <= len(node.items) <= self.most:
            bound = (
                f"at most {self.most} are" if len(node.items) > self.most else f"{self.fewest} or more are"
            )
            right = f"expected {self.meaning}" if self.meaning else f"{bound} allowed"
            return _refuse(node, label, f"{label} has {len(node.items)} entries", right, report)
        values = [self.item.read(item, f"{label}[{i}]", report) for i, item in enumerate(node.items)]
        if any(v is WRONG for v in values):
            return WRONG
        if len(set(values)) < len(values):
            right = f"expected {self.meaning}" if self.meaning else "name each once"
            return _refuse(node, label, f"{label} names a value twice", right, report)
        if self.refuses(tuple(values)):
            return _refuse(node, label, f"{label} is not allowed", f"expected {self.meaning}", report)
        return tuple(values)

    def schema(self) -> Schema:
        found: Schema = {"type": "array", "items": self.item.schema()}
        fewest = {"minItems": self.fewest} if self.fewest else {}
        return found | {"maxItems": self.most, "uniqueItems": True} | fewest


@dataclass(frozen=True, slots=True)
class Labels:
    """A mapping of free names to values of one type."""

    key: Text
    value: FieldType
    most: int
    any_case: bool = False  # names that differ in case alone are the same

    def read(self, node: Node, label: str, report: Report) -> dict[str, Any] | Wrong:
        if not isinstance(node, Map):
            if not isinstance(node, Broken):
                wrong, right = (
                    f"{label} is {is_what(node)}",
                    "expected names with values, as {team: payments}",
                )
                _refuse(node, label, wrong, right, report)
            return WRONG
        if len(node.pairs) > self.most:
            wrong = f"{label} has {len(node.pairs)} entries"
            return _refuse(node, label, wrong, f"at most {self.most} are allowed", report)
        read = [
            (
                self.key.read(key, f"name of {label}", report),
                self.value.read(value, f"{label}.{key.text}", report),
            )
            for key, value in node.pairs
        ]
        found = {key: value for key, value in read if isinstance(key, str) and value is not WRONG}
        return found if len(found) == len(read) and not self._doubled(node, label, report) else WRONG

    def _doubled(self, node: Map, label: str, report: Report) -> bool:
        seen: dict[str, str] = {}
        for key, _ in node.pairs if self.any_case else ():
            first = seen.setdefault(key.text.lower(), key.text)
            if first != key.text:
                wrong = f"{label} has {first!r} and {key.text!r}"
                _refuse(key, label, wrong, "expected names that differ in more than case", report)
                return True
        return False

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
        return read_named(fields_of(self.model), node, label, anchor, report)

    def schema(self) -> Schema:
        return _schema_of(fields_of(self.model))


@dataclass(frozen=True, slots=True)
class Object:
    """A mapping with named fields, none of which may be left out, nor any other be there."""

    fields: Mapping[str, FieldType]

    def known(self) -> Mapping[str, "Entry"]:
        return {name: Entry(type_, "", True, None) for name, type_ in self.fields.items()}

    def read(self, node: Node, label: str, report: Report) -> dict[str, Any] | Wrong:
        values = read_named(self.known(), node, label, node, report)
        return WRONG if values is None else values

    def schema(self) -> Schema:
        return _schema_of(self.known())


def read_named(
    known: Mapping[str, "Entry"], node: Node, label: str, anchor: Node, report: Report
) -> dict[str, Any] | None:
    """Of a mapping the fields that are there and right; None if any is wrong, or unknown, or missing."""
    if not isinstance(node, Map):
        if not isinstance(node, Broken):
            expected = f"expected {_example_of(known)}"
            _refuse(node, label, f"{label or 'the entry'} is {is_what(node)}", expected, report)
        return None
    values: dict[str, Any] = {}
    whole = True
    seen: set[str] = set()
    prefix = f"{label}." if label else ""
    for key, value in node.pairs:
        name = key.text
        seen.add(name)
        if name not in known:
            wrong = f"there is no field {quoted(prefix + name)}"
            report(Problem(key, prefix + name, Fault.UNKNOWN, wrong, allowed_or_near(name, known)))
            whole = False
            continue
        found = known[name].type.read(value, prefix + name, report)
        values[name] = found
        whole = whole and found is not WRONG
    for name, entry in known.items():
        if entry.required and name not in seen:
            wrong, right = f"{prefix}{name} is missing", f"add it: {example_of(entry.type)}"
            report(Problem(anchor, prefix + name, Fault.MISSING, wrong, right))
            whole = False
    return values if whole else None


def _schema_of(known: Mapping[str, "Entry"]) -> Schema:
    return {
        "type": "object",
        "properties": {name: described(entry) for name, entry in known.items()},
        "required": [name for name, entry in known.items() if entry.required],
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a model."""

    type: FieldType
    doc: str
    required: bool
    default: Any


@cache
def fields_of(model: type[Any]) -> Mapping[str, Entry]:
    """The fields of a model that stand in the file, by name."""
    found: dict[str, Entry] = {}
    for f in dataclasses.fields(model):
        if "type" in f.metadata:
            required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
            found[f.name] = Entry(f.metadata["type"], f.metadata["doc"], required, f.default)
    return found


def described(entry: Entry) -> Schema:
    found = {"description": entry.doc} | entry.type.schema()
    plain = isinstance(entry.default, str | int | float)
    return found | ({"default": entry.default} if plain else {})


def example_of(type_: FieldType) -> str:
    """What a missing field may be, in a few words."""
    match type_:
        case Choice():
            return "one of " + ", ".join(type_.words())
        case Text():
            return type_.meaning
        case Record():
            return _example_of(fields_of(type_.model))
        case Number():
            return f"{type_.noun} from {type_.low} to {type_.high}"
        case _:
            return "see tenants/registry.schema.json"


def _example_of(known: Mapping[str, Entry]) -> str:
    return "a mapping with " + ", ".join([n for n, e in known.items() if e.required] or known)


def spec(type_: FieldType, doc: str) -> Mapping[str, Any]:
    """Metadata of a field that stands in a file: its type and its meaning."""
    return {"type": type_, "doc": doc}
