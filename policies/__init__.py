"""Guardrails: rules over plans, the gate for data, escalation analysis, and evidence."""

from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
