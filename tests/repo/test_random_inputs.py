"""`make test-random` says its seed first, and with each failure the command that plays it again."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.cells import ROOT
from tests.team_files import guarded

FAILS = """
from hypothesis import given, strategies as st

@given(st.integers())
def test_small(number):
    assert number < 1000

def test_no_property():
    raise AssertionError("not to be run")
"""
EXAMPLE = re.compile(r"number=(\d+)")


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """In a folder with a test that fails."""
    (folder / "test_fails.py").write_text(FAILS, encoding="utf-8")
    env = guarded(
        {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")} | {"PYTHONPATH": str(ROOT)}
    )
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_a_failure_is_played_again_by_the_command_that_is_printed(tmp_path: Path) -> None:
    found = run(tmp_path, "-m", "tests.random_inputs", "--seed", "7", "test_fails.py")
    assert found.returncode == 1, found.stdout
    assert found.stdout.startswith("seed 7\n")
    assert "not to be run" not in found.stdout
    command = re.findall(r"^HYPOTHESIS_PROFILE=random \.venv/bin/python (.*)$", found.stdout, re.MULTILINE)
    assert command
    again = run(tmp_path, *shlex.split(command[-1]))
    assert EXAMPLE.findall(again.stdout)
    assert EXAMPLE.findall(again.stdout)[-1] == EXAMPLE.findall(found.stdout)[-1]


def test_where_no_time_is_left_for_any_it_fails(tmp_path: Path) -> None:
    found = run(tmp_path, "-m", "tests.random_inputs", "--seconds", "-1", "test_fails.py")
    assert (found.returncode, found.stdout.splitlines()[-1][:7]) == (1, "0 prope")
