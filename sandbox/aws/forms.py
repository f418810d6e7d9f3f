"""The forms in which a provider compares an input: values that have one form are no difference.

Sources: `PoliciesAreEquivalent` of hashicorp/awspolicyequivalence, `containerDefinitionsAreEquivalent` and
the state functions of terraform-provider-aws, read 2026-11-29.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

Form = Callable[[Any], Any]

_LISTS: Final = ("Action", "NotAction", "Resource", "NotResource")
_ACCOUNT: Final = re.compile(r"\d{12}")


def normalised(document: str) -> str:
    """A JSON document in the form in which terraform-plugin-sdk plans it."""
    try:
        return _written(json.loads(document))
    except ValueError:
        return document


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def policy(document: str) -> str:
    """A policy document in which order and lists of one element mean nothing."""
    try:
        found = json.loads(document)
        statements = [_statement(s) for s in _listed(found["Statement"])]
    except (ValueError, KeyError, TypeError, AttributeError):
        return normalised(document)
    return _written({**found, "Statement": sorted(statements, key=_written)})


def _statement(raw: Mapping[str, Any]) -> dict[str, Any]:
    found = {**raw, **{k: _sorted(raw[k]) for k in _LISTS if k in raw}}
    for key in ("Principal", "NotPrincipal"):
        if isinstance(raw.get(key), Mapping):
            kinds = cast("Mapping[str, Any]", raw[key])
            found[key] = {kind: sorted(map(_principal, _listed(those))) for kind, those in kinds.items()}
    if "Condition" in raw:
        found["Condition"] = {
            operator: {key: _sorted(values) for key, values in keys.items()}
            for operator, keys in raw["Condition"].items()
        }
    return found


def _principal(name: str) -> str:
    """An account's number is its root user."""
    return f"arn:aws:iam::{name}:root" if _ACCOUNT.fullmatch(name) else name


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _sorted(value: Any) -> list[Any]:
    return sorted(_listed(value), key=_written)


def undotted(name: str) -> str:
    """The dot at the end means nothing."""
    return name.removesuffix(".")


def dns_name(name: str) -> str:
    """Case and the dot at the end mean nothing."""
    return undotted(name.lower())


def lower_case(text: str) -> str:
    return text.lower()


def number(text: str) -> str:
    """`100` is `100.0`."""
    try:
        return repr(float(text))
    except ValueError:
        return text


def containers(document: str) -> str:
    """Container definitions in which order, empty lists and ECS's defaults mean nothing."""
    try:
        found: list[dict[str, Any]] = json.loads(document)
        return _written(sorted(map(_container, found), key=lambda c: str(c.get("name"))))
    except (ValueError, AttributeError, TypeError):
        return document


def _container(raw: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"essential": True, **{k: v for k, v in raw.items() if v not in ([], 0, None)}}
    for key in ("environment", "secrets"):
        if key in found:
            found[key] = sorted(found[key], key=lambda v: str(v["name"]))
    if "healthCheck" in found:
        found["healthCheck"] = {"interval": 30, "retries": 3, "timeout": 5, **found["healthCheck"]}
    if "portMappings" in found:
        found["portMappings"] = [_port(p) for p in found["portMappings"]]
    return found


def _port(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Tasks of `awsvpc` have on their host the port of the container."""
    return {"protocol": "tcp", **mapping, "hostPort": mapping.get("hostPort") or mapping["containerPort"]}


FORMS: Final[Mapping[str, Form]] = {
    "json": normalised,
    "policy": policy,
    "undotted": undotted,
    "dns_name": dns_name,
    "lower_case": lower_case,
    "number": number,
    "containers": containers,
}
