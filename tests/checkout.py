"""A copy of the checkout in which the registries are those of `tests/project/`, whatever the team's say."""

import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path

from tests.cells import PROJECT, ROOT
from tests.team_files import is_the_teams


def tracked() -> Iterator[str]:
    """Files that git knows or would add: a test runs what is here, not what was committed last."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return (name for name in found.splitlines() if (ROOT / name).is_file())


def write_checkout(target: Path, *, code: bool = True) -> Path:
    """Write the product's files of the checkout, and the files of `tests/project/` in place of the team's.

    Without `code`, which is most of the files, only what commands read that are told of the folder.
    """
    product = ((ROOT / name, name) for name in tracked() if not is_the_teams(name))
    mine = (path for path in PROJECT.rglob("*") if path.is_file() and not path.is_symlink())
    project = ((path, str(path.relative_to(PROJECT))) for path in mine)
    for source, name in (*product, *project):
        if not code and (name.endswith((".py", ".md")) or name.startswith("tests/")):
            continue
        _copy(source, target / name)
        if name.endswith(".py") and (compiled := Path(cache_from_source(str(source)))).exists():
            _copy(compiled, Path(cache_from_source(str(target / name))))
    return target


def _copy(source: Path, target: Path) -> None:
    """With its time, by which Python tells whether what was compiled is of this source."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)
