"""Words for values and remedies in error messages."""

from collections.abc import Iterable
from typing import Final

_LONGEST: Final = 60  # characters of a value that are shown
_FEW: Final = 6  # words that are listed even beside a suggestion


def shown(text: str) -> str:
    """A value as one short line: cut where long, with control characters escaped."""
    cut = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


def counted(number: int, noun: str) -> str:
    """`1 table`, `2 tables`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def quoted(text: str) -> str:
    return f"'{shown(text)}'"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is a slip of, if any."""
    import difflib  # noqa: PLC0415 - only for what is wrong, and it takes milliseconds to load

    lowered = {k.lower(): k for k in known}
    if word.lower() in lowered:
        return lowered[word.lower()]
    close = difflib.get_close_matches(word.lower()[:100], lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def allowed_or_near(word: str, known: Iterable[str]) -> str:
    """`did you mean 'pool'? Allowed: pool, silo`; a long list only where no word of it is near."""
    words = list(known)
    near = nearest(word, words)
    listed = ", ".join(words) or "none"
    if near is None:
        return f"allowed: {listed}"
    return f"did you mean {quoted(near)}?" + (f" Allowed: {listed}" if len(words) <= _FEW else "")
