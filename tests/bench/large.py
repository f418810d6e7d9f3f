"""`make bench-large`: what a move of gigabytes takes, and of ten thousand tables; takes some ten minutes.

Each size has a process of its own, whose peak of memory is that of the function: how long writes wait and
what is held in memory are not to grow with the tenant.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from functions.common.events import RESUME
from functions.common.going_on import GoesOn
from tests.data.moving import STEPS, Journey
from tests.data.server import Server, running
from tests.data.writers import LEDGER, Writer

SIZES = (0.5, 5.0)  # GiB
TABLES = 10_000
GIB = 2**30
ROW = 1200  # bytes of a row of `bulk`, about
BATCH = 50_000
PATIENCE = 3600.0  # seconds for an answer
ROUND = 60.0  # seconds; ten times as many calls as in Lambda
LOCKS = 4096  # max_locks_per_transaction, as many tables need it
FILL = """
INSERT INTO bulk SELECT n, n % 1000, repeat(md5(CAST(n AS text)), 32)
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n"""


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(_tables() if sys.argv[1] == "tables" else _rows(float(sys.argv[1]))))
        return
    heads = ("seconds", "calls", "wait s", "ratio", "peak MiB", "ratio")
    print(f"{'a move':<24}{''.join(f'{head:>10}' for head in heads)}  stages")
    first: Mapping[str, Any] = {}
    for what in (*map(str, SIZES), "tables"):
        found = json.loads(
            subprocess.run(
                [sys.executable, "-m", "tests.bench.large", what], stdout=subprocess.PIPE, check=True
            ).stdout
        )
        first = first or found
        _show(f"{TABLES} tables" if what == "tables" else f"{what} GiB", found, first)


def _show(what: str, found: Mapping[str, Any], first: Mapping[str, Any]) -> None:
    stages = ", ".join(f"{stage} {seconds:.0f}" for stage, seconds in found["stages"].items())
    figures = (
        f"{sum(found['stages'].values()):.0f}", str(found["calls"]),
        f"{found['wait']:.2f}", f"{found['wait'] / first['wait']:.2f}",
        f"{found['peak']:.0f}", f"{found['peak'] / first['peak']:.2f}",
    )  # fmt: skip
    print(f"{what:<24}{''.join(f'{figure:>10}' for figure in figures)}  {stages}", flush=True)


def _rows(gib: float) -> Mapping[str, Any]:
    with running() as origin, running() as target, tempfile.TemporaryDirectory() as folder:
        journey = _journey(origin, target, folder)
        journey.run(LEDGER, "CREATE TABLE bulk (id int PRIMARY KEY, account int, said text NOT NULL)")
        with journey.session() as session:
            for first in range(1, int(gib * GIB / ROW), BATCH):
                session.run(FILL, first=first, last=first + BATCH - 1)
        return _moved(journey)


def _tables() -> Mapping[str, Any]:
    with running() as origin, running() as target, tempfile.TemporaryDirectory() as folder:
        for server in (origin, target):
            server.superuser(f"ALTER SYSTEM SET max_locks_per_transaction = {LOCKS}")
            server.restart()
        journey = _journey(origin, target, folder)
        journey.run(LEDGER)
        with journey.session() as session:
            for number in range(TABLES):
                session.run(f"CREATE TABLE table_{number} (id int PRIMARY KEY, said text)")
                session.run(f"INSERT INTO table_{number} VALUES (1, 'one')")  # noqa: S608 - a number
        return _moved(journey)


def _journey(origin: Server, target: Server, folder: str) -> Journey:
    servers = {"origin": replace(origin, wait=PATIENCE), "target": replace(target, wait=PATIENCE)}
    return Journey(servers, Path(folder))


def _moved(journey: Journey) -> Mapping[str, Any]:
    """All stages, in calls of a minute, while somebody writes."""
    took, calls, waited = dict[str, float](), 0, 0.0
    with Writer(journey) as writer:
        for stage in STEPS:
            began = time.monotonic()
            answer, more = _in_calls(journey, stage)
            took[stage], calls = time.monotonic() - began, calls + more
            waited = waited or float(answer.get("readOnlySeconds") or 0)
    writer.check(journey.run("SELECT id, said FROM ledger"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"stages": took, "calls": calls, "wait": waited, "peak": peak}


def _in_calls(journey: Journey, stage: str) -> tuple[Mapping[str, Any], int]:
    resume: Any = {}
    calls = 0
    while True:
        calls += 1
        ends = time.monotonic() + ROUND
        try:
            answer = journey.go(
                stage, patience=ROUND, ends=lambda ends=ends: time.monotonic() > ends, resume=resume,
                targetGib=100,
            )  # fmt: skip
        except GoesOn as round_:
            resume = round_.answer(journey.tenant)[RESUME]
        else:
            return answer, calls


if __name__ == "__main__":
    main()
