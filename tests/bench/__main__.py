"""`make bench`: what this costs, measured in one run. Figures and ratios, never a verdict."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import escalation, floor, guardrails, moves, registry, sandbox
from tests.engine.workspace import Run, Workspace


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("stacks", nargs="*", default=["dev", "prod"])
    stacks = parser.parse_args().stacks
    print(f"{'engine on the sandbox':<28}{'resources':>10}{'seconds':>10}{'changes':>10}")
    for stack in stacks:
        _engine(stack)
    floor.main(stacks)
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


if __name__ == "__main__":
    main()
