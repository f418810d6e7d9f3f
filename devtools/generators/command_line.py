"""Writes docs/command-line.md from the commands themselves: `make generate`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from cli.app import app
from cli.running import EXIT_STATUSES

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
OF_EVERY = frozenset({"--help"})  # options that are not listed


HEAD = """\
# The command line

<!-- Written by `make generate` from cli/; a test compares them. -->

`make` writes the command `.venv/bin/tenantry`. It works in every folder of a checkout, and uses the
checkout that you stand in. `eval "$(.venv/bin/tenantry completion bash)"` (or `zsh`; in fish
`.venv/bin/tenantry completion fish | source`) gives the shell the command `tenantry` and completes
commands, options, stacks, tenants, fields and values. `python -m tenants`, `policies`, `recovery`,
`sandbox` and `devtools` are the groups `tenants`, `policy`, `recover`, `sandbox` and `stack`.

## Which stack

A stack is given as the argument STACK, or by `--stack` (`-s`), which every command takes that is about
stacks. Commands about one stack take it from the variable STACK where it is not given; else `stack`,
`sandbox` and `policy` take `dev`, and `recover` wants to be told. A command about a tenant finds the stack
that has it. Commands that list take all stacks where none is given.

## Exit statuses

| status | means |
| --- | --- |
"""
TAIL = """
`stack` commands end with the engine's own status where it fails, and `sandbox as` with that of the command
that it runs. What goes wrong is one sentence on standard error, which begins with `error: `; results alone go
to standard output, as JSON with `--json`.

## Commands

| command | does | options |
| --- | --- | --- |
"""


def render() -> str:
    """The whole page."""
    statuses = [f"| {status} | {meaning} |\n" for status, meaning in EXIT_STATUSES.items()]
    rows = [f"{row}\n" for row in _rows(get_command(app), "tenantry")]
    return "".join([HEAD, *statuses, TAIL, *rows])


def _rows(command: Any, path: str) -> Iterator[str]:
    """A line for a command, or those of a group's commands."""
    if command.hidden:
        return
    for name, inner in getattr(command, "commands", {}).items():
        yield from _rows(inner, f"{path} {name}")
    if hasattr(command, "commands"):
        return
    arguments = [str(p.metavar or f"<{p.name}>") for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not OF_EVERY & set(p.opts)]
    named = ", ".join(f"`{o}`" for p in options for o in (*p.opts, *p.secondary_opts) if o.startswith("--"))
    does = " ".join((command.help or "").split()).replace("|", "\\|")
    yield f"| `{' '.join([path, *arguments])}` | {does} | {named} |"
