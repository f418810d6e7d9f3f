"""Ids, ARNs and other values that AWS assigns, from the templates of `types/*.yaml`."""

import re
import secrets
import string
import uuid
from collections.abc import Mapping
from typing import Any, Final, cast

PLACE: Final = re.compile(r"\{(\w+)(!?)(?::(\d+))?\}")
RANDOM: Final = {
    "hex": "0123456789abcdef",
    "digits": string.digits,
    "upper": string.ascii_uppercase + string.digits,
    "secret": string.ascii_letters + string.digits,
}
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's word for a value not known yet


def expand(template: Any, values: Mapping[str, Any]) -> Any:
    """Fill every place of a template, however deep it is; a place without a value becomes empty."""
    if isinstance(template, dict):
        return {k: expand(v, values) for k, v in cast("dict[str, Any]", template).items()}
    if isinstance(template, list):
        return [expand(v, values) for v in cast("list[Any]", template)]
    if not isinstance(template, str):
        return template
    return PLACE.sub(lambda m: _place(m, values), template)


def is_pure(template: Any) -> bool:
    """Whether a template holds nothing random, so that it can be made anew from the inputs."""
    text = repr(template)
    return not any(m[1] in RANDOM or m[1] in ("uuid", "pem") for m in PLACE.finditer(text))


def _place(found: "re.Match[str]", values: Mapping[str, Any]) -> str:
    word, physical, length = found.groups()
    if physical:
        return str(values["physical"])
    if word == "uuid":
        return str(uuid.uuid4())
    if word == "pem":
        from sandbox.aws.pem import self_signed  # noqa: PLC0415 - a slow import that few runs need

        return self_signed(str(values["id"]))
    if word in RANDOM and length:
        return "".join(secrets.choice(RANDOM[word]) for _ in range(int(length)))
    value = values.get(word)
    return "" if value is None else str(value)
