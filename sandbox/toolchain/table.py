"""The tenants of a stack, from its outputs, as a table that a terminal and a log can both show."""

import json
import subprocess
import sys
from typing import Any, Final

from sandbox.toolchain.environ import environment
from sandbox.toolchain.places import ROOT, real_cli, sandbox_dir

COLUMNS: Final = {
    "TENANT": "id",
    "ISOLATION": "isolation",
    "DATA TIER": "dataTier",
    "ENDPOINT": "endpoint",
    "KEY": "keyArn",
    "API": "api",
}


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
    if tenants:
        print("\n" + table([{"id": i, **t} for i, t in sorted(tenants.items())]))
    print(
        f"\nLook further: make preview STACK={stack}; python -m tenants list --stack {stack};"
        f' eval "$(make -s env STACK={stack})", then: pulumi stack output -s {stack}, pulumi up -s {stack}'
    )
    return 0


def table(rows: list[dict[str, Any]]) -> str:
    lines = [list(COLUMNS), *([str(row.get(key, "")) for key in COLUMNS.values()] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(x, widths, strict=True)).rstrip() for x in lines)
