"""Dependencies between resources that their properties do not show."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from pulumi import Output, Resource


def after(value: Output[str], others: Sequence[Output[Any]]) -> Output[str]:
    """`value`, whose takers are registered once the resources behind `others` exist too.

    It stays known where the others are not: a new rule of a group must not make a preview wonder whether
    the group's id, and all that hangs from it, will change. `Output.all` would.
    """

    async def behind() -> set[Resource]:
        found = await asyncio.gather(*(output.resources() for output in (value, *others)))
        return {resource for resources in found for resource in resources}

    async def same() -> str:
        return cast("str", await value.future(with_unknowns=True))

    return Output(behind(), same(), value.is_known(), value.is_secret())
