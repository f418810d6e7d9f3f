"""`make reliability`: try every fault, and write what came of it into docs/reliability.md."""

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.cells import ROOT
from tests.reliability.scenarios import COUNT, SCENARIOS, Outcome, Scenario, play

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- begin: written by `make reliability` -->", "<!-- end -->"


def table(outcomes: list[tuple[Scenario, Outcome]]) -> str:
    head = (
        f"A stack of {COUNT} queues, checkpoints on. Held: resources in the cloud / in the state / operations"
        " pending, after the fault; the last column: after the remedy and one more `up`, a preview shows no"
        " change, and state and cloud hold the same.\n\n"
        "| fault | exit | what is said | held | remedy before the next `up` | whole in the end |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
    )
    return head + "".join(f"| {scenario.name} | {outcome.row} |\n" for scenario, outcome in outcomes)


def written(text: str, made: str) -> str:
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{made}{END}{rest.split(END, 1)[1]}"


def main() -> int:
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(zip(SCENARIOS, pool.map(play, SCENARIOS), strict=True))
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), table(outcomes)), encoding="utf-8")
    lost = [scenario.name for scenario, outcome in outcomes if not outcome.whole]
    for name in lost:
        print(f"error: not whole in the end: {name}", file=sys.stderr)
    print(f"{len(outcomes)} faults tried, {len(outcomes) - len(lost)} whole in the end; see {PAGE}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
