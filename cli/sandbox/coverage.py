"""`python -m sandbox coverage`: which inputs of the types in use are judged by what."""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from devtools.paths import ROOT

PAGE = ROOT / "docs" / "sandbox-coverage.md"


def used(project: Path) -> Mapping[str, set[str]]:
    """Type → the inputs that the program gives it, over the stacks of a project, under mocks."""
    from devtools.registrations import registered

    found: dict[str, set[str]] = {}
    for resource in registered(project):
        if resource.type.startswith("aws:"):
            given = {k for k, v in resource.inputs.items() if v is not None}
            found.setdefault(resource.type, set()).update(given)
    return found


def coverage(
    write: Annotated[bool, typer.Option(help="Write docs/sandbox-coverage.md instead.")] = False,
    project: Annotated[
        Path, typer.Option(help="Whose stacks: a folder with settings and registries.")
    ] = ROOT,
) -> None:
    """Show by what each input of the types in use is judged. Exit status 1 where one is judged by nothing."""
    from sandbox.aws.coverage import findings, judged, render

    rows = judged(used(project))
    if write:
        PAGE.write_text(render(rows), encoding="utf-8")
    else:
        typer.echo(render(rows))
    for finding in (wrong := findings(rows)):
        typer.echo(finding, err=True)
    if wrong:
        raise typer.Exit(1)
