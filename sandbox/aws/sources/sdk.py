"""The inputs of a type in the Pulumi SDK, nested ones too, by the engine's names."""

import importlib
import inspect
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

from pulumi import Archive, Asset

MODULES: Final = {"lambda": "lambda_"}
PLAIN: Final = {str: "string", int: "integer", float: "number", bool: "boolean"}


class Holder(NamedTuple):
    """A list or a map, and the annotation of what it holds."""

    kind: Literal["list", "map"]
    held: Any


@dataclass
class Field:
    """An input: its kind, what a list or a map holds, the class of a nested one, whether it must be given."""

    kind: str = "any"
    name: str = ""
    owner: str | None = None  # the SDK's class of a nested value
    listed: bool = False
    required: bool = False


def inputs(token: str) -> dict[str, Field]:
    """The top-level inputs of a type."""
    _, path, name = token.split(":")
    found = getattr(_module(path.split("/")[0]), name)
    return _fields(found, found._internal_init, {"resource_name", "opts", "__props__", "__self__"})


@cache
def nested(module: str, owner: str) -> dict[str, Field]:
    """The inputs of a nested value by the name of its class."""
    found = getattr(importlib.import_module(f"pulumi_aws.{module}._inputs"), owner)
    return _fields(found, found.__init__, {"__self__", "self"})


def module_of(token: str) -> str:
    name = token.split(":")[1].split("/", maxsplit=1)[0]
    return MODULES.get(name, name)


def _module(name: str) -> types.ModuleType:
    return importlib.import_module(f"pulumi_aws.{MODULES.get(name, name)}")


def _fields(owner: Any, init: Any, left_out: set[str]) -> dict[str, Field]:
    names = {
        n: getattr(p.fget, "_pulumi_name", n)
        for n, p in inspect.getmembers(owner, lambda m: isinstance(m, property))
    }
    found: dict[str, Field] = {}
    for name, parameter in inspect.signature(init).parameters.items():
        if name in left_out:
            continue
        made = _field(parameter.annotation)
        made.name = names.get(name, name)
        made.required = parameter.default is inspect.Parameter.empty
        found[made.name] = made
    return found


def _field(annotation: Any) -> Field:
    """Through `Optional`, `Input`, `Union`, `Sequence` and forward references to what is meant."""
    names = list(_leaves(annotation))
    for leaf in names:
        if isinstance(leaf, Holder):
            inner = _field(leaf.held)
            return Field(
                "map" if leaf.kind == "map" else inner.kind, owner=inner.owner, listed=leaf.kind == "list"
            )
    classes = [n for n in names if isinstance(n, str) and n.endswith("Args") and "." not in n]
    if classes and str not in names:  # a policy may be either; AWS takes the text
        return Field("object", owner=classes[0])
    kinds = [PLAIN[n] for n in names if isinstance(n, type) and n in PLAIN]
    return Field(kinds[0] if kinds else "any")


def _leaves(annotation: Any) -> Iterator[Any]:
    if isinstance(annotation, typing.ForwardRef):
        yield annotation.__forward_arg__
        return
    if isinstance(annotation, str):
        yield annotation
        return
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        for arg in args:
            yield from _leaves(arg)
    elif origin is not None and issubclass(origin, typing.Sequence) and args:
        yield Holder("list", args[0])
    elif origin is not None and issubclass(origin, typing.Mapping) and args:
        yield Holder("map", args[1])
    elif origin is None and annotation not in (type(None), Archive, Asset):
        yield annotation


def shape(token: str) -> dict[str, list[str]]:
    """Inputs, required and computed ones of one type, by the engine's names; KeyError if unknown.

    `keeps` are the inputs that AWS fills in where they are left out, Optional and Computed in Terraform's
    words: their outputs are always there, while those of other inputs that may be left out may be absent
    (`variable.optional` of pulumi-terraform-bridge, 2026-11).
    """
    _, path, name = token.split(":")
    module = path.split("/")[0]
    found = getattr(importlib.import_module(f"pulumi_aws.{MODULES.get(module, module)}"), name, None)
    if found is None:
        raise KeyError(token)
    names = _names(found)
    init = found._internal_init
    parameters = set(inspect.signature(init).parameters) - {"__self__", "resource_name", "opts", "__props__"}
    inputs = [names.get(n, n) for n in parameters]
    required = [names[n] for n in re.findall(r"Missing required property '(\w+)'", inspect.getsource(init))]
    outputs = set(names.values()) - {"id", "urn", "pulumi_resource_name", "pulumi_resource_type"}
    return {
        "inputs": sorted(inputs),
        "required": sorted(required),
        "computed": sorted(outputs - set(inputs)),
        "keeps": sorted((set(inputs) & _always_there(found)) - set(required)),
    }


def _always_there(owner: Any) -> set[str]:
    """The outputs, by the engine's names, whose type has no `Optional`."""
    getters = [p.fget for _, p in inspect.getmembers(owner, lambda m: hasattr(m, "fget"))]
    return {
        g._pulumi_name
        for g in getters
        if hasattr(g, "_pulumi_name")
        and type(None) not in _leaf_types(inspect.signature(g).return_annotation)
    }


def _leaf_types(annotation: Any) -> tuple[Any, ...]:
    """What the value of an output may be: `Output[Optional[int]]` is an int or None."""
    held = get_args(annotation)
    return get_args(held[0]) if held and get_origin(held[0]) in (typing.Union, types.UnionType) else held


def _names(owner: Any) -> dict[str, str]:
    """Python name → the engine's name, which the getters carry."""
    return {
        n: getattr(p.fget, "_pulumi_name", n)
        for n, p in inspect.getmembers(owner, lambda m: isinstance(m, property) or hasattr(m, "fget"))
    }
