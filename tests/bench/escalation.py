"""What the escalation analysis costs, against the plan it looks at read once as JSON."""

import json
import statistics
import time

from policies.escalation import analyse
from policies.escalation.techniques import TECHNIQUES
from policies.model import Plan
from tests.policies.platform import platform

REPEATS = 5


def main(stacks: list[str]) -> None:
    print(f"\n{'who could become whom':<28}{'roles':>10}{'seconds':>10}{'ratio':>8}")
    for stack in stacks:
        plan = platform(stack)
        text = json.dumps([dict(r.inputs) for r in plan.resources], default=str)
        before = time.perf_counter()
        json.loads(text)
        plain = time.perf_counter() - before
        seconds = [_one(plan) for _ in range(REPEATS)]
        median = statistics.median(seconds)
        roles = analyse(plan).roles
        label = f"{stack}: {len(TECHNIQUES)} techniques"
        print(f"{label:<28}{roles:>10}{median:>10.2f}{median / plain:>8.0f}", flush=True)


def _one(plan: Plan) -> float:
    """Seconds of one analysis, of a plan that nothing is remembered of."""
    fresh = Plan(plan.resources, plan.stack, plan.config)
    before = time.perf_counter()
    report = analyse(fresh)
    seconds = time.perf_counter() - before
    if not report.declared:
        raise SystemExit("bench: no role acts for a tenant: the figure would be of an empty plan")
    return seconds
