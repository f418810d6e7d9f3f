"""`make bench`: what this costs, measured in one run. Figures and ratios, never a verdict."""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import escalation, guardrails, moves, registry, sandbox
from tests.cells import ROOT
from tests.engine.workspace import Run, Workspace

REPEATS = 5
UNDER_MOCKS = "from tests.bench.program import main; main('{stack}')"
BARE_IMPORT = "import pulumi, pulumi_aws"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("stacks", nargs="*", default=["dev", "prod"])
    stacks = parser.parse_args().stacks
    print(f"{'engine on the sandbox':<28}{'resources':>10}{'seconds':>10}{'changes':>10}")
    for stack in stacks:
        _engine(stack)
    print(f"\n{'a process of its own':<28}{'median s':>10}{'min':>8}{'max':>8}{'ratio':>8}")
    bare = _process("bare import", BARE_IMPORT, None)
    for stack in stacks:
        _process(f"program under mocks, {stack}", UNDER_MOCKS.format(stack=stack), bare)
    escalation.main(stacks)
    print()
    guardrails.main()
    print()
    sandbox.main()
    print()
    registry.main()
    print()
    moves.main()


def _engine(stack: str) -> None:
    home = Path(tempfile.mkdtemp(prefix="tenantry-bench-"))
    try:
        space = Workspace(home, stack)
        _timed(space, "up", space.up)
        _timed(space, "preview, no change", space.preview)
        _timed(space, "the same, judged", lambda: space.pulumi("preview", "--policy-pack", "policies"))
        space.unprotect()
        _timed(space, "destroy", space.destroy)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _timed(space: Workspace, what: str, call: Callable[[], Run]) -> None:
    before = time.perf_counter()
    run = call()
    seconds = time.perf_counter() - before
    if run.status:
        sys.exit(f"bench: {space.stack}: {what} ended with status {run.status}\n{run.output}")
    print(
        f"{space.stack + ': ' + what:<28}{len(run.steps):>10}{seconds:>10.1f}{len(run.changes):>10}",
        flush=True,
    )


def _process(label: str, code: str, bare: float | None) -> float:
    """Median wall seconds of whole processes, after one that is not counted."""
    seconds: list[float] = []
    for _ in range(REPEATS + 1):
        before = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - before)
    counted = seconds[1:]
    median = statistics.median(counted)
    ratio = f"{median / bare:>8.2f}" if bare else f"{1:>8.2f}"
    print(f"{label:<28}{median:>10.2f}{min(counted):>8.2f}{max(counted):>8.2f}{ratio}", flush=True)
    return median


if __name__ == "__main__":
    main()
