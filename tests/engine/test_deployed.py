"""Copies of a deployed stack, with which tests of the engine begin, share nothing with one another."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.data_plane.replication_network import address
from tests.engine.deployed import LIVE, Copies
from tests.engine.live import POOLED, Live


@pytest.fixture
def two(tmp_path: Path, copied: Copies) -> Iterator[tuple[Live, Live]]:
    spaces = tuple(Live(copied(LIVE, tmp_path / name)) for name in ("one", "other"))
    try:
        for space in spaces:
            space.start()
        yield spaces[0], spaces[1]
    finally:
        for space in spaces:
            space.service.remove_servers()


@pytest.mark.slow
def test_what_is_done_to_a_copy_no_other_copy_sees(two: tuple[Live, Live]) -> None:
    one, other = two
    assert len(one.pids()) == len(other.pids()) == 4
    assert not set(one.pids().values()) & set(other.pids().values())
    assert address(one.service.plane) != address(other.service.plane)
    one.psql(POOLED, "CREATE TABLE kept AS SELECT 'here' AS said")
    assert "here" in one.psql(POOLED, "TABLE kept")
    assert "does not exist" in other.psql(POOLED, "TABLE kept")
    one.cloud().move_clock(3)
    assert one.cloud().now() - other.cloud().now() > timedelta(days=2)
