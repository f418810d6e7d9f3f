"""Matches IAM's wildcards: `*` any text, `?` one character (IAM user guide, "Policy elements", 2026-11)."""

import re
from functools import cache


@cache
def pattern(text: str, *, case: bool = True) -> re.Pattern[str]:
    """An IAM pattern as a regular expression; a policy variable (`${…}`) may be anything."""
    parts = re.split(r"(\$\{[^}]*\}|\*|\?)", text)
    written = "".join(
        ".*" if p == "*" or p.startswith("${") else "." if p == "?" else re.escape(p) for p in parts
    )
    return re.compile(written, re.DOTALL if case else re.DOTALL | re.IGNORECASE)


def action_matches(wanted: str, action: str) -> bool:
    """Whether a policy's action, a pattern, covers one action; the case of actions does not matter."""
    return pattern(wanted, case=False).fullmatch(action) is not None


def resource_matches(wanted: str, arn: str) -> bool:
    """Whether a policy's resource, a pattern, covers one ARN."""
    return pattern(wanted).fullmatch(arn) is not None


@cache
def overlap(one: str, other: str) -> bool:
    """Whether any text at all fits both patterns: `a*c` and `ab*` do, by `abc`."""
    one, other = (re.sub(r"\$\{[^}]*\}|\*+", "*", text) for text in (one, other))
    if not _WILD.search(other):
        return pattern(one).fullmatch(other) is not None
    if not _WILD.search(one):
        return pattern(other).fullmatch(one) is not None
    heads = [text[: found.start()] for text in (one, other) if (found := _WILD.search(text))]
    return _alike(*heads) and _common(one, other)


_WILD = re.compile(r"[*?]")


def _alike(one: str, other: str) -> bool:
    """Whether one of two beginnings is the beginning of the other."""
    return one.startswith(other) or other.startswith(one)


def _common(one: str, other: str) -> bool:
    """Read from their ends: `row[j]` says whether the rest of `one` and `other[j:]` have a text in common."""
    size = len(other)
    row = [not other[j:].strip("*") for j in range(size + 1)]  # of the empty rest of `one`
    for char in reversed(one):
        below = row
        row = [False] * (size + 1)
        for j in range(size, -1, -1):
            there = other[j] if j < size else ""
            if char == "*":
                row[j] = below[j] or (j < size and row[j + 1])
            elif there == "*":
                row[j] = below[j] or row[j + 1]
            elif there:
                row[j] = (char == there or "?" in (char, there)) and below[j + 1]
    return row[0]
