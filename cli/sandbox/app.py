"""`tenantry sandbox`: look into the local cloud and work with it. A command's code loads when it runs."""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.options import (
    HERE,
    Json,
    OneStack,
    StackOption,
    complete_deployable,
    complete_tenant,
    named_stack,
)
from cli.running import group, run

DEFAULT: Final = "dev"

app: Final = group("Look into the local cloud and work with it.")

Tenant = Annotated[str, typer.Argument(metavar="ID", help="A tenant's id.", autocompletion=complete_tenant)]
OnlyStack = Annotated[
    str | None,
    typer.Argument(metavar="[STACK]", help="All stacks without one.", autocompletion=complete_deployable),
]


@app.command("as")
def as_(
    role: Annotated[
        str, typer.Argument(help="A role's name, or a tenant's id.", autocompletion=complete_tenant)
    ],
    command: Annotated[list[str], typer.Argument(help="What to run, after --.")],
    stack: OneStack = None,
) -> None:
    """Run a command whose AWS calls go to the sandbox, signed as a role. Returns its exit status."""
    from cli.sandbox.as_role import as_role

    raise typer.Exit(as_role(role, command, _stack_or_default(stack)))


@app.command()
def clock(
    days: Annotated[float, typer.Argument(help="Days to move forward, as in +7; none to only look.")] = 0,
) -> None:
    """Show the sandbox's time, or move it forward: whatever is due by then happens."""
    from cli.sandbox.clock import clock

    clock(days)


@app.command()
def coverage(
    write: Annotated[bool, typer.Option("--write", help="Write docs/sandbox-coverage.md instead.")] = False,
    project: Annotated[
        Path, typer.Option("--project", help="Whose stacks: a folder with settings and registries.")
    ] = HERE,
    json: Json = False,
) -> None:
    """Show which check covers each input of the types in use; an input without a check is an error."""
    from cli.sandbox.coverage import coverage

    raise typer.Exit(coverage(write=write, as_json=json, project=project))


@app.command()
def psql(
    tenant: Tenant,
    command: Annotated[
        str | None, typer.Option("-c", "--command", help="SQL to run instead of a prompt.")
    ] = None,
    stack: OneStack = None,
) -> None:
    """Log in to a tenant's database as the tenant."""
    from cli.sandbox.psql import psql

    raise typer.Exit(psql(tenant, command, _stack_or_default(stack)))


@app.command()
def push(
    service: Annotated[str, typer.Argument(help="monolith or reports.")],
    unhealthy: Annotated[
        bool, typer.Option("--unhealthy", help="Of which no container becomes healthy.")
    ] = False,
    stack: OneStack = None,
) -> None:
    """Push an image to the cell's own repository, as a build does, and print it as the settings name it."""
    from cli.sandbox.push import push

    print(push(service, _stack_or_default(stack), healthy=not unhealthy))


@app.command()
def rotate(tenant: Tenant, stack: OneStack = None) -> None:
    """Rotate a tenant's database password now, as Secrets Manager does every 90 days."""
    from cli.sandbox.psql import rotate

    rotate(tenant, _stack_or_default(stack))


@app.command()
def start(name: OnlyStack = None, stack: StackOption = None) -> None:
    """Start stopped databases; with SANDBOX_POSTGRES=1, also create those that are only a record."""
    from cli.sandbox.run import start

    start(_stack_or_all(name, stack))


@app.command()
def status(name: OnlyStack = None, stack: StackOption = None, json: Json = False) -> None:
    """Show what exists and which databases run; one that no stack knows is an error."""
    from cli.sandbox.status import status

    raise typer.Exit(status(_stack_or_all(name, stack), as_json=json))


@app.command()
def stop(name: OnlyStack = None, stack: StackOption = None) -> None:
    """Stop the databases; their data stays for the next `start` or `make up`."""
    from cli.sandbox.run import stop

    stop(_stack_or_all(name, stack))


def _stack_or_default(stack: str | None) -> str:
    return named_stack(stack, None) or DEFAULT


def _stack_or_all(name: str | None, stack: str | None) -> str | None:
    """The stack that was named; None means all, whatever the variable STACK says."""
    return named_stack(name, stack) if name or stack else None


def main() -> None:
    run(app, "python -m sandbox")
