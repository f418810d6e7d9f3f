"""The random plugin: real random values, kept in the state."""

import base64
import secrets
import string
import uuid
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final

from sandbox.providers.plugin import Values, serve
from sandbox.providers.stateless import Kind, Stateless

SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"  # the provider's, unless overrideSpecial says otherwise
CLASSES: Final = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
    "special": SPECIAL,
}
PASSWORD: Final = dict.fromkeys(CLASSES, True) | {f"min{c.capitalize()}": 0 for c in CLASSES}


def _alphabet(inputs: Values) -> dict[str, str]:
    special = inputs.get("overrideSpecial") or SPECIAL
    return {c: special if c == "special" else chars for c, chars in CLASSES.items() if inputs.get(c)}


def _text(inputs: Values) -> str:
    """At least `min…` of each class, the rest of all, in random order."""
    alphabet = _alphabet(inputs)
    needed = [
        secrets.choice(alphabet[c]) for c in alphabet for _ in range(inputs.get(f"min{c.capitalize()}", 0))
    ]
    every = "".join(alphabet.values())
    found = needed + [secrets.choice(every) for _ in range(inputs["length"] - len(needed))]
    secrets.SystemRandom().shuffle(found)
    return "".join(found)


def _text_problems(inputs: Values) -> list[tuple[str, str]]:
    length, least = inputs.get("length"), sum(inputs.get(f"min{c.capitalize()}", 0) for c in CLASSES)
    if not isinstance(length, int):
        return [("length", "Missing required argument")]
    if not _alphabet(inputs):
        return [("lower", "at least one of lower, upper, numeric and special must be true")]
    wrong = length < 1 or length < least
    return [("length", f"must be at least {max(1, least)}, got {length}")] if wrong else []


def _identifier(inputs: Values) -> dict[str, Any]:
    raw, prefix = secrets.token_bytes(inputs["byteLength"]), inputs.get("prefix") or ""
    url = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return {
        "hex": prefix + raw.hex(),
        "dec": prefix + str(int.from_bytes(raw)),
        "b64Url": prefix + url,
        "b64Std": prefix + base64.b64encode(raw).decode(),
    }


def _bytes(inputs: Values) -> dict[str, Any]:
    raw = secrets.token_bytes(inputs["length"])
    return {"hex": raw.hex(), "base64": base64.b64encode(raw).decode()}


def _positive(key: str) -> Callable[[Values], list[tuple[str, str]]]:
    def problems(inputs: Values) -> list[tuple[str, str]]:
        right = isinstance(inputs.get(key), int) and inputs[key] > 0
        return [] if right else [(key, "must be a number above 0")]

    return problems


def _integer(inputs: Values) -> dict[str, Any]:
    return {"result": inputs["min"] + secrets.randbelow(inputs["max"] - inputs["min"] + 1)}


def _integer_problems(inputs: Values) -> list[tuple[str, str]]:
    low, high = inputs.get("min"), inputs.get("max")
    right = isinstance(low, int) and isinstance(high, int) and low <= high
    return [] if right else [("max", "min and max are required, and max must not be below min")]


KINDS: Final = {
    "random:index/randomPassword:RandomPassword": Kind(
        make=lambda inputs: {"result": _text(inputs)},
        outputs=("result",),
        defaults=PASSWORD,
        problems=_text_problems,
    ),
    "random:index/randomString:RandomString": Kind(
        make=lambda inputs: {"result": _text(inputs)},
        outputs=("result",),
        defaults=PASSWORD,
        problems=_text_problems,
        id="result",
    ),
    "random:index/randomId:RandomId": Kind(
        make=_identifier,
        outputs=("hex", "dec", "b64Url", "b64Std"),
        problems=_positive("byteLength"),
        id="b64Url",
    ),
    "random:index/randomUuid:RandomUuid": Kind(
        make=lambda _: {"result": str(uuid.uuid4())}, outputs=("result",), id="result"
    ),
    "random:index/randomInteger:RandomInteger": Kind(
        make=_integer, outputs=("result",), problems=_integer_problems, id="result"
    ),
    "random:index/randomBytes:RandomBytes": Kind(
        make=_bytes,
        outputs=("hex", "base64"),
        problems=_positive("length"),
    ),
}


if __name__ == "__main__":
    serve(Stateless(version("pulumi-random"), KINDS, "sandbox/providers/random.py"))
