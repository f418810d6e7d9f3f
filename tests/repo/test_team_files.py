"""A team's files are the team's: whatever it does to them, the product's tests say the same."""

import os
import re
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.check import plans_of, registries
from tests.cells import ROOT
from tests.checkout import write_checkout
from tests.conftest import NODE_IDS
from tests.repo.test_readme import blocks
from tests.team_edits import (
    SETTINGS,
    any_edits,
    begin_cell,
    every_phase,
    onboard,
    set_otherwise,
    world_of,
    write,
)
from tests.team_files import guarded, is_the_teams

# Some of every kind that reads files of a project, quick ones, and the commands among them.
QUICK = (
    "tests/organization/test_opening.py",
    "tests/policies/test_checking.py",
    "tests/repo/test_settings_declared.py",
    "tests/cli/test_tenants.py::test_it_runs_as_a_module",
    "tests/cli/test_tenants.py::test_show_says_where_with_whom_and_at_what_cost",
    "tests/tenants/test_quotas.py::test_requests_are_those_of_all_plans",
    "tests/tenants/test_schema.py::test_the_committed_schemas_are_what_the_models_say",
)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout whose team has onboarded a tenant, led others into every phase, edited and set much."""
    root = write_checkout(tmp_path_factory.mktemp("edited") / "checkout")
    number = secrets.randbelow(2**32)
    print(f"edits of seed {number}")  # which pytest shows where a test fails
    (example,) = blocks("yaml")
    onboard(root, "dev", example)
    write(root, world_of(root, "dev").run())
    day = max(any_edits(root, "dev", 30, number), every_phase(root, "prod"))
    set_otherwise(root)
    begin_cell(root, "next")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENANTRY_TODAY", str(day))
        patch.delenv("CI", raising=False)
        subprocess.run(["git", "init", "--quiet", str(root)], check=True)
        yield root


def run_tests(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The tests of another checkout, which bring the guard of their own files: without this checkout's."""
    dropped = ("PYTEST_", "TENANTRY_TODAY", "PYTHONPATH")
    env = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
        cwd=root,
        env=env | {"TENANTRY_TOOLS_DIR": str(ROOT / ".tools")},
        capture_output=True,
        text=True,
        check=False,
    )


def collected(root: Path) -> set[str]:
    done = run_tests(root, "--collect-only")
    assert done.returncode == 0, done.stdout + done.stderr
    return {line for line in done.stdout.splitlines() if "::" in line}


def files(root: Path) -> dict[str, bytes]:
    found = (p for p in root.rglob("*") if p.is_file() and ".git" not in p.parts)
    return {str(p.relative_to(root)): p.read_bytes() for p in found if p.suffix != ".pyc"}


def test_the_edits_are_what_a_team_may_do(edited: Path, checkout: Path) -> None:
    before, after = files(checkout), files(edited)
    changed = {name for name, text in after.items() if text != before.get(name)}
    assert changed >= {"Pulumi.next.yaml", "tenants/dev.yaml", "tenants/ledger/prod.yaml", *SETTINGS}
    assert [name for name in changed if not is_the_teams(name)] == []
    assert list(registries(edited)) == []
    plans, refused = plans_of(edited)
    assert refused == []
    assert set(plans) == {"dev", "next", "org", "prod"}


@pytest.mark.slow
def test_tests_do_not_notice_what_a_team_edits(edited: Path) -> None:
    done = run_tests(edited, *QUICK)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr


def collected_here(config: pytest.Config) -> frozenset[str] | set[str]:
    """What this run has collected, if it was asked for everything, and otherwise what another one does."""
    everything = config.args == config.getini("testpaths")
    return config.stash[NODE_IDS] if everything else collected(ROOT)


@pytest.mark.slow
def test_the_same_tests_are_collected_with_any_registry(edited: Path, request: pytest.FixtureRequest) -> None:
    assert collected(edited) == collected_here(request.config)


@pytest.mark.parametrize("name", ["tenants/dev.yaml", "Pulumi.dev.yaml", "tenants/plans.yaml"])
def test_a_test_that_reads_a_file_of_the_teams_fails(name: str) -> None:
    with pytest.raises(PermissionError, match=rf"tests read no file of the team's: {re.escape(name)}"):
        (ROOT / name).read_bytes()


@pytest.mark.parametrize(
    "path",
    ["tenants/dev.yaml", "tests/../tenants/dev.yaml", b"tenants/dev.yaml", "LINK/tenants/dev.yaml"],
    ids=["relative", "up", "bytes", "link"],
)
def test_a_test_that_reads_a_file_of_the_teams_fails_however_the_path_is_written(
    path: str | bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    link = tmp_path / "link"
    link.symlink_to(ROOT)
    written = path.replace("LINK", str(link)) if isinstance(path, str) else path
    with pytest.raises(PermissionError, match=r"tests read no file of the team's: tenants/dev\.yaml"):
        os.open(written, os.O_RDONLY)


OPEN = "open('{root}/tenants/dev.yaml').close()"


@pytest.mark.parametrize("begin", ["{python} -c", "sh -c '{python} -c \"$0\"'"], ids=["child", "grandchild"])
def test_a_process_that_a_test_starts_reads_no_file_of_the_teams_either(begin: str, tmp_path: Path) -> None:
    command = [*shlex.split(begin.format(python=sys.executable)), OPEN.format(root=ROOT)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "tests read no file of the team's: tenants/dev.yaml" in done.stderr


def test_a_process_that_would_not_be_kept_from_them_is_not_started() -> None:
    with pytest.raises(PermissionError, match=r"tests\.team_files\.guarded\(\) puts it there"):
        subprocess.run(["true"], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    given = guarded({**os.environ, "PYTHONPATH": str(ROOT)})
    assert given["PYTHONPATH"].split(os.pathsep)[1:] == [str(ROOT)]
    subprocess.run(["true"], env=given, check=True)
