"""`tenantry stack`: what the Makefile's targets do. The code of a command loads when it runs."""
# ruff: noqa: PLC0415 - imports in functions keep the start fast

import signal
from typing import Annotated, Final

import typer

from cli.options import Json, StackName, StackOption, named_stack
from cli.running import group, run

DEFAULT: Final = "dev"  # what is run for want of a name costs nothing in the local cloud

app: Final = group("Deploy and inspect stacks in the sandbox, as the targets of make do.")


@app.callback()
def prepare() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who stops `make` interrupts what it does


def _operate(verb: str, name: str | None, stack: str | None) -> None:
    from devtools.operations import operate

    raise typer.Exit(operate(verb, named_stack(name, stack) or DEFAULT))


@app.command()
def up(name: StackName = None, stack: StackOption = None, json: Json = False) -> None:
    """Deploy a stack, and show its tenants; with --json, all else that is said goes to standard error."""
    from devtools.operations import operate

    raise typer.Exit(operate("up", named_stack(name, stack) or DEFAULT, as_json=json))


@app.command()
def preview(name: StackName = None, stack: StackOption = None) -> None:
    """Show what `up` would change, judged by the guardrails."""
    _operate("preview", name, stack)


@app.command()
def refresh(name: StackName = None, stack: StackOption = None) -> None:
    """Read the cloud back into the state (drift)."""
    _operate("refresh", name, stack)


@app.command()
def destroy(name: StackName = None, stack: StackOption = None) -> None:
    """Delete a stack, unless it protects data."""
    _operate("destroy", name, stack)


@app.command()
def recover(name: StackName = None, stack: StackOption = None) -> None:
    """Repair the stack after a run that was killed."""
    from devtools.operations import recovery

    raise typer.Exit(recovery("recover", named_stack(name, stack) or DEFAULT))


@app.command()
def restore(
    name: StackName = None,
    stack: StackOption = None,
    copy: Annotated[
        str | None,
        typer.Option(
            "--copy",
            envvar="COPY",
            show_envvar=False,
            help="The copy to bring back; without it they are listed.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the copies of the state, or bring one back."""
    from devtools.operations import recovery

    raise typer.Exit(recovery("restore", named_stack(name, stack) or DEFAULT, copy, as_json=json))


@app.command()
def env(name: StackName = None, stack: StackOption = None) -> None:
    """Print the environment for pulumi itself: eval "$(tenantry stack env)"."""
    from devtools.operations import env

    raise typer.Exit(env(named_stack(name, stack) or DEFAULT))


@app.command()
def setup() -> None:
    """Install the Pulumi CLI and the provider plugins, if they are missing."""
    from devtools.operations import setup

    setup()


@app.command()
def clean() -> None:
    """Stop and remove everything that was created here, except the virtual environment."""
    from devtools.clean import clean

    clean()


def main() -> None:
    run(app, "python -m devtools")
