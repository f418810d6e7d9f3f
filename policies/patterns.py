"""IAM's patterns: `*` is anything, `?` one character (IAM user guide, "Policy elements", 2026-11)."""

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
