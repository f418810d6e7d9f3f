"""`tenantry tenants`: registries, ledgers and the tenant lifecycle. Code loads when a command runs."""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

from enum import StrEnum
from typing import Annotated, Final

import typer

from cli import lifecycle
from cli.options import (
    HERE,
    Changes,
    DryRun,
    Json,
    Locked,
    MoreStacks,
    NewTenant,
    OneStack,
    Root,
    StackName,
    StackOption,
    Stacks,
    Tenant,
    named_stacks,
    require_known_stacks,
    require_stack,
    single_stack,
    stack_with_tenant,
)
from cli.running import group, run

app: Final = group("Check, list and edit tenants; move, restore and offboard them; keep their ledgers.")
ledger_app: Final = group("Ledgers: the lock files of what each tenant was allocated.")
app.add_typer(ledger_app, name="ledger")


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


@app.command()
def check(
    names: Stacks = None,
    stack: MoreStacks = None,
    form: Annotated[Format, typer.Option("--format", help="How to print findings.")] = Format.TEXT,
    json: Json = False,
    locked: Locked = None,
    root: Root = HERE,
) -> None:
    """Check registries, ledgers, service plans and quotas. Prints every problem at once; writes nothing."""
    from cli.queries import check

    raise typer.Exit(check(root, named_stacks(names, stack, root), Format.JSON if json else form, locked))


@app.command("list")
def list_(names: Stacks = None, stack: MoreStacks = None, json: Json = False, root: Root = HERE) -> None:
    """List the tenants of all stacks, or of those named."""
    from cli.queries import list_tenants

    raise typer.Exit(list_tenants(root, named_stacks(names, stack, root), as_json=json))


@app.command()
def show(id_: Tenant, stack: OneStack = None, json: Json = False, root: Root = HERE) -> None:
    """Show one tenant: where its data is, who shares its shard, its limits, resources and use of quotas."""
    from cli.queries import show_tenant

    raise typer.Exit(show_tenant(root, stack_with_tenant(root, id_, stack), id_, as_json=json))


@app.command()
def add(
    id_: NewTenant,
    changes: Changes,
    stack: OneStack = None,
    dry_run: DryRun = False,
    json: Json = False,
    root: Root = HERE,
) -> None:
    """Onboard a tenant: check the new entry, show the diff, write registry and ledger."""
    from cli.edits import add_tenant

    raise typer.Exit(add_tenant(root, single_stack(stack, root), id_, changes, dry_run=dry_run, as_json=json))


@app.command("set")
def set_(
    id_: Tenant,
    changes: Changes,
    stack: OneStack = None,
    dry_run: DryRun = False,
    json: Json = False,
    root: Root = HERE,
) -> None:
    """Change fields of a tenant: check, show the diff, write. The rest of the file stays as it is."""
    from cli.edits import set_tenant

    where = stack_with_tenant(root, id_, stack)
    raise typer.Exit(set_tenant(root, where, id_, changes, dry_run=dry_run, as_json=json))


@app.command()
def capacity(names: Stacks = None, stack: MoreStacks = None, json: Json = False, root: Root = HERE) -> None:
    """Show how full shards, address ranges and quotas are, and how many more tenants fit."""
    from cli.queries import show_capacity

    raise typer.Exit(show_capacity(root, named_stacks(names, stack, root), as_json=json))


@app.command()
def schema(
    name: Annotated[str, typer.Argument(help="registry, plans, quotas or quota-increases.")] = "registry",
    write: Annotated[bool, typer.Option("--write", help="Write all schemas to their files.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 if a file is stale.")] = False,
    root: Root = HERE,
) -> None:
    """Print the JSON Schema of a kind of file, for editors."""
    from cli.edits import check_schemas, print_schema, write_schemas

    if write or check:
        raise typer.Exit(write_schemas(root) if write else check_schemas(root))
    raise typer.Exit(print_schema(root, name))


@ledger_app.command()
def init(name: StackName = None, stack: StackOption = None, root: Root = HERE) -> None:
    """Create the ledger of a stack that was never deployed."""
    from cli.edits import init_ledger

    where = require_known_stacks([require_stack(name, stack)], root)[0]
    raise typer.Exit(init_ledger(root, where))


@ledger_app.command()
def update(names: Stacks = None, stack: MoreStacks = None, root: Root = HERE) -> None:
    """Allocate what new tenants lack, and write the ledgers."""
    from cli.edits import update_ledgers

    raise typer.Exit(update_ledgers(root, named_stacks(names, stack, root)))


@ledger_app.command("check")
def check_ledger(
    names: Stacks = None, stack: MoreStacks = None, json: Json = False, root: Root = HERE
) -> None:
    """Compare ledgers with registries, and check that allocations do not overlap and fit their ranges."""
    from cli.queries import check_ledgers

    raise typer.Exit(check_ledgers(root, named_stacks(names, stack, root), as_json=json))


app.registered_commands += lifecycle.commands


def main() -> None:
    run(app, "python -m tenants")
