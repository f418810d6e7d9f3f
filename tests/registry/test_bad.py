"""Every bad project in `bad/` is refused with exactly the lines of its `expected.txt`."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.tenants import app
from tests.registry.project import BAD, EXPECTED, project

CASES = sorted(BAD.iterdir())


def check(root: Path, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", "--no-locked", "--root", str(root), *more])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_registry_is_refused_with_its_lines(case: Path, tmp_path: Path) -> None:
    expected = (case / EXPECTED).read_text(encoding="utf-8")
    assert expected, "a case that finds nothing shows nothing"
    assert check(project(tmp_path, case)) == (1, expected)


def test_the_base_project_is_sound(tmp_path: Path) -> None:
    assert check(project(tmp_path)) == (0, "")


def test_a_refused_registry_changes_no_file(tmp_path: Path) -> None:
    root = project(tmp_path, BAD / "everything-at-once")
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert check(root)[0] == 1
    assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == before


def test_more_than_five_megabytes_are_refused_unread(tmp_path: Path) -> None:
    root = project(tmp_path)
    (root / "tenants" / "dev.yaml").write_bytes(b"# " + b"x" * 5_000_000)
    line = "tenants/dev.yaml:1:1: the file has 5.0 MB; at most 5 MB; split the cell\n"
    assert check(root) == (1, line)


def test_crlf_line_ends_are_fine(tmp_path: Path) -> None:
    root = project(tmp_path)
    path = root / "tenants" / "dev.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert check(root) == (0, "")
