"""Mutation testing of a few modules that must not be wrong: which small changes of them does no test notice?

mutmut changes one place at a time (an operator, a text, an argument) and runs the tests that reach it. It
works in a copy of the checkout. What survives is known by file, function and change, so that a line of the
list outlives edits elsewhere in the file.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.cells import ROOT
from tests.checkout import write_checkout

LIST: Final = Path(__file__).parent / "survivors.txt"
CORES: Final = 2
KILLED: Final = frozenset({"killed", "timeout", "caught by type check", "segfault"})
SURVIVED: Final = frozenset({"survived", "no tests", "suspicious"})
# `mutmut show` of each in one process: its imports take longer than what it then does.
END: Final = "# shown\n"
SHOW_EACH: Final = f"""
import sys
from mutmut.__main__ import cli
for name in sys.argv[1:]:
    cli(["show", name], standalone_mode=False)
    print({END!r}, end="")
"""
_RESULT: Final = re.compile(r"\s*(?P<name>\S+__mutmut_\d+): (?P<status>.+)")


class MutationError(RuntimeError):
    """The run itself failed."""


@dataclass(frozen=True, slots=True)
class Run:
    """What became of the mutants: how many of each status, and the ones that no test noticed."""

    statuses: Counter[str]
    survivors: tuple[str, ...]


def run() -> Run:
    """Mutate and test; raises `MutationError`, as where a test fails without any mutation."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder) / "checkout"
        write_checkout(copy)
        ran = _mutmut(copy, "run", "--max-children", str(CORES))
        if ran.returncode:
            raise MutationError(f"mutmut run failed:\n{ran.stdout[-4000:]}{ran.stderr[-4000:]}")
        found = dict(_results(_mutmut(copy, "results", "--all", "true").stdout))
        left = [name for name, status in found.items() if status not in KILLED | SURVIVED]
        if left or not found:
            raise MutationError(f"{len(left)} of {len(found)} mutants were not tried: {left[:5]}")
        alive = sorted(name for name, status in found.items() if status in SURVIVED)
        return Run(Counter(found.values()), tuple(sorted(_descriptions(copy, alive))))


def listed() -> tuple[str, ...]:
    """The survivors that are known."""
    lines = LIST.read_text("utf-8").splitlines() if LIST.exists() else []
    return tuple(line for line in lines if line and not line.startswith("#"))


def write(found: Run) -> None:
    head = (
        "# Written by `python -m tests.mutation`: changes that no test notices, by file and function.\n"
        "# One that is missing here fails the tests: write the test that notices it, or tell in the review\n"
        "# why none should.\n"
    )
    LIST.write_text(head + "".join(f"{line}\n" for line in found.survivors), "utf-8")


def _mutmut(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return _python(folder, "-m", "mutmut", *words)


def _python(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    # It runs a pytest of its own for each mutant, whose start takes longer than the tests do.
    plain = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    alone = {"HYPOTHESIS_PROFILE": "mutation", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**plain, **alone},
        capture_output=True,
        text=True,
        check=False,
    )


def _results(text: str) -> Iterator[tuple[str, str]]:
    for found in map(_RESULT.fullmatch, text.splitlines()):
        if found:
            yield found["name"], found["status"]


def _descriptions(folder: Path, names: Sequence[str]) -> Iterator[str]:
    """`iam/conditions.py _boolean: return a -> return b`, of mutmut's name of each mutant."""
    shown = _python(folder, "-c", SHOW_EACH, *names).stdout
    for name, difference in zip(names, shown.split(END)[:-1], strict=True):
        yield _described(name, difference)


def _described(name: str, difference: str) -> str:
    path, removed, added = "", list[str](), list[str]()
    for line in difference.splitlines():
        if line.startswith("--- "):
            path = line.removeprefix("--- ")
        elif line.startswith("-"):
            removed.append(line[1:].strip())
        elif line.startswith("+") and not line.startswith("+++ "):
            added.append(line[1:].strip())
    return f"{path} {_function(name)}: {' '.join(removed)} -> {' '.join(added)}"


def _function(name: str) -> str:
    """`_boolean` of `iam.conditions.x__boolean__mutmut_8`, `Decision.why` of `…xǁDecisionǁwhy__mutmut_1`."""
    mangled = name.rpartition(".")[2].rpartition("__mutmut_")[0]
    return mangled.removeprefix("xǁ").replace("ǁ", ".") if "ǁ" in mangled else mangled.removeprefix("x_")


def modules() -> tuple[str, ...]:
    """The patterns of the files that are mutated, as `pyproject.toml` has them."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return tuple(data["tool"]["mutmut"]["only_mutate"])
