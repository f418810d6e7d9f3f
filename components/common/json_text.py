"""JSON of plain data in which some values are outputs of resources."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from pulumi import Output


def json_text(value: object, *, compact: bool = False, sort_keys: bool = False) -> Output[str]:
    """The JSON of nested mappings and sequences; known, secret and dependent as the outputs in it are.

    `Output.json_dumps` says the same, and first makes an output of every leaf and of every list and mapping
    above it: three quarters of all outputs of the program. Here only what is an output is waited for.
    """
    separators = (",", ":") if compact else None

    def dump(settled: Sequence[Any]) -> str:
        data = _filled(value, iter(settled))
        return json.dumps(data, separators=separators, sort_keys=sort_keys)

    outputs = list(_outputs(value))
    return Output.all(*outputs).apply(dump) if outputs else Output.from_input(dump(()))


def _outputs(value: object) -> Iterator[Output[Any]]:
    """The outputs in it, in the order in which `_filled` meets them."""
    if isinstance(value, Output):
        yield cast("Output[Any]", value)
    elif isinstance(value, Mapping):
        for item in cast("Mapping[str, object]", value).values():
            yield from _outputs(item)
    elif isinstance(value, list | tuple):
        for item in cast("Sequence[object]", value):
            yield from _outputs(item)


def _filled(value: object, settled: Iterator[Any]) -> object:
    """The same with what the outputs were."""
    if isinstance(value, Output):
        return next(settled)
    if isinstance(value, Mapping):
        return {k: _filled(v, settled) for k, v in cast("Mapping[str, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_filled(v, settled) for v in cast("Sequence[object]", value)]
    return value
