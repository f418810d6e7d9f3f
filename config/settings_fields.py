"""From configuration values to a typed dataclass: every wrong key at once, by the key's name. Pure."""

import dataclasses
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from typing import Any, Final, TypeAlias, TypeVar, cast

Check: TypeAlias = Callable[[Any], str | None]
"""Takes a value; returns what would be right, or None where the value is."""
S = TypeVar("S")


class SettingsError(ValueError):
    """One or more settings are wrong; the text names each key and what is allowed."""


def one_of(*allowed: object) -> Check:
    return lambda v: None if v in allowed else "one of " + ", ".join(str(a) for a in allowed)


def between(low: int, high: int) -> Check:
    return lambda v: None if low <= v <= high else f"a number from {low} to {high}"


def matching(pattern: str, meaning: str) -> Check:
    compiled = re.compile(pattern)
    return lambda v: None if compiled.fullmatch(v) else meaning


REGION = matching(r"[a-z]{2}(-[a-z]+)+-[1-9]", "an AWS Region such as eu-west-1")
ACCOUNT = matching(r"[0-9]{12}", "an AWS account id, twelve digits in quotes")
EMAIL = matching(r"[^@\s]+@[^@\s]+\.[a-z]+", "an e-mail address")


def setting(doc: str, check: Check) -> Any:
    """A field of settings: its meaning with units, and the check its value must pass."""
    return field(metadata={"doc": doc, "check": check})


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
) -> S:
    """Make settings from configuration values by key, or raise `SettingsError` with all that is wrong.

    `others` are keys that stacks of another kind have: the engine hands their defaults to every stack.
    """
    known = keys_of(model)
    strange = [k for k in sorted(values) if k not in known and k not in others]
    wrong = [f"tenantry:{k}: no such setting" for k in strange]
    found: dict[str, Any] = {"stack": stack}
    specs = {f.name: f for f in dataclasses.fields(cast("type[Any]", model))}
    wrong += _wrong("stack", stack, specs["stack"])
    for key, spec in known.items():
        value = values.get(key)
        if value in (None, ""):
            wrong.append(f"tenantry:{key}: missing; {spec.metadata['doc']}")
            continue
        found[spec.name] = tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        wrong += _wrong(key, found[spec.name], spec)
    if not wrong:
        wrong = [f"tenantry:{text}" for text in contradictions(found)]
    if wrong:
        raise SettingsError(f"Pulumi.{stack}.yaml:\n" + "\n".join(f"  {line}" for line in wrong))
    return model(**found)


_KINDS: Final[Mapping[Any, tuple[type, str]]] = {
    str: (str, "a string"),
    int: (int, "a whole number"),
    bool: (bool, "true or false"),
    tuple[str, ...]: (tuple, "a list of strings"),
}


def _wrong(key: str, value: object, spec: "dataclasses.Field[Any]") -> list[str]:
    problem = _problem(value, spec)
    return [f"tenantry:{key}: {value!r} is not allowed; expected {problem}"] if problem else []


def _problem(value: object, spec: "dataclasses.Field[Any]") -> str | None:
    kind, meaning = _KINDS[spec.type]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return meaning
    if isinstance(value, tuple) and not all(isinstance(v, str) for v in cast("tuple[Any, ...]", value)):
        return meaning
    return spec.metadata["check"](value)
