"""Guardrails: what may be planned, what may be replaced, who could become whom, and the evidence of it."""

from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
