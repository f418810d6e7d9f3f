"""Writes docs/controls.md from the committed prod plan: `python -m tests.policies.page`."""

from policies.checking import verdicts
from policies.controls import page
from policies.exceptions import read_exceptions
from policies.inventory import RULES
from tests.cells import ROOT
from tests.policies.plans import committed

NOTE = "<!-- Written by `python -m tests.policies.page`; a test compares them. -->"
PAGE = ROOT / "docs" / "controls.md"


def render() -> str:
    found = verdicts(committed("prod"), RULES, read_exceptions())
    return page(found, "the committed prod stack", (NOTE, ""))


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
