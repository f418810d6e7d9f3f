"""The committed stacks as tests see them: settings with the defaults of `Pulumi.yaml`, registry, plan."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from config.settings_fields import keys_of
from organization import open_organization
from plan import CellPlan, Settings, parse_settings, plan_cell
from plan.organization import (
    OrganizationPlan,
    OrganizationSettings,
    parse_organization_settings,
    plan_organization,
)
from plan.settings import AccountSettings
from tenants import open_registry
from tenants.models import Registry, Tenant

ROOT = Path(__file__).parent.parent
PREFIX = "tenantry:"
MODELS: Mapping[str, type[AccountSettings]] = {"cell": Settings, "organization": OrganizationSettings}


def load(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def declared() -> dict[str, dict[str, Any]]:
    """The project's own keys that `Pulumi.yaml` declares."""
    return {k: v for k, v in load(ROOT / "Pulumi.yaml")["config"].items() if ":" not in k}


def values_of(stack: str) -> dict[str, Any]:
    """Configuration of a stack as the engine resolves it: its file over the declared defaults of its kind."""
    given = load(ROOT / f"Pulumi.{stack}.yaml")["config"]
    mine = {k.removeprefix(PREFIX): v for k, v in given.items() if k.startswith(PREFIX)}
    known = keys_of(MODELS[mine.get("kind", "cell")])
    return {k: v["default"] for k, v in declared().items() if "default" in v and k in known} | mine


@cache
def settings_of(stack: str) -> Settings:
    return parse_settings(stack, values_of(stack))


@cache
def registry_of(stack: str) -> Registry:
    return open_registry(stack, locked=True)


@cache
def cell_of(stack: str) -> CellPlan:
    return plan_cell(settings_of(stack), registry_of(stack))


@cache
def organization_of(stack: str = "org") -> OrganizationPlan:
    settings = parse_organization_settings(stack, values_of(stack))
    return plan_organization(settings, open_organization(stack))


def with_tenants(registry: Registry, tenants: Iterable[Tenant]) -> Registry:
    """The registry with other tenants, its ledger untouched."""
    return replace(registry, tenants=tuple(tenants))


def engine_config(stack: str) -> Mapping[str, str]:
    """Configuration as the engine hands it to the program: text, JSON where it is not a string."""
    return {PREFIX + k: v if isinstance(v, str) else json.dumps(v) for k, v in values_of(stack).items()}
