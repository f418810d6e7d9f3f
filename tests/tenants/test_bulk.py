"""Many registries at once: the cache and the processes change how long it takes, and nothing else."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.tenants import app
from config.yaml_tree import Finding
from tenants import RegistryError, open_registry, registry_cache
from tenants.examination import Examined, examine
from tenants.files import ledger_file, registry_file
from tenants.project import Project
from tenants.registry import examine_all
from tests.registry.many import many

STACKS = 12


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return many(tmp_path_factory.mktemp("many"), STACKS, 12)


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "project", ignore=shutil.ignore_patterns(".build"))
    return tmp_path / "project"


def summary(found: list[Examined]) -> list[tuple[object, ...]]:
    return [(f.stack, f.cell, dict(f.entries.models), f.ledger, f.extended, f.findings) for f in found]


def plainly(root: Path) -> list[tuple[object, ...]]:
    """Every stack by itself, without a cache and in one process."""
    project = Project(root)
    return summary([examine(project, stack, locked=True) for stack in project.stacks])


def quickly(root: Path) -> tuple[list[tuple[object, ...]], Project, list[Finding]]:
    project = Project(root)
    examined, findings = examine_all(project, project.stacks, locked=True)
    return summary(examined), project, findings


def entries_of(root: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (root / registry_cache.FOLDER).iterdir()}


def test_the_cache_says_what_the_files_say(root: Path) -> None:
    expected = plainly(root)
    first, _, findings = quickly(root)
    assert (first, findings) == (expected, [])
    assert len(entries_of(root)) == STACKS
    again, project, _ = quickly(root)
    assert again == expected
    assert project.sound == set(project.stacks)
    shutil.rmtree(root / registry_cache.FOLDER)
    assert quickly(root)[0] == expected


def test_several_processes_say_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = plainly(root)
    registry_file(root, "c003").write_text("oops: 1\n", "utf-8")
    broken = plainly(root)
    monkeypatch.setattr(registry_cache, "WORTH_PROCESSES", 2)
    monkeypatch.setattr(registry_cache.os, "cpu_count", lambda: 3)
    assert quickly(root)[0] == broken != expected
    assert len(entries_of(root)) == STACKS - 1


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("tenants/c003.yaml", "plan: standard", "plan: gold"),
        ("tenants/plans.yaml", "standard:", "standart:"),
        ("tenants/ledger/c003.yaml", "shard-a/01: c003-t00-pay", "shard-a/01: c003-t01-pay"),
        ("Pulumi.c003.yaml", "region: eu-west-1", "region: us-east-1"),
        ("Pulumi.yaml", "default: 16", "default: none"),
        ("Pulumi.c003.yaml", "10.3.0.0/18", "10.4.0.0/18"),
        ("tenants/c003.yaml", "c003-t05-pay:", "c004-t05-pay:"),
        ("tenants/quotas.yaml", "value: 40", "value: 4"),
    ],
)
def test_no_edit_is_missed_because_of_the_cache(root: Path, file: str, old: str, new: str) -> None:
    assert quickly(root)[2] == []
    path = root / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    found, _, findings = quickly(root)
    assert findings
    assert found == plainly(root)
    path.write_text(text, "utf-8")
    assert quickly(root)[2] == []


def test_an_entry_that_is_broken_is_as_if_it_were_not_there(root: Path) -> None:
    expected = plainly(root)
    quickly(root)
    good = entries_of(root)
    for n, path in enumerate(sorted((root / registry_cache.FOLDER).iterdir())):
        path.write_bytes((b"", path.read_bytes()[:-5], b"\xc0", b"{}")[n % 4])
    assert quickly(root)[0] == expected
    assert entries_of(root) == good


def test_other_code_does_not_believe_these_entries(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quickly(root)
    monkeypatch.setattr(registry_cache, "_code", lambda: b"of another day")
    project = Project(root)
    registry_cache.load(project, ())
    quickly(root)
    assert len(entries_of(root)) == 2 * STACKS


def test_the_folder_does_not_grow_for_ever(root: Path) -> None:
    path = registry_file(root, "c003")
    text = path.read_text("utf-8")
    for n in range(registry_cache.KEPT * STACKS + 3):
        path.write_text(f"{text}# {n}\n", "utf-8")
        project = Project(root)
        registry_cache.load(project, ["c003"])
    assert len(entries_of(root)) <= registry_cache.KEPT * STACKS


def test_a_folder_that_cannot_be_written_is_done_without(root: Path) -> None:
    (root / registry_cache.FOLDER).parent.write_text("in the way", "utf-8")
    assert quickly(root)[0] == plainly(root)


def test_a_deployment_reads_its_own_stack_from_its_files(root: Path) -> None:
    """Whatever the cache says of the stack itself."""
    quickly(root)
    project = Project(root)
    registry_cache.load(project, ["c003", "c004"])
    forged = registry_cache._ENCODER.encode(
        {"cell": project.cell("c004")[0], "tenants": (), "ledger": project.ledger("c004")[0]}
    )
    for path in (root / registry_cache.FOLDER).iterdir():
        path.write_bytes(forged)
    found = open_registry("c003", root=root, locked=True)
    assert len(found.tenants) == 12


def test_a_neighbours_tenant_is_still_a_neighbours(root: Path) -> None:
    quickly(root)
    path = registry_file(root, "c003")
    path.write_text(path.read_text("utf-8").replace("c003-t05-pay:", "c004-t05-pay:"), "utf-8")
    ledger = ledger_file(root, "c003")
    ledger.write_text(ledger.read_text("utf-8").replace("c003-t05-pay", "c004-t05-pay"), "utf-8")
    with pytest.raises(RegistryError, match=r"c004-t05-pay: is in tenants/c004\.yaml:\d+ too"):
        open_registry("c003", root=root, locked=True)


def test_the_command_uses_it(root: Path) -> None:
    for _ in range(2):
        result = CliRunner().invoke(app, ["check", "--locked", "--root", str(root)])
        assert result.exit_code == 0
        assert result.stderr.count("12 tenants, nothing wrong") == STACKS
    assert len(entries_of(root)) == STACKS
