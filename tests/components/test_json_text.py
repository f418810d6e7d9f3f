"""JSON with outputs in it is what the SDK makes of it, from fewer outputs."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pulumi import Output

from components.common.json_text import json_text

Settled = tuple[str | None, bool, bool, set[Any]]


def output(value: object, *, known: bool = True, secret: bool = False, of: str = "") -> Output[Any]:
    """An output that has settled, of a resource that `of` stands for."""
    futures: list[asyncio.Future[Any]] = []
    for settled in (value, known, secret):
        future: asyncio.Future[Any] = asyncio.Future()
        future.set_result(settled)
        futures.append(future)
    resources: Any = {of} if of else set()
    return Output(resources, *futures)


CASES: dict[str, Callable[[], object]] = {
    "no output": lambda: {"Version": "2012-10-17", "Statement": [{"Action": ("a:B", "a:C"), "No": None}]},
    "an output in a list in a mapping": lambda: {"Resource": ["x", output("arn", of="key")], "n": 1.5},
    "several outputs in order": lambda: [output("1", of="a"), {"b": output("2", of="b")}, output("3")],
    "an output of a list": lambda: {"all": output([1, {"two": 2}])},
    "an output alone": lambda: output({"a": 1}, of="a"),
    "a secret": lambda: {"password": output("p", secret=True), "user": "admin"},
    "an unknown": lambda: {"arn": output(None, known=False, of="later"), "user": output("admin", of="now")},
    "text that is no ASCII": lambda: {"name": "Bücher", "empty": {}, "none": []},
}


async def settle(made: Output[str]) -> Settled:
    known = await made.is_known()
    return await made.future() if known else None, known, await made.is_secret(), await made.resources()


@pytest.mark.parametrize("value", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("sort_keys", [True, False])
def test_it_is_what_the_sdk_says(value: Callable[[], object], compact: bool, sort_keys: bool) -> None:
    async def both() -> tuple[Settled, Settled]:
        separators = (",", ":") if compact else None
        theirs = Output.json_dumps(value(), separators=separators, sort_keys=sort_keys)
        return await settle(json_text(value(), compact=compact, sort_keys=sort_keys)), await settle(theirs)

    ours, theirs = asyncio.run(both())
    assert ours == theirs
