"""Lists the resources that a tenant has, as the program itself names them.

The registry must not depend on the plan, which is made from it. So `pyproject.toml` names the function that
lists them:

    [tool.tenantry]
    inventory = "plan.tenants.inventory:of_tenant"

a function of the stack's checked `Registry`, its cell and a tenant's id that returns what there is
and how it is called, such as ("bucket", "tenantry-dev-t-acme-pay-111122223333").
"""

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from tenants.cell import Cell
from tenants.models import Registry

InventoryFunction = Callable[[Registry, Cell, str], Iterable[tuple[str, str]]]


def resources(root: Path, registry: Registry, cell: Cell, tenant: str) -> list[tuple[str, str]]:
    """Kind and name of each resource of the tenant; nothing where the project names nobody who can tell."""
    teller = _inventory_function(root)
    return [] if teller is None else list(teller(registry, cell, tenant))


def _inventory_function(root: Path) -> InventoryFunction | None:
    import tomllib  # noqa: PLC0415 - `show` alone asks

    path = root / "pyproject.toml"
    if not path.is_file():
        return None
    tool: dict[str, Any] = tomllib.loads(path.read_text("utf-8")).get("tool", {})
    module, _, name = str(tool.get("tenantry", {}).get("inventory", "")).partition(":")
    if not name:
        return None
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return getattr(import_module(module), name)
