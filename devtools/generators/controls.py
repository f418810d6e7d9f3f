"""Writes docs/controls.md from the stack prod of tests/project: `make generate`."""

from pathlib import Path
from typing import Final

from devtools.registrations import plan_for_guardrails, record_registrations
from devtools.stack_plans import engine_config, plan_of_stack
from policies.checking import verdicts
from policies.controls import page
from policies.exceptions import read_exceptions
from policies.inventory import RULES
from policies.model import Plan

STACK: Final = "prod"
NOTE: Final = "<!-- Written by `make generate`; a test compares them. -->"
PAGE: Final = Path(__file__).parents[2] / "docs" / "controls.md"


def render(plan: Plan, project: Path) -> str:
    """The whole page, of a plan of the stack prod; exceptions are the project's."""
    found = verdicts(plan, RULES, read_exceptions(project / "policies" / "exceptions.yaml"))
    return page(found, "the stack prod of tests/project", (NOTE, ""))


def main(project: Path) -> None:
    recording = record_registrations(plan_of_stack(project, STACK))
    plan = plan_for_guardrails(recording, STACK, engine_config(project, STACK))
    PAGE.write_text(render(plan, project), "utf-8")
