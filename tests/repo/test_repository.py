"""The repository itself: nothing is left out of the tests, and nothing is in it that should not be."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.cells import ROOT
from tests.conftest import COLLECTED


def tracked(*patterns: str) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in found.splitlines() if (ROOT / name).is_file()]


def with_tests() -> set[str]:
    """Every file with a test in it, wherever it lies."""
    pattern = re.compile(r"^\s*(async )?def test_", re.MULTILINE)
    return {str(p.relative_to(ROOT)) for p in tracked("*.py") if pattern.search(p.read_text("utf-8"))}


def test_every_file_with_a_test_has_a_name_and_a_place_that_pytest_looks_for(
    request: pytest.FixtureRequest,
) -> None:
    """Pytest collects `tests/**/test_*.py`; a file elsewhere or of another name would never run."""
    written = with_tests()
    assert len(written) > 40
    assert [p for p in written if not re.fullmatch(r"tests/(\w+/)*test_\w+\.py", p)] == []
    assert request.config.getini("python_files") == ["test_*.py", "*_test.py"]
    assert request.config.getini("testpaths") == ["tests"]


def all_collected(config: pytest.Config) -> frozenset[tuple[str, str, bool]]:
    """What this run has collected, if it was asked for everything; see `COLLECTED`."""
    if config.args != config.getini("testpaths"):
        pytest.skip("only a part of the tests was asked for")
    return config.stash[COLLECTED]


def test_every_file_with_a_test_was_collected(request: pytest.FixtureRequest) -> None:
    """By this very run, if it was asked for everything: whatever setting or hook might pass one over."""
    assert sorted(with_tests() - {file for file, _, _ in all_collected(request.config)}) == []


def test_no_folder_of_tests_hides_another() -> None:
    """Test folders are packages, so that two files of one name do not shut each other out."""
    folders = {p.parent for p in tracked("tests/*.py")}
    assert [str(f) for f in folders if not (f / "__init__.py").exists()] == []


def test_every_assertion_of_an_exception_says_which() -> None:
    calls = [
        (path, node)
        for path in tracked("tests/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "raises"
    ]
    assert calls
    bare = [
        f"{path}:{node.lineno}" for path, node in calls if not any(k.arg == "match" for k in node.keywords)
    ]
    assert bare == []


def test_requirements_are_pinned_and_hashed() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pins = re.findall(r"^([A-Za-z0-9_.\[\]-]+)(==\S+)?", text, re.MULTILINE)
        assert pins
        assert [p for p, version in pins if not version] == [], name
        assert text.count("--hash=sha256:") >= len(pins), name
        assert "://" not in text, name


def test_each_direct_requirement_says_why_it_is_there() -> None:
    for name in ("requirements.in", "requirements-dev.in"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        wanted = [line for line in lines if line and not line.startswith(("#", "-r"))]
        assert [w for w in wanted if not re.fullmatch(r"\S+==\S+\s+# .{8,}", w)] == [], name


def test_no_test_asks_a_real_account(capfd: pytest.CaptureFixture[str]) -> None:
    """Nor does a program that a test starts: `aws` is one that refuses."""
    done = subprocess.run(["aws", "sts", "get-caller-identity"], check=False)
    assert (done.returncode, capfd.readouterr().err) == (1, "tests ask no account: see sandbox/\n")
