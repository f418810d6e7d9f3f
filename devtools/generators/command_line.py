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

`make venv`, like every other target, installs the command as `.venv/bin/tenantry`. It works in every folder
of a checkout, on that checkout. To type just `tenantry`, with completion of commands, options, stacks,
tenants, fields and values:

```sh
eval "$(.venv/bin/tenantry completion bash)"    # or zsh
.venv/bin/tenantry completion fish | source     # in fish
```

Scripts that cannot rely on that may call the groups as modules of the virtual environment's Python:

| command | the same as |
| --- | --- |
| `tenantry tenants` | `python -m tenants` |
| `tenantry policy` | `python -m policies` |
| `tenantry recover` | `python -m recovery` |
| `tenantry sandbox` | `python -m sandbox` |
| `tenantry stack` | `python -m devtools` |

## Which stack

Every command that works on stacks takes the stack as the argument STACK or as the option `--stack` (`-s`).
Without either:

- A command about one tenant finds the stack that has the tenant.
- A command that lists shows all stacks.
- Any other command takes the environment variable STACK. Without that, `stack`, `sandbox` and `policy` take
  `dev`, and `recover` asks you to name one.

## Exit statuses

| status | meaning |
| --- | --- |
"""
TAIL = """
Two exceptions: the commands of `stack` pass on Pulumi's own status when Pulumi fails, and `sandbox as` that
of the command that it runs. An error is one sentence on standard error that begins with `error: `. Standard
output has results only; with `--json`, as JSON.

## Commands

| command | what it does | options |
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
