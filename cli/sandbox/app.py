"""`python -m sandbox COMMAND`: look into the local cloud and work with it.

Exit status: 1 where something is refused or missing, 2 for wrong usage.
"""

import sys

import typer

from cli.sandbox.as_role import as_role
from cli.sandbox.clock import clock
from cli.sandbox.coverage import coverage
from cli.sandbox.psql import psql, rotate
from cli.sandbox.run import start, stop
from cli.sandbox.status import status
from devtools.paths import ToolchainError
from sandbox.data_plane.paths import PlaneError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
app.command("as")(as_role)
app.command()(clock)
app.command()(coverage)
app.command()(psql)
app.command()(rotate)
app.command()(start)
app.command()(status)
app.command()(stop)


def main() -> int:
    try:
        app()
    except (PlaneError, ToolchainError) as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 1
    return 0
