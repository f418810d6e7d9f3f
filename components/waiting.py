"""Order that properties do not say."""

from collections.abc import Sequence
from typing import Any

from pulumi import Output


def after(value: Output[str], others: Sequence[Output[Any]]) -> Output[str]:
    """`value`, known once the others are there too; whoever takes it then waits for them."""
    return Output.all(value, *others).apply(lambda found: str(found[0]))
