"""`python -m sandbox COMMAND`: look into the local cloud and work with it.

Exit status: 1 where something is refused or missing, 2 for wrong usage.
"""

import sys

import typer

from sandbox.commands.as_role import as_role
from sandbox.commands.clock import clock
from sandbox.commands.coverage import coverage
from sandbox.commands.psql import psql, rotate
from sandbox.commands.run import start, stop
from sandbox.commands.status import status
from sandbox.plane.places import PlaneError
from sandbox.toolchain.places import ToolchainError

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


if __name__ == "__main__":
    sys.exit(main())
