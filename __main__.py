"""The whole program: settings → registry → plan → components → exports."""

# isort: off
import gc

gc.disable()  # the program lives for seconds and makes a million futures: collecting costs 3x (docs/adr)

from collections.abc import Mapping
from typing import Any

import pulumi

from components.entry import read_settings, refusing
from components.platform import Platform
from plan import plan_cell
from tenants import open_registry
# isort: on


def deploy() -> Mapping[str, Any]:
    settings = read_settings()
    registry = open_registry(settings.stack)
    cell = plan_cell(settings, registry)
    platform = Platform("platform", cell)
    return platform.exports


pulumi.run(refusing(deploy))
