"""The repository itself: nothing is left out of the tests, and nothing is in it that should not be."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.cells import ROOT


def tracked(*patterns: str) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in found.splitlines() if (ROOT / name).is_file()]


def test_every_test_file_is_collected(request: pytest.FixtureRequest) -> None:
    """Pytest collects `tests/**/test_*.py`; a file elsewhere or of another name would never run."""
    written = [
        p for p in tracked("*.py") if re.search(r"^\s*(async )?def test_", p.read_text("utf-8"), re.MULTILINE)
    ]
    collected = [p for p in written if p.name.startswith("test_") and p.is_relative_to(ROOT / "tests")]
    assert len(written) > 40
    assert [p for p in written if p not in collected] == []
    assert request.config.getini("python_files") == ["test_*.py", "*_test.py"]
    assert request.config.getini("testpaths") == ["tests"]


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
