"""A copy of the checkout in which the registries are those of `tests/project/`, whatever the team's say."""

import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from tests.cells import PROJECT, ROOT

# The files that a team edits day by day. Tests never read them: they read those of `tests/project/`.
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


def is_the_teams(name: str) -> bool:
    """Whether a file of the checkout, by its path from the root, is the team's and not the product's."""
    return name not in PRODUCT and any(fnmatch(name, pattern) for pattern in TEAM)


def tracked() -> Iterator[str]:
    """Files that git knows or would add: a test runs what is here, not what was committed last."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return (name for name in found.splitlines() if (ROOT / name).is_file())


def write_checkout(target: Path) -> Path:
    """Write the product's files of the checkout, and the files of `tests/project/` in place of the team's."""
    product = ((ROOT / name, name) for name in tracked() if not is_the_teams(name))
    mine = (path for path in PROJECT.rglob("*") if path.is_file() and not path.is_symlink())
    project = ((path, str(path.relative_to(PROJECT))) for path in mine)
    for source, name in (*product, *project):
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy, follow_symlinks=False)
    return target
