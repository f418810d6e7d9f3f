"""What `tenantry sandbox coverage` does: shows which check covers each input of the types in use."""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from cli.output import print_json
from devtools.paths import ROOT

PAGE = ROOT / "docs" / "sandbox-coverage.md"


def used(project: Path) -> Mapping[str, set[str]]:
    """Type → the inputs that the program gives it, over the stacks of a project, under mocks."""
    from devtools.registrations import registered_resources

    found: dict[str, set[str]] = {}
    for resource in registered_resources(project):
        if resource.type.startswith("aws:"):
            given = {k for k, v in resource.inputs.items() if v is not None}
            found.setdefault(resource.type, set()).update(given)
    return found


def coverage(*, write: bool, as_json: bool, project: Path) -> int:
    """Show, or write, by what each input of the types in use is judged; 1 where one is judged by nothing."""
    from sandbox.aws.coverage import covered_inputs, findings, render

    rows = covered_inputs(used(project))
    if write:
        PAGE.write_text(render(rows), encoding="utf-8")
    elif as_json:
        print_json([asdict(row) for row in rows])
    else:
        print(render(rows))
    wrong = findings(rows)
    for finding in wrong:
        print(finding, file=sys.stderr)
    return 1 if wrong else 0
