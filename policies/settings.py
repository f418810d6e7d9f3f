"""The settings of a stack, for a plan that does not carry them: its file over the declared defaults."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import yaml

from policies import HERE
from policies.model import Plan
from policies.preview import PreviewError

ROOT = HERE.parent


def settled(plan: Plan, stack: str | None = None) -> Plan:
    """The plan with the settings of its stack; raises `PreviewError` where that has no file."""
    if plan.config and stack is None:
        return plan
    name = stack or plan.stack
    path = ROOT / f"Pulumi.{name}.yaml"
    if not path.is_file():
        known = sorted(p.name.split(".")[1] for p in ROOT.glob("Pulumi.*.yaml"))
        raise PreviewError(
            f"stack {name or '?'} has no settings; say whose hold with --stack: {', '.join(known)}"
        )
    declared = _config(ROOT / "Pulumi.yaml")
    defaults = {
        f"tenantry:{key}": str(cast("Mapping[str, Any]", about)["default"])
        for key, about in declared.items()
        if isinstance(about, dict) and "default" in about
    }
    given = {key: str(value) for key, value in _config(path).items()}
    return replace(plan, config=defaults | given | dict(plan.config))


def _config(path: Path) -> Mapping[str, Any]:
    found = cast("Mapping[str, Any]", yaml.safe_load(path.read_text("utf-8")) or {})
    return cast("Mapping[str, Any]", found.get("config") or {})
