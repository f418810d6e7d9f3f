"""The plan: pure functions from registry, ledger and settings to plain data."""

from config.settings_fields import SettingsError
from plan.cell import CellPlan, plan_cell
from plan.settings import Settings, parse_settings

__all__ = ["CellPlan", "Settings", "SettingsError", "parse_settings", "plan_cell"]
