"""The command line of the registries. Exit codes: 0 fine, 1 findings, 2 wrong usage.

Modules that take long to load are imported by the commands that need them.
"""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from tenants.files import ledger_file, project_root, stacks, write_atomically
from tenants.words import allowed_or_near

app = typer.Typer(
    name="tenants",
    help="The registries of tenants: check them, look at them, edit them, keep their ledgers.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
ledger_app = typer.Typer(help="The lock files of allocations.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(ledger_app, name="ledger")

Stacks = Annotated[list[str] | None, typer.Argument(metavar="[STACK]...", help="All stacks without one.")]
Locked = Annotated[
    bool | None, typer.Option("--locked/--no-locked", help="Ledgers must be complete. Default: if CI is set.")
]
Root = Annotated[Path, typer.Option("--root", help="The project's folder.", show_default=False)]


HERE: Final = project_root()


def chosen(names: list[str] | None, root: Path) -> tuple[str, ...]:
    """The stacks that were named, or all; a wrong name is wrong usage."""
    known = stacks(root)
    for name in names or ():
        if name not in known:
            raise typer.BadParameter(
                f"stack {name} has no registry in tenants/; {allowed_or_near(name, known)}"
            )
    return tuple(dict.fromkeys(names)) if names else known


@app.command()
def check(names: Stacks = None, locked: Locked = None, root: Root = HERE) -> None:
    """Check registries and ledgers: every problem at once, a line each. Writes nothing."""
    from tenants.opening import examine, locked_by_environment
    from tenants.project import Project

    project = Project(root)
    lock = locked_by_environment() if locked is None else locked
    examined = [examine(project, stack, locked=lock) for stack in chosen(names, root)]
    findings = sorted({finding for found in examined for finding in found.findings})
    for finding in findings:
        print(finding)
    for found in examined:
        if not found.findings:
            print(f"{found.stack}: {len(found.registry.tenants)} tenants, nothing wrong", file=sys.stderr)
    raise typer.Exit(1 if findings else 0)


@ledger_app.command()
def init(stack: str, root: Root = HERE) -> None:
    """Make the ledger of a stack that was never deployed."""
    from tenants.ledger import render_ledger
    from tenants.models import Ledger

    chosen([stack], root)
    path = ledger_file(root, stack)
    if path.exists():
        raise typer.BadParameter(
            f"tenants/ledger/{stack}.yaml exists; python -m tenants ledger update adds to it"
        )
    write_atomically(path, render_ledger(Ledger(), stack))
    update([stack], root)


@ledger_app.command()
def update(names: Stacks = None, root: Root = HERE) -> None:
    """Give everybody who has no place yet one, and write the ledgers."""
    from tenants.opening import RegistryError, open_registry

    bad = False
    for stack in chosen(names, root):
        try:
            registry = open_registry(stack, root=root, locked=False)
        except RegistryError as refusal:
            print(refusal)
            bad = True
        else:
            print(f"{stack}: {len(registry.tenants)} tenants have their places", file=sys.stderr)
    raise typer.Exit(1 if bad else 0)


def main() -> None:
    app()
