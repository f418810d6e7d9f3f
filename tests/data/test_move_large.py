"""A tenant of a gigabyte moves while it writes: how long it cannot, which a cutover has a budget for."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.data.moving import STEPS, Journey
from tests.data.server import Server
from tests.data.writers import LEDGER, Neighbour, Writer

ROWS, BATCH = 1_000_000, 50_000  # of a kilobyte each, which is too short to be compressed
FILL = """
INSERT INTO bulk SELECT n, repeat(md5(CAST(n AS text)), 32)
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n"""
PATIENCE = 840.0  # seconds for an answer, as the function in AWS has
BUDGET = 60  # seconds, as a move has where nothing is said


@pytest.mark.skipif("FUZZ_SECONDS" not in os.environ, reason="takes minutes and gigabytes: make fuzz")
def test_a_tenant_of_a_gigabyte_can_write_again_within_the_usual_budget(
    server: Server, other: Server, tmp_path: Path
) -> None:
    servers = {"origin": replace(server, wait=PATIENCE), "target": replace(other, wait=PATIENCE)}
    journey = Journey(servers, tmp_path)
    journey.run(LEDGER, "CREATE TABLE bulk (id int PRIMARY KEY, said text NOT NULL)")
    with journey.session() as session:
        for first in range(1, ROWS, BATCH):
            session.run(FILL, first=first, last=first + BATCH - 1)
    answer, took = {}, {}
    with Neighbour(journey) as neighbour, Writer(journey) as writer:
        for stage in STEPS:
            began = time.monotonic()
            answer[stage] = journey.go(stage, patience=PATIENCE, budgetSeconds=BUDGET)
            took[stage] = time.monotonic() - began
    print(
        f"{answer['prepare']['bytes'] / 2**30:.2f} GiB, {answer['cutover']['rows']} rows:"
        f" writes waited {answer['cutover']['readOnlySeconds']:.3f} s, the writer noticed"
        f" {max(writer.pauses):.3f} s, the neighbour {max(neighbour.waits):.3f} s;"
        f" {', '.join(f'{stage} {seconds:.0f} s' for stage, seconds in took.items())}"
    )
    assert answer["prepare"]["bytes"] > 2**30
    assert answer["cutover"]["rows"] >= ROWS
    assert answer["cutover"]["readOnlySeconds"] < BUDGET
    assert (writer.wrong, neighbour.failures) == (None, [])
    writer.check(journey.run("SELECT id, said FROM ledger"))
    assert journey.run("SELECT count(*), sum(length(said)) FROM bulk") == [[ROWS, ROWS * 1024]]
