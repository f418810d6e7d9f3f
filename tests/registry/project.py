"""Small projects to check: `base/`, a sound one, with the files of a case laid over it."""

import shutil
from pathlib import Path

HERE = Path(__file__).parent
BASE = HERE / "base"
BAD = HERE / "bad"
# Files of a case that are not part of the project.
EXPECTED = "expected.txt"
REMOVED = "removed.txt"


def project(target: Path, case: Path | None = None) -> Path:
    """Write the base project, with the files of a case over it and those named in `removed.txt` gone."""
    shutil.copytree(BASE, target, dirs_exist_ok=True)
    if case is not None:
        shutil.copytree(case, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(EXPECTED, REMOVED))
        removed = case / REMOVED
        for name in removed.read_text(encoding="utf-8").split() if removed.exists() else ():
            (target / name).unlink()
    return target
