"""What a move costs: how long writes wait at the cutover, by size, and what the neighbours notice.

A writer keeps at it during the whole move, so that there is always something to wait for.
"""

import shutil
import statistics
import tempfile
import time
from pathlib import Path

from tests.data.moving import Journey
from tests.data.server import running
from tests.data.writers import LEDGER, Neighbour, Writer

SIZES = (10_000, 1_000_000)
ROUNDS = 3
SETTLE = 2.0  # seconds of writing between the stages
FILL = (
    "CREATE TABLE payments (id bigint PRIMARY KEY, account int NOT NULL, amount numeric(12, 2) NOT NULL,"
    " said text NOT NULL, at timestamptz NOT NULL DEFAULT now())",
    "CREATE INDEX payments_by_account ON payments (account)",
)
ROWS = (
    "INSERT INTO payments (id, account, amount, said)"
    " SELECT n, n % 1000, n / 7.0, repeat(md5(n::text), 2) FROM generate_series(1, {size}) n"
)


def main() -> None:
    print(f"{'a move to another server':<28}{'rows':>10}{'wait s':>10}{'ratio':>10}{'neighbours':>12}")
    folder = Path(tempfile.mkdtemp(prefix="tenantry-bench-"))
    first = 0.0
    try:
        with running() as origin, running() as target:
            for size in SIZES:
                measured = [
                    _move(Journey({"origin": origin, "target": target}, folder), size) for _ in range(ROUNDS)
                ]
                waits = statistics.median(wait for wait, _ in measured)
                noticed = statistics.median(ratio for _, ratio in measured)
                first = first or waits
                what = f"cutover, {size:,} rows"
                print(f"{what:<28}{size:>10}{waits:>10.2f}{waits / first:>10.2f}{noticed:>12.2f}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move(journey: Journey, size: int) -> tuple[float, float]:
    """Seconds that writes waited, and the neighbour's write during replication against before."""
    journey.run(*FILL, LEDGER, ROWS.format(size=size))
    with Neighbour(journey) as neighbour, Writer(journey) as writer:
        time.sleep(SETTLE)
        before = _taken(neighbour)
        journey.go("replicate")
        time.sleep(SETTLE)
        during = _taken(neighbour)
        waited = float(journey.go("cutover")["readOnlySeconds"])
    writer.check(journey.run("SELECT id, said FROM ledger"))
    for stage in ("soak", "done"):
        journey.go(stage)
    return waited, during / before


def _taken(neighbour: Neighbour) -> float:
    """The median wait since it was last asked for."""
    waits, neighbour.waits = neighbour.waits, []
    return statistics.median(waits)


if __name__ == "__main__":
    main()
