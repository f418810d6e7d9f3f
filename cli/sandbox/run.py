"""`python -m sandbox start | stop`: the databases of a sandbox, by the process ids that they recorded."""

from typing import Annotated

import typer

from devtools.paths import sandbox_dir
from sandbox.data_plane.service import Service, switched_on

Stack = Annotated[str | None, typer.Option(help="of one stack only")]


def start(stack: Stack = None) -> None:
    """Start what was stopped, and make real what is not yet where SANDBOX_POSTGRES=1."""
    for name in Service(sandbox_dir()).start(stack, make=switched_on()):
        typer.echo(f"started {name}")


def stop(stack: Stack = None) -> None:
    """Stop the databases; their data stays, and `start` or `make up` goes on with it."""
    for name in Service(sandbox_dir()).stop(stack):
        typer.echo(f"stopped {name}")
