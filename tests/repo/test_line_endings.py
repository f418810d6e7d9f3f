"""A checkout on Windows has the bytes that were committed."""

import subprocess
from pathlib import Path

import pytest

from tests.cells import ROOT
from tests.repo.test_repository import tracked
from tests.team_files import is_the_teams

AS_ON_WINDOWS = ("-c", "core.autocrlf=true")


def git(folder: Path, *args: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "core.safecrlf=false")
    subprocess.run(["git", *identity, *args], cwd=folder, check=True, capture_output=True)


def product() -> list[Path]:
    """All files but the team's own."""
    return [p for p in tracked() if not is_the_teams(p.relative_to(ROOT).as_posix())]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is here now, committed and cloned by a git that turns LF into CRLF."""
    source, target = (tmp_path_factory.mktemp(name) for name in ("source", "target"))
    git(source, "init", "-q")
    for path in product():
        copy = source / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    git(source, "add", "--all", "--force")
    git(source, "commit", "-q", "--no-verify", "-m", "all")
    git(target, *AS_ON_WINDOWS, "clone", "-q", *AS_ON_WINDOWS, str(source), "clone")
    return target / "clone"


def test_a_checkout_with_autocrlf_changes_no_byte(clone: Path) -> None:
    names = [path.relative_to(ROOT) for path in product()]
    assert sum(name.parts[0] == "functions" and name.suffix == ".py" for name in names) > 30
    assert [str(name) for name in names if (clone / name).read_bytes() != (ROOT / name).read_bytes()] == []
