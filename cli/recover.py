"""`tenantry recover`: repair of stacks, in real accounts too. The code of a command loads when it runs."""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.options import HERE, Json, StackName, StackOption, require_stack
from cli.running import group, run

if TYPE_CHECKING:
    from recovery.engine import Stack

app: Final = group(
    "Repair a stack after a run that was killed, in real accounts too; copy its state, bring a copy back."
    " It calls the pulumi on PATH, with the environment in which you deploy."
)


def _stack(name: str | None, option: str | None) -> "Stack":
    from recovery.engine import Stack

    return Stack(require_stack(name, option), HERE)


@app.command()
def check(name: StackName = None, stack: StackOption = None) -> None:
    """Check that account, Region and passphrase are those of the stack's state. Changes nothing."""
    from recovery.operations import check

    raise typer.Exit(check(_stack(name, stack)))


@app.command()
def save(name: StackName = None, stack: StackOption = None) -> None:
    """Copy the state, as you should before a run."""
    from recovery.operations import save

    raise typer.Exit(save(_stack(name, stack)))


@app.command()
def refresh(name: StackName = None, stack: StackOption = None) -> None:
    """Copy the state, then refresh it from the cloud, unless that would drop much of it."""
    from recovery.operations import refresh

    raise typer.Exit(refresh(_stack(name, stack)))


@app.command("recover", hidden=True)  # as `python -m recovery recover` has it
@app.command("run")
def run_recovery(name: StackName = None, stack: StackOption = None) -> None:
    """Repair a stack: copy its state, adopt or clear what is half created, compare state and cloud."""
    from recovery.operations import recover

    raise typer.Exit(recover(_stack(name, stack)))


@app.command()
def restore(
    name: StackName = None,
    stack: StackOption = None,
    copy: Annotated[
        str | None, typer.Option("--copy", help="The copy to bring back; without it they are listed.")
    ] = None,
    json: Json = False,
) -> None:
    """List the copies of the state, or bring one back."""
    from cli.output import print_json
    from recovery.operations import copies_of, list_copies, restore

    found = _stack(name, stack)
    if copy:
        raise typer.Exit(restore(found, copy))
    if json:
        print_json(copies_of(found))
        return
    raise typer.Exit(list_copies(found))


def main() -> None:
    run(app, "python -m recovery")
