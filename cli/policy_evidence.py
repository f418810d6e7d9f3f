"""What `tenantry policy evidence`, `verify` and `controls` do. Each function returns its exit code."""

import os
from pathlib import Path

from cli.output import print_json
from policies.checking import verdicts
from policies.controls import page, rows
from policies.engine import preview_of
from policies.evidence import verify, write_bundle
from policies.exceptions import read_exceptions
from policies.inventory import RULES
from policies.preview import Preview, read_preview
from policies.settings import settled


def _preview(file: Path | None, stack: str | None) -> Preview:
    return read_preview(file) if file else preview_of(stack or os.environ.get("STACK", "dev"))


def evidence(file: Path | None, stack: str | None, out: Path, exceptions: Path) -> int:
    """Write a bundle; 1 where what it says is that the plan is refused."""
    found, seal = write_bundle(_preview(file, stack), stack, out, exceptions)
    print(f"{out}: evidence of {found.plan.stack}, {len(found.plan.resources)} resources")
    refused, untold, excepted = len(found.refused), len(found.untold), len(found.excepted)
    print(f"  rules   {refused} refused, {untold} cannot be told, {excepted} excepted")
    print(f"  seal    {seal}")
    print(f"  verify  tenantry policy verify {out} --seal {seal}")
    return 0 if found.fine else 1


def check_bundle(folder: Path, seal: str | None) -> int:
    """Print what is wrong with a bundle, a line each."""
    wrong = verify(folder, seal)
    for line in wrong:
        print(f"{folder}/{line}")
    if not wrong:
        print(
            f"{folder}: nothing in it was changed" + ("" if seal else "; compare its seal with yours: --seal")
        )
    return 1 if wrong else 0


def show_controls(file: Path | None, stack: str | None, exceptions: Path, *, as_json: bool) -> int:
    """Print the control matrix of a plan."""
    preview = _preview(file, stack)
    plan = settled(preview.plan, stack)
    found = verdicts(plan, RULES, read_exceptions(exceptions), whole=preview.whole)
    if as_json:
        print_json(rows(found))
    else:
        print(page(found, f"the plan of {plan.stack}"), end="")
    return 0
