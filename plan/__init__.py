"""Pure planning: registry, ledger and settings in, a `CellPlan` of plain data out."""

from plan.cell import CellPlan, plan_cell
from plan.settings import Settings, SettingsError, parse_settings

__all__ = ["CellPlan", "Settings", "SettingsError", "parse_settings", "plan_cell"]
