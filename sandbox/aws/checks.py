"""Checks of a resource's inputs by themselves: every problem that AWS would refuse, at once."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.aws.input_validation import invalid_inputs
from sandbox.aws.templates import UNKNOWN
from sandbox.aws.type_descriptions import Description

Problem = tuple[str, str]  # the input, and what is wrong with it


def problems(described: Description, inputs: Mapping[str, Any]) -> list[Problem]:
    """Missing, unexpected, not allowed, out of range, malformed, or together where one excludes the other.

    What the description says comes first; what it is silent on, the sources of `input_rules.json` say.
    """
    known = {k: v for k, v in inputs.items() if not k.startswith("__") and v is not None}
    found = [(k, "Missing required argument") for k in described.required if k not in known]
    found += [
        (k, f'An argument named "{k}" is not expected here') for k in known if k not in described.inputs
    ]
    found += [p for k, v in known.items() if v != UNKNOWN for p in _value(described, k, v)]
    given = [k for k in described.exclusive if known.get(k) not in (None, False, "")]
    if len(given) > 1:
        found.append((given[1], f'"{given[1]}": conflicts with {given[0]}'))
    if described.taggable and isinstance(known.get("tags"), dict):
        found += [("tags", words) for words in _tags(known["tags"])]
    named = {key for key, _ in found}
    found += [p for p in invalid_inputs(described.token, known) if p[0] not in named]
    return sorted(found)


def _tags(tags: Mapping[str, Any]) -> Iterator[str]:
    """Tag naming limits and requirements (AWS General Reference, 2026-11): one rule for all services."""
    if len(tags) > 50:
        yield f"TooManyTags: {len(tags)} tags, and a resource has at most 50"
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:"):
            yield f"InvalidTag: the key {key} must have 1 to 128 characters and not begin with aws:"
        if value != UNKNOWN and not (isinstance(value, str) and len(value) <= 256):
            yield f"InvalidTag: the value of {key} must be a text of at most 256 characters"


def _value(described: Description, key: str, value: Any) -> Iterator[Problem]:
    allowed = described.allow.get(key)
    if allowed is not None and value not in allowed:
        yield key, f"expected {key} to be one of {allowed}, got {value}"
    bounds = described.range.get(key)
    if bounds is not None and not (isinstance(value, int | float) and bounds[0] <= value <= bounds[1]):
        yield key, f"expected {key} to be in the range ({bounds[0]} - {bounds[1]}), got {value}"
    pattern = described.match.get(key)
    if pattern is not None and not re.fullmatch(pattern, str(value)):
        yield key, f"invalid value for {key} ({value}): must match {pattern}"
