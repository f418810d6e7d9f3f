"""IAM policy documents as data, parsed once for the rules and the escalation analysis.

Grammar: IAM user guide, "Grammar of the IAM JSON policy language", 2026-11.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

EVERYONE: Final = "*"
# A document of another version, or of none, has no policy variables (IAM user guide, "Version", 2026-11).
VARIABLES_SINCE: Final = "2012-10-17"
# IAM takes no empty list of these, which would say nothing or, read as if they were not there, everything.
_NEVER_EMPTY: Final = ("Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal")
ELEMENTS: Final = frozenset({*_NEVER_EMPTY, "Sid", "Effect", "Condition"})
EXCLUSIVE: Final = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))


class DocumentError(ValueError):
    """The text is no policy document; the message says why."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; single values are tuples of one, `Principal: "*"` is `{"AWS": ("*",)}`."""

    sid: str
    allow: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: Mapping[str, tuple[str, ...]]
    not_principals: Mapping[str, tuple[str, ...]]
    # operator → key → values
    condition: Mapping[str, Mapping[str, tuple[str, ...]]]
    variables: bool = True  # whether its document is of a version that knows `${…}`

    def condition_values(self, key: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Operators and values that the condition has for a key, whose case does not matter."""
        return tuple(
            (operator, values)
            for operator, keys in self.condition.items()
            for name, values in keys.items()
            if name.lower() == key.lower()
        )


Document = tuple[Statement, ...]


@cache
def parse(text: str) -> Document:
    """The statements of a document; raises `DocumentError`."""
    try:
        raw = json.loads(text)
    except ValueError:
        raise DocumentError("it is not JSON") from None
    return parse_data(raw)


def parse_data(raw: object) -> Document:
    """The statements of a decoded document; raises `DocumentError`."""
    if not isinstance(raw, dict) or "Statement" not in raw:
        raise DocumentError("it has no Statement")
    document = cast("dict[str, Any]", raw)
    if document["Statement"] in ([], None):
        raise DocumentError("it has no Statement")
    variables = document.get("Version") == VARIABLES_SINCE
    return tuple(_statement(s, variables) for s in _sequence(document["Statement"]))


def _statement(raw: Any, variables: bool) -> Statement:
    if not isinstance(raw, dict):
        raise DocumentError("a statement is not a mapping")
    data = cast("dict[str, Any]", raw)
    for element in sorted(data.keys() - ELEMENTS):  # a misspelt Condition would be a grant without one
        raise DocumentError(f"{element} is no element of a statement")
    for one, other in EXCLUSIVE:
        if one in data and other in data:
            raise DocumentError(f"{one} and {other} exclude each other")
    if data.get("Effect") not in ("Allow", "Deny"):
        raise DocumentError(f"Effect is {data.get('Effect')!r}")
    for element in _NEVER_EMPTY:
        if data.get(element) in ([], {}, ""):
            raise DocumentError(f"{element} is empty")
    return Statement(
        sid=str(data.get("Sid", "")),
        allow=data["Effect"] == "Allow",
        actions=_texts(data.get("Action")),
        not_actions=_texts(data.get("NotAction")),
        resources=_texts(data.get("Resource")),
        not_resources=_texts(data.get("NotResource")),
        principals=_principals(data.get("Principal")),
        not_principals=_principals(data.get("NotPrincipal")),
        condition=_condition(data.get("Condition") or {}),
        variables=variables,
    )


def _condition(raw: Any) -> dict[str, dict[str, tuple[str, ...]]]:
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for operator, keys in _mapping(raw, "Condition").items():
        found[operator] = {key: _texts(values) for key, values in _mapping(keys, operator).items()}
    return found


def _mapping(found: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise DocumentError(f"{name} is not a mapping")
    return cast("dict[str, Any]", found)


def _sequence(found: Any) -> Sequence[Any]:
    return cast("list[Any]", found) if isinstance(found, list) else [found]


def _texts(found: Any) -> tuple[str, ...]:
    if found is None:
        return ()
    return tuple(str(v).lower() if isinstance(v, bool) else str(v) for v in _sequence(found))


def _principals(found: Any) -> dict[str, tuple[str, ...]]:
    if isinstance(found, dict):
        return {kind: _texts(those) for kind, those in cast("dict[str, Any]", found).items()}
    return {} if found is None else {"AWS": _texts(found)}
