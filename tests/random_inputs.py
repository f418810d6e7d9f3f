"""Property tests with inputs that nobody has tried yet, for a bounded time: `make test-random SECONDS=120`.

The suite that decides about a change tries the same inputs each time. This takes a seed from the clock, says
it first, and tries the property tests in an order of that seed until the time is over. Beside each failure
stands the command that plays it again. With a seed: `python -m tests.random_inputs --seed 7`.
"""

import argparse
import os
import random
import re
import sys
import time
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parent
ELSEWHERE: Final = ("engine",)  # its sequences have `make fuzz`
PROFILE: Final = "random"


def files() -> list[str]:
    """Those that have property tests, so that nothing else need be collected."""
    found = (p for p in sorted(TESTS.rglob("test_*.py")) if p.relative_to(TESTS).parts[0] not in ELSEWHERE)
    wanted = re.compile(r"^from hypothesis", re.MULTILINE)
    return [str(p) for p in found if wanted.search(p.read_text(encoding="utf-8"))]


class Bounded:
    """Runs property tests alone, in an order of the seed, and begins none after the end."""

    def __init__(self, seed: int, seconds: float) -> None:
        self.seed, self.seconds, self.ran = seed, seconds, 0

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.get_closest_marker("hypothesis")]
        random.Random(self.seed).shuffle(items)  # noqa: S311 - an order, no secret

    def pytest_collection_finish(self) -> None:
        self.end = time.monotonic() + self.seconds

    def pytest_runtest_setup(self) -> None:
        if time.monotonic() > self.end:
            pytest.skip("the time is over")
        self.ran += 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            report.sections.append(("play it again by", again(self.seed, report.nodeid)))


def again(seed: int, test: str) -> str:
    return f"HYPOTHESIS_PROFILE={PROFILE} .venv/bin/python -m pytest --hypothesis-seed={seed} '{test}'"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.random_inputs", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long a test may still begin")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    parser.add_argument("files", nargs="*", help="test files; without any, all that have property tests")
    given = parser.parse_args(arguments)
    print(f"seed {given.seed}", flush=True)
    os.environ["HYPOTHESIS_PROFILE"] = PROFILE
    bounded = Bounded(given.seed, given.seconds)
    options = ["-q", "-r", "f", "-p", "no:cacheprovider", f"--hypothesis-seed={given.seed}"]
    status = pytest.main([*options, *(given.files or files())], plugins=[bounded])
    print(f"{bounded.ran} property tests tried, seed {given.seed}")
    return int(status) or (0 if bounded.ran else 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
