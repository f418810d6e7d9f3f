"""The table of tenants or accounts that `make up` prints, from the stack's outputs."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from devtools.environment import environment
from devtools.paths import ROOT, real_cli, sandbox_dir

COLUMNS: Final = {
    "TENANT": "id",
    "ISOLATION": "isolation",
    "NETWORK": "network",
    "DATA TIER": "dataTier",
    "ENDPOINT": "endpoint",
    "KEY": "keyArn",
    "API": "api",
}
ACCOUNT_COLUMNS: Final = {
    "ACCOUNT": "id",
    "NUMBER": "account",
    "UNIT": "unit",
    "DUTY": "duty",
    "ROLE": "role",
}
IN_LINE: Final = 4  # columns that stay beside the id where the window is too narrow for all


@dataclass(frozen=True)
class View:
    """An output that is a table, and where to look further."""

    output: str
    columns: Mapping[str, str]
    further: str


VIEWS: Final = (
    View("tenants", COLUMNS, ".venv/bin/tenantry tenants list --stack {stack}"),
    View("accounts", ACCOUNT_COLUMNS, "organization/policies/ for what the accounts are held to"),
)


def show_stack(stack: str, *, as_json: bool = False) -> int:
    """Print the table and how to look further, or its rows as JSON; 1 where the outputs cannot be read."""
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
    outputs: dict[str, dict[str, dict[str, Any]]] = json.loads(done.stdout)
    view = next((v for v in VIEWS if v.output in outputs), VIEWS[0])
    rows = [{"id": i, **t} for i, t in sorted((outputs.get(view.output) or {}).items())]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    if rows:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print("\n" + fitting(rows, width, view.columns))
    print(
        f"\nLook further: {view.further.format(stack=stack)}, or call the engine yourself:"
        f'\n  eval "$(make -s env STACK={stack})" && pulumi stack output && pulumi preview --diff'
    )
    return 0


def fitting(
    rows: Sequence[Mapping[str, Any]], width: int | None, columns: Mapping[str, str] = COLUMNS
) -> str:
    """The table, or where a window of `width` characters would break its lines, a block for each row."""
    whole = table(rows, columns)
    if width is None or max(map(len, whole.splitlines())) <= width:
        return whole
    names = list(columns)[IN_LINE:]
    heads = table(rows, dict(list(columns.items())[:IN_LINE])).splitlines()
    lines = [heads[0]]
    for head, row in zip(heads[1:], rows, strict=True):
        lines += [head, *(f"  {name.lower():<8}  {row.get(columns[name], '')}" for name in names)]
    return "\n".join(lines)


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str] = COLUMNS) -> str:
    """Rows under their heads, each column as wide as it needs."""
    lines = [list(columns), *([str(row.get(key, "")) for key in columns.values()] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(x, widths, strict=True)).rstrip() for x in lines)
