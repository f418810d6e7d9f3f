"""The whole program: settings → registry → plan → components → exports."""

import gc

gc.disable()  # before the imports, which make a million objects that live to the end: docs/adr/0001

from collections.abc import Mapping
from typing import Any

import pulumi

from components.entry import read_settings, refusing
from components.platform import Platform
from plan import plan_cell
from tenants import open_registry


def deploy() -> Mapping[str, Any]:
    settings = read_settings()
    registry = open_registry(settings.stack)
    cell = plan_cell(settings, registry)
    platform = Platform("platform", cell)
    return platform.exports


pulumi.run(refusing(deploy))
