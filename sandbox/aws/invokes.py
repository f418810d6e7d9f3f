"""Answers to the program's data source calls (invokes); described in `invokes.yaml`."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from sandbox.aws.templates import expand
from sandbox.aws.type_descriptions import HERE, LOADER, Undescribed
from sandbox.cloud.store import Store


@cache
def _described() -> dict[str, Any]:
    # The loader is yaml's safe one.
    return yaml.load((HERE / "invokes.yaml").read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506


def answer(token: str, args: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """The invoke's result; raises `Undescribed` for one that is not described."""
    found = _described().get(token)
    if found is None:
        raise Undescribed(
            f"the sandbox does not know the invoke {token}: sandbox/aws/invokes.yaml would describe it"
        )
    return {**args, **expand(found, {"account": store.account, "region": store.region, **args})}
