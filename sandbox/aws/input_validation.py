"""Whether AWS accepts a value by itself (`input_rules.json`): kind, values, bounds, lengths, pattern."""

import json
import re
from collections.abc import Iterator, Mapping, Sized
from functools import cache
from typing import Any, Final, cast

from sandbox.aws.templates import UNKNOWN
from sandbox.aws.type_descriptions import HERE

Rule = Mapping[str, Any]
Problem = tuple[str, str]  # the input, and what is wrong with it
NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
# AWS's own words: the services that are made of one model say what they refuse in this form.
REFUSED: Final = "Value '{value}' at '{path}' failed to satisfy constraint: Member must {must}"


@cache
def rules() -> dict[str, dict[str, Any]]:
    return json.loads((HERE / "input_rules.json").read_text(encoding="utf-8"))


def invalid_inputs(token: str, inputs: Mapping[str, Any]) -> Iterator[Problem]:
    """All that is wrong with values that are known; nested ones are named by their path."""
    known = rules()["types"].get(token, {})
    for key, value in inputs.items():
        if key in known and value is not None:
            for path, wrong in _value(known[key], key, value):
                yield key, wrong if path == key else f"{path}: {wrong}"


def _value(rule: Rule, path: str, value: Any) -> Iterator[Problem]:
    if value is None or value == UNKNOWN:
        return
    if rule.get("listed"):
        if not isinstance(value, list):
            yield path, f"expected a list, got {_shown(value, rule)}"
            return
        listed = cast("list[Any]", value)
        yield from _constraints(rule, path, listed)
        item = {k: v for k, v in rule.items() if k not in ("listed", "checks", "each")}
        item["checks"] = rule.get("each", ())
        for i, one in enumerate(listed):
            yield from _value(item, f"{path}[{i}]", one)
        return
    if not _is_of(rule["kind"], value):
        yield path, f"expected {rule['kind']}, got {_shown(value, rule)}"
        return
    yield from _constraints(rule, path, value)
    if "of" in rule and isinstance(value, Mapping):
        yield from _nested(rules()["classes"][rule["of"]], path, cast("Mapping[str, Any]", value))


def _nested(known: Mapping[str, Rule], path: str, value: Mapping[str, Any]) -> Iterator[Problem]:
    for name, rule in known.items():
        if name in value:
            yield from _value(rule, f"{path}.{name}", value[name])
        elif rule.get("required"):
            yield f"{path}.{name}", "Missing required argument"
    for name in value.keys() - known.keys():
        if not name.startswith("__"):
            yield f"{path}.{name}", f'An argument named "{name}" is not expected here'


def _is_of(kind: str, value: Any) -> bool:
    """The provider turns texts into numbers and back, and takes one object for a list of it."""
    if kind in ("integer", "number"):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number or (isinstance(value, str) and bool(NUMBER.fullmatch(value)))
    if kind == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    if kind == "string":
        return not isinstance(value, dict | list)
    return kind == "any" or isinstance(value, dict)


def _constraints(rule: Rule, path: str, value: Any) -> Iterator[Problem]:
    for check in rule.get("checks", ()):
        for must in _broken_constraints(check, value):
            yield path, REFUSED.format(value=_shown(value, rule), path=path, must=must)
            return  # one source's word is enough


def _broken_constraints(check: Rule, value: Any) -> Iterator[str]:
    if "enum" in check and value not in check["enum"] and str(value) not in map(str, check["enum"]):
        yield f"satisfy enum value set: [{', '.join(map(str, check['enum']))}]"
    yield from _bounds(check, value)
    pattern = check.get("full") or check.get("search")
    if pattern and not (_whole(pattern) if "full" in check else _anywhere(pattern))(_text(value)):
        yield f"satisfy regular expression pattern: {pattern}"


def _bounds(check: Rule, value: Any) -> Iterator[str]:
    if "min" in check or "max" in check:
        number = float(value)
        if number < check.get("min", number):
            yield f"have value greater than or equal to {check['min']}"
        if number > check.get("max", number):
            yield f"have value less than or equal to {check['max']}"
    size = len(cast("Sized", value) if isinstance(value, list | dict) else _text(value))
    for low, high in (("few", "many"), ("short", "long")):
        if size < check.get(low, 0):
            yield f"have length greater than or equal to {check[low]}"
        if size > check.get(high, size):
            yield f"have length less than or equal to {check[high]}"


@cache
def _whole(pattern: str) -> Any:
    return re.compile(pattern).fullmatch


@cache
def _anywhere(pattern: str) -> Any:
    return re.compile(pattern).search


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(value: Any, rule: Rule) -> str:
    """Enough to know the value by, and nothing of a secret one."""
    if rule.get("secret"):
        return "[secret]"
    text = _text(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
