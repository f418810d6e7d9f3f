"""The whole program: settings → registry → plan → components → exports."""

import gc

gc.disable()  # before the imports, which make a million objects that live to the end: docs/adr/0001

from collections.abc import Mapping
from typing import Any

import pulumi

from components.entry import read_settings, refusing


def deploy() -> Mapping[str, Any]:
    kind, settings = read_settings()
    registry = kind.open_registry(settings.stack)
    plan = kind.plan(settings, registry)
    platform = kind.make("platform", plan)
    return platform.exports


pulumi.run(refusing(deploy))
