"""What judging a plan costs: the whole rule set over the committed prod stack."""

import statistics
import time
from collections.abc import Callable

from policies.judge import judge
from tests.policies.plans import committed, plan_of
from tests.program.cell import deployed

REPEATS = 5


def main() -> None:
    count = len(committed("prod").resources)
    print(f"{'guardrails, prod under mocks':<34}{'resources':>10}{'median s':>10}{'max':>8}")
    times = [_seconds(judge) for _ in range(REPEATS)]
    print(f"{'rules':<34}{count:>10}{statistics.median(times):>10.2f}{max(times):>8.2f}", flush=True)


def _seconds(call: Callable[..., object]) -> float:
    """Of one call on a plan that nothing has looked at yet."""
    plan = plan_of(deployed("prod"), "prod")
    before = time.perf_counter()
    call(plan)
    return time.perf_counter() - before
