"""The command line of the registries. Exit codes: 0 fine, 1 findings or refused, 2 wrong usage.

Here are the commands and their words; what they do is imported when they run, so that help and
completion start at once.
"""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

import os
import sys
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from cli import lifecycle
from cli.options import (
    HERE,
    Changes,
    DryRun,
    Json,
    Locked,
    NewTenant,
    OneStack,
    Root,
    Stacks,
    Tenant,
    chosen,
    one,
    where_is,
)

COMPLETION: Final = "_TENANTS_COMPLETE"  # set by the shell's script when it asks for completions


def _typer(text: str, **more: Any) -> typer.Typer:
    return typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None, **more)


app = _typer(
    "The registries of tenants: check them, look at them, edit them, keep their ledgers.",
    add_completion=COMPLETION in os.environ,
    pretty_exceptions_enable=False,
)
ledger_app = _typer("The lock files of allocations: who lives where.")
app.add_typer(ledger_app, name="ledger")


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command()
def check(
    names: Stacks = None,
    form: Annotated[Format, typer.Option("--format", help="How to print findings.")] = Format.TEXT,
    json: Json = False,
    locked: Locked = None,
    root: Root = HERE,
) -> None:
    """Check registries, ledgers, plans and quotas: every problem at once, a line each. Writes nothing."""
    from cli.queries import check

    raise typer.Exit(check(root, chosen(names, root), Format.JSON if json else form, locked))


@app.command("list")
def list_(names: Stacks = None, json: Json = False, root: Root = HERE) -> None:
    """List the tenants of all stacks, or of some."""
    from cli.queries import list_tenants

    raise typer.Exit(list_tenants(root, chosen(names, root), as_json=json))


@app.command()
def show(id_: Tenant, stack: OneStack = None, json: Json = False, root: Root = HERE) -> None:
    """Show where a tenant's data lives, whom it shares with, its limits and what they take of quotas."""
    from cli.queries import show_tenant

    raise typer.Exit(show_tenant(root, where_is(root, id_, stack), id_, as_json=json))


@app.command()
def add(
    id_: NewTenant,
    changes: Changes,
    stack: OneStack = None,
    dry_run: DryRun = False,
    json: Json = False,
    root: Root = HERE,
) -> None:
    """Onboard a tenant: check, show the diff, write the registry and the ledger."""
    from cli.edits import add_tenant

    raise typer.Exit(add_tenant(root, one(stack, root), id_, changes, dry_run=dry_run, as_json=json))


@app.command("set")
def set_(
    id_: Tenant,
    changes: Changes,
    stack: OneStack = None,
    dry_run: DryRun = False,
    json: Json = False,
    root: Root = HERE,
) -> None:
    """Change fields of a tenant: check, show the diff, write. Everything else in the file stays as it is."""
    from cli.edits import set_tenant

    where = where_is(root, id_, stack)
    raise typer.Exit(set_tenant(root, where, id_, changes, dry_run=dry_run, as_json=json))


@app.command()
def capacity(names: Stacks = None, json: Json = False, root: Root = HERE) -> None:
    """Draw what is used of shards, addresses and quotas, and how many more tenants fit."""
    from cli.queries import show_capacity

    raise typer.Exit(show_capacity(root, chosen(names, root), as_json=json))


@app.command()
def schema(
    name: Annotated[str, typer.Argument(help="registry, plans, quotas or quota-increases.")] = "registry",
    write: Annotated[bool, typer.Option("--write", help="Write all schemas to their files.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 if a file is stale.")] = False,
    root: Root = HERE,
) -> None:
    """Print the JSON Schema of a kind of file, for editors; it is generated from the models."""
    from cli.edits import check_schemas, print_schema, write_schemas

    if write or check:
        raise typer.Exit(write_schemas(root) if write else check_schemas(root))
    raise typer.Exit(print_schema(root, name))


@app.command()
def completion(shell: Shell) -> None:
    """Print a script for a shell to evaluate: the command `tenants`, with completion."""
    from cli.completion import script

    print(script(shell, sys.executable, HERE, COMPLETION), end="")


@ledger_app.command()
def init(stack: str, root: Root = HERE) -> None:
    """Make the ledger of a stack that was never deployed."""
    from cli.edits import init_ledger

    chosen([stack], root)
    raise typer.Exit(init_ledger(root, stack))


@ledger_app.command()
def update(names: Stacks = None, root: Root = HERE) -> None:
    """Give a place to everybody who has none yet, and write the ledgers."""
    from cli.edits import update_ledgers

    raise typer.Exit(update_ledgers(root, chosen(names, root)))


@ledger_app.command("check")
def check_ledger(names: Stacks = None, json: Json = False, root: Root = HERE) -> None:
    """Compare ledgers with registries; prove that no places overlap and all lie inside their parents."""
    from cli.queries import check_ledgers

    raise typer.Exit(check_ledgers(root, chosen(names, root), as_json=json))


app.registered_commands += lifecycle.commands


def main() -> None:
    """Run; what the machine refuses (a file, a disk) is one sentence too."""
    try:
        app(prog_name="python -m tenants", complete_var=COMPLETION)
    except OSError as refused:
        where = f"{refused.filename}: " if refused.filename else ""
        print(f"{where}{refused.strerror or refused}", file=sys.stderr)
        sys.exit(1)
