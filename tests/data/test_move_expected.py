"""What `prepare` says of the time that a move takes, and the sizes that it refuses."""

from pathlib import Path

import pytest

from functions.common.database_endpoint import MoveError
from functions.tenant_data import expected_time
from functions.tenant_data.expected_time import GIB, LARGEST, of_following, too_large, too_long_offline
from tests.data.moving import Journey
from tests.data.server import Server


def test_a_limit_refuses_what_is_above_it_alone() -> None:
    assert not too_large(LARGEST)
    assert "1024.0 GiB that a move is made for" in too_large(LARGEST + 1)[0]


@pytest.mark.parametrize(("size", "budget", "refused"), [(2 * GIB, 60, False), (4 * GIB, 60, True)])
def test_an_offline_copy_is_measured_by_the_seconds_that_the_tenant_may_wait(
    size: int, budget: float, refused: bool
) -> None:
    assert bool(too_long_offline(size, budget)) == refused


def test_times_are_said_in_minutes_or_hours_and_grow_with_the_size() -> None:
    assert "0.0 GiB take about 1 min to copy (replicate) and 1 min to compare" in of_following(0)
    assert "100.0 GiB take about 68 min to copy (replicate) and 85 min to compare" in of_following(100 * GIB)
    assert "1024.0 GiB take about 12 h to copy" in of_following(1024 * GIB)


def test_prepare_says_how_long_and_refuses_what_is_too_large(
    server: Server, other: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey = Journey({"origin": server, "target": other}, tmp_path)
    journey.run("CREATE TABLE x (id int PRIMARY KEY)", "INSERT INTO x SELECT generate_series(1, 1000)")
    assert any("take about 1 min to copy" in note for note in journey.go("prepare")["notes"])
    monkeypatch.setattr(expected_time, "COPIED_OFFLINE", 100)
    with pytest.raises(MoveError, match="min at least, while the tenant cannot write, which may take 60 s"):
        journey.go("prepare", by="copy", budgetSeconds=60)
    monkeypatch.setattr(expected_time, "LARGEST", 1000)
    with pytest.raises(MoveError, match="that a move is made for"):
        journey.go("replicate")
    assert (journey.left("origin"), journey.left("target")) == (["membership"], [])
