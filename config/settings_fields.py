"""Turns configuration values into a typed dataclass, and reports every wrong key at once. Pure."""

import dataclasses
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any, Final, TypeVar, cast

from config.fields import FieldType, Problem, Text, fields_of, spec
from config.values import Node, tree_of

S = TypeVar("S")
Places = Mapping[str, Node]
"""Configuration key → its value in the stack's YAML file, whose line and column a refusal then names."""


class SettingsError(ValueError):
    """One or more settings are wrong; the text names each key and what is allowed."""


def text(pattern: str, meaning: str) -> Text:
    """Text that the pattern matches in full."""
    return Text(re.compile(pattern), meaning, longest=2048)


REGION_PATTERN: Final = r"[a-z]{2}(-[a-z]+)+-[1-9]"
REGION: Final = text(REGION_PATTERN, "an AWS Region such as eu-west-1")
ACCOUNT: Final = text(r"[0-9]{12}", "an AWS account id, twelve digits in quotes")
EMAIL: Final = text(r"[^@\s]+@[^@\s]+\.[a-z]+", "an e-mail address")


def setting(doc: str, type_: FieldType, default: object = None) -> Any:
    """A field of settings: its meaning with units, what its value may be, and what it is where a stack's
    file is silent; without a `default` each stack must say it.

    The engine hands the default over, since `Pulumi.yaml` declares it: the dataclass has none of its own.
    """
    return field(metadata={**spec(type_, doc), "default": default})


def default_of(entry: "dataclasses.Field[Any]") -> Any:
    """What a setting is where a stack's file is silent; None where the file must say it."""
    return entry.metadata["default"]


def key_of(name: str) -> str:
    """The configuration key of a field: `nat_per_zone` → `natPerZone`."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def keys_of(model: type[Any]) -> Mapping[str, "dataclasses.Field[Any]"]:
    """Configuration key → field; the stack's name is given by the engine and is no key."""
    return {key_of(f.name): f for f in dataclasses.fields(model) if f.name != "stack"}


def structured(model: type[Any]) -> frozenset[str]:
    """Keys whose values are not plain text: numbers, booleans and lists."""
    return frozenset(k for k, f in keys_of(model).items() if f.type is not str)


def parse(
    model: type[S],
    stack: str,
    values: Mapping[str, object],
    contradictions: Callable[[Mapping[str, Any]], list[str]],
    others: Collection[str] = (),
    places: Callable[[], Places] = dict,
    removed: Mapping[str, str] = MappingProxyType({}),
) -> S:
    """Make settings from configuration values by key, or raise `SettingsError` with all that is wrong.

    `others` are keys that stacks of another kind have: the engine hands their defaults to every stack.
    `places` is asked only when something is wrong. `removed` are keys that there were once, with what became
    of them.
    """
    reading = _Reading(stack, values)
    known = {key_of(name): (name, entry) for name, entry in fields_of(model).items() if name != "stack"}
    for key in sorted(values.keys() - known.keys() - set(others)):
        reading.refuse(key, removed.get(key, "no such setting"))
    found: dict[str, Any] = {"stack": reading.read("stack", stack, fields_of(model)["stack"].type)}
    for key, (name, entry) in known.items():
        value = values.get(key)
        if value in (None, ""):
            reading.refuse(key, f"missing; {entry.doc}")
        else:
            found[name] = reading.read(key, value, entry.type)
    if not reading.wrong:
        for wrong in contradictions(found):
            reading.refuse(*wrong.split(": ", 1))
    if reading.wrong:
        raise SettingsError(reading.refusal(places()))
    return model(**found)


class _Reading:
    """One reading of a stack's settings, with all that is wrong."""

    def __init__(self, stack: str, values: Mapping[str, object]) -> None:
        self.stack, self.values = stack, values
        self.wrong: list[tuple[str, str]] = []  # key, what is wrong with it

    def refuse(self, key: str, wrong: str) -> None:
        self.wrong.append((key, wrong))

    def read(self, key: str, value: object, type_: FieldType) -> Any:
        def report(problem: Problem) -> None:
            shown = tuple(cast("list[Any]", value)) if isinstance(value, list) else value
            self.refuse(key, f"{shown!r} is not allowed; {problem.right}")

        return type_.read(tree_of(value), key, report)

    def refusal(self, places: Places) -> str:
        lines = [f"  {_place(places.get(key))}tenantry:{key}: {wrong}" for key, wrong in self.wrong]
        return "\n".join([f"Pulumi.{self.stack}.yaml:", *lines])


def _place(node: Node | None) -> str:
    return f"{node.line}:{node.column}: " if node else ""
