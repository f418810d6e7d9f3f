"""The stacks that tests use: those of `tests/project/`, and never the team's own, which change by the day.

Settings with the defaults of `Pulumi.yaml`, registry, plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from devtools import stack_plans
from organization import open_organization
from plan import CellPlan, Settings, parse_settings, plan_cell
from plan.organization import (
    OrganizationPlan,
    parse_organization_settings,
    plan_organization,
)
from tenants import open_registry
from tenants.models import Registry, Tenant

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "tests" / "project"
EXCEPTIONS = PROJECT / "policies" / "exceptions.yaml"


def values_of(stack: str) -> dict[str, Any]:
    """Configuration of a stack as the engine resolves it: its file over the declared defaults of its kind."""
    return stack_plans.values_of(PROJECT, stack)


@cache
def settings_of(stack: str) -> Settings:
    return parse_settings(stack, values_of(stack))


@cache
def registry_of(stack: str) -> Registry:
    return open_registry(stack, root=PROJECT, locked=True)


@cache
def cell_of(stack: str) -> CellPlan:
    return plan_cell(settings_of(stack), registry_of(stack))


@cache
def organization_of(stack: str = "org") -> OrganizationPlan:
    settings = parse_organization_settings(stack, values_of(stack))
    return plan_organization(settings, open_organization(stack, root=PROJECT))


def with_tenants(registry: Registry, tenants: Iterable[Tenant]) -> Registry:
    """The registry with other tenants, its ledger untouched."""
    return replace(registry, tenants=tuple(tenants))


def engine_config(stack: str) -> Mapping[str, str]:
    """Configuration as the engine hands it to the program: text, JSON where it is not a string."""
    return stack_plans.engine_config(PROJECT, stack)
