"""The files that a team edits day by day, and what keeps tests from them: who reads one is green today only.

The standard library alone: each Python process that a test starts loads it (`tests/guard/sitecustomize.py`).
"""

import os
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

TEAM: Final = (
    "Pulumi.*.yaml",
    "organization/*.yaml",
    "organization/policies/*.json",
    "policies/approvals.yaml",
    "policies/exceptions.yaml",
    "tenants/*.yaml",
    "tenants/ledger/*.yaml",
)
PRODUCT: Final = frozenset({"tenants/quotas.yaml"})  # of what matches above
CHECKOUT: Final = Path(__file__).resolve().parents[1]
GUARD: Final = str(CHECKOUT / "tests" / "guard")


def is_the_teams(name: str) -> bool:
    """Whether a file of the checkout, by its path from the root, is the team's and not the product's."""
    return name not in PRODUCT and any(fnmatch(name, pattern) for pattern in TEAM)


def refuse_team_files(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook: raise where a file of the team's is opened, or a process is started that could open one."""
    if event == "subprocess.Popen" and isinstance(arguments[3], Mapping):
        refuse_unguarded(arguments[3])
    if event != "open" or not isinstance(arguments[0], str | bytes):
        return
    opened = os.fsdecode(arguments[0])
    if not opened.endswith((".yaml", ".json")):  # as the team's do: no other file is worth the time
        return
    path = Path(opened).resolve()
    if path.is_relative_to(CHECKOUT) and is_the_teams(name := path.relative_to(CHECKOUT).as_posix()):
        raise PermissionError(f"tests read no file of the team's: {name}; take that of tests/project")


def refuse_unguarded(environment: Mapping[str, str]) -> None:
    # Without PYTHONPATH are PostgreSQL and functions, which know no folder of the checkout.
    if GUARD not in environment.get("PYTHONPATH", GUARD).split(os.pathsep):
        raise PermissionError(
            f"a process that a test starts is kept from the team's files by {GUARD} in PYTHONPATH; "
            "tests.team_files.guarded() puts it there"
        )


def guarded(environment: Mapping[str, str]) -> dict[str, str]:
    """The same environment, in which Python refuses to open a file of the team's."""
    paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    return {**environment, "PYTHONPATH": os.pathsep.join(dict.fromkeys([GUARD, *paths]))}
