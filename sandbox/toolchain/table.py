"""The tenants of a stack, from its outputs, as a terminal and a log can both show them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sandbox.toolchain.environ import environment
from sandbox.toolchain.places import ROOT, real_cli, sandbox_dir

COLUMNS: Final = {
    "TENANT": "id",
    "ISOLATION": "isolation",
    "NETWORK": "network",
    "DATA TIER": "dataTier",
    "ENDPOINT": "endpoint",
    "KEY": "keyArn",
    "API": "api",
}
IN_LINE: Final = 4  # columns that stay beside the tenant's id where the window is too narrow for all


def show_tenants(stack: str) -> int:
    """Print the table and how to look further; the status is 1 where the outputs cannot be read."""
    done = subprocess.run(
        [real_cli(), "stack", "output", "--json", "--stack", stack],
        cwd=ROOT,
        env=environment(ROOT, sandbox_dir()),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        print(f"error: stack {stack}: its outputs cannot be read: {done.stderr.strip()}", file=sys.stderr)
        return 1
    tenants: dict[str, dict[str, Any]] = json.loads(done.stdout).get("tenants") or {}
    rows = [{"id": i, **t} for i, t in sorted(tenants.items())]
    if rows:
        print("\n" + fitting(rows, shutil.get_terminal_size().columns if sys.stdout.isatty() else None))
    print(
        f"\nLook further: .venv/bin/python -m tenants list --stack {stack}, or call the engine yourself:"
        f'\n  eval "$(make -s env STACK={stack})" && pulumi stack output && pulumi preview --diff'
    )
    return 0


def fitting(rows: Sequence[Mapping[str, Any]], width: int | None) -> str:
    """The table, or where a window of `width` characters would break its lines, a block for each tenant."""
    whole = table(rows)
    if width is None or max(map(len, whole.splitlines())) <= width:
        return whole
    names = list(COLUMNS)[IN_LINE:]
    heads = table(rows, dict(list(COLUMNS.items())[:IN_LINE])).splitlines()
    lines = [heads[0]]
    for head, row in zip(heads[1:], rows, strict=True):
        lines += [head, *(f"  {name.lower():<8}  {row.get(COLUMNS[name], '')}" for name in names)]
    return "\n".join(lines)


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str] = COLUMNS) -> str:
    """Rows under their heads, each column as wide as it needs."""
    lines = [list(columns), *([str(row.get(key, "")) for key in columns.values()] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(x, widths, strict=True)).rstrip() for x in lines)
