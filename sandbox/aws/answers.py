"""How AWS answers what it was given where it answers something else.

The provider takes the answer for the state. Where it does not know that both mean the same (`forms.py`), the
program differs from it for ever; `differences.yaml` has an example of each, with its source.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, cast

import yaml

from sandbox.aws.type_descriptions import HERE, LOADER
from sandbox.json_values import members

Values = Mapping[str, Any]
Answer = Callable[[Any, Values], Any]  # what was given, all inputs → what AWS answers, None for nothing
HEADERS: Final = frozenset({"singleHeader", "header", "singleQueryArgument"})


@cache
def parameter_defaults() -> Mapping[str, Mapping[str, str]]:
    """Family of parameter groups → parameter → the value that it has where nobody gives one."""
    # The loader is yaml's safe one.
    return yaml.load((HERE / "parameter_defaults.yaml").read_text("utf-8"), Loader=LOADER)  # noqa: S506


def parameters_at_defaults(given: list[Any], inputs: Values) -> list[Any]:
    """RDS does not modify a parameter that has its default, and answers it as waiting for a reboot."""
    defaults = parameter_defaults().get(str(inputs.get("family")), {})
    return [
        {**p, "applyMethod": "pending-reboot"} if defaults.get(str(p["name"])) == p["value"] else p
        for p in given
    ]


def policy_as_kept(document: str, _inputs: Values) -> str:
    """Lists of one element come back as that element, in an order of AWS's own."""
    try:
        return json.dumps(_unwrapped(json.loads(document)), sort_keys=True)
    except ValueError:
        return document


def _unwrapped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _unwrapped(v) for k, v in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        found = [_unwrapped(v) for v in cast("list[Any]", value)]
        return found[0] if len(found) == 1 and isinstance(found[0], str) else found
    return value


def json_as_kept(document: str, _inputs: Values) -> str:
    """The same document, spaces and order of keys AWS's own."""
    try:
        return json.dumps(json.loads(document), sort_keys=True)
    except ValueError:
        return document


def count_as_number(document: str, _inputs: Values) -> str:
    """SQS answers the count of a redrive policy as a number."""
    try:
        found: dict[str, Any] = json.loads(document)
        return json.dumps({**found, "maxReceiveCount": int(found["maxReceiveCount"])})
    except (ValueError, KeyError, TypeError):
        return document


def with_current_stage(stages: list[str], _inputs: Values) -> list[str]:
    """The only version of a secret is the current one, whatever its stages."""
    return sorted({*stages, "AWSCURRENT"})


def in_order_of_names(given: list[Any], _inputs: Values) -> list[Any]:
    """GuardDuty answers a list in an order of its own."""
    return sorted(given, key=lambda v: str(v.get("name")))


def first_alone(given: list[Any], _inputs: Values) -> list[Any]:
    """The provider sends AWS Backup the first block of conditions alone."""
    return given[:1]


def key_of_environment(key: Any, inputs: Values) -> Any:
    """Lambda keeps the key of environment variables only where there are some."""
    return key if members(inputs.get("environment")).get("variables") else None


def headers_in_lower_case(given: Any, _inputs: Values) -> Any:
    """WAF answers the names of headers and of query arguments in lower case."""
    return _lowered(given, inside=False)


def _lowered(value: Any, *, inside: bool) -> Any:
    if isinstance(value, list):
        return [_lowered(v, inside=inside) for v in cast("list[Any]", value)]
    if not isinstance(value, Mapping):
        return value
    found = cast("Mapping[str, Any]", value)
    return {
        k: v.lower() if inside and k == "name" else _lowered(v, inside=k in HEADERS) for k, v in found.items()
    }


def dns_name(name: str, _inputs: Values) -> str:
    return name.lower() if name.endswith(".") else f"{name.lower()}."


def lower_case(text: str, _inputs: Values) -> str:
    return text.lower()


def with_fraction(amount: str, _inputs: Values) -> str:
    """Budgets answers an amount of money with its fraction."""
    return amount if "." in amount else f"{amount}.0"


def containers_with_defaults(document: str, _inputs: Values) -> str:
    """ECS answers what was left out of a container as zero, empty or its default."""
    try:
        found: list[dict[str, Any]] = json.loads(document)
    except ValueError:
        return document
    empty: dict[str, Any] = {
        "cpu": 0,
        "essential": True,
        **{k: [] for k in ("environment", "mountPoints", "portMappings", "systemControls", "volumesFrom")},
    }
    return json.dumps([{**empty, **container} for container in found])


ANSWERS: Final[Mapping[str, Answer]] = {
    "parameters_at_defaults": parameters_at_defaults,
    "policy_as_kept": policy_as_kept,
    "json_as_kept": json_as_kept,
    "count_as_number": count_as_number,
    "with_current_stage": with_current_stage,
    "in_order_of_names": in_order_of_names,
    "first_alone": first_alone,
    "key_of_environment": key_of_environment,
    "headers_in_lower_case": headers_in_lower_case,
    "dns_name": dns_name,
    "lower_case": lower_case,
    "with_fraction": with_fraction,
    "containers_with_defaults": containers_with_defaults,
}
