"""The last dump is written in as many calls as it takes, and is the rows of one moment."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.common.events import RESUME
from functions.common.going_on import GoesOn
from functions.tenant_data import last_dump
from functions.tenant_data.last_dump import Rows, parts_of
from tests.data.moving import STEPS, Journey
from tests.data.server import Server

BLOCK = 8192
SIZES = st.lists(
    st.tuples(st.integers(0, 40_000), st.integers(0, 2**31)).map(lambda t: (t[1] + t[0] * BLOCK, t[0])),
    max_size=30,
)


@given(sizes=SIZES)
def test_parts_hold_every_block_once_and_are_of_like_sizes(sizes: list[tuple[int, int]]) -> None:
    found = parts_of([(f"t{n}", size, blocks) for n, (size, blocks) in enumerate(sizes)])
    rows = [one for part in found for one in part]
    for number, (_, blocks) in enumerate(sizes):
        mine = [one for one in rows if one.table == f"t{number}"]
        assert mine[0].first == 0
        assert mine[-1].end is None
        assert [one.end for one in mine[:-1]] == [one.first for one in mine[1:]]
        assert all(one.first < blocks for one in mine[1:])
    cut = {f"t{n}": max(1, min(blocks, -(-size // last_dump.PART))) for n, (size, blocks) in enumerate(sizes)}
    whole = {f"t{n}": size for n, (size, _) in enumerate(sizes)}
    for part in found:
        assert len(part) < 2 or sum(whole[r.table] // cut[r.table] for r in part) <= last_dump.PART


@pytest.mark.parametrize(
    ("rows", "condition"),
    [
        (Rows("t"), ""),
        (Rows("t", 0, 7), " WHERE ctid < '(7,0)'"),
        (Rows("t", 7, 9), " WHERE ctid >= '(7,0)' AND ctid < '(9,0)'"),
        (Rows("t", 9), " WHERE ctid >= '(9,0)'"),
    ],
)
def test_a_part_of_a_table_is_told_by_its_blocks(rows: Rows, condition: str) -> None:
    assert rows.condition == condition


def test_numbers_of_a_record_are_read_as_numbers() -> None:
    """The tenant can write to it, and they stand in a statement."""
    assert Rows.known("t", "7", None) == Rows("t", 7)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="invalid literal"):
        Rows.known("t", "0,0)' OR true --", None)  # type: ignore[arg-type]


def test_a_dump_of_several_calls_is_of_one_moment(
    server: Server, other: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tenant writes at the new database meanwhile, which the old one follows until the dump begins."""
    monkeypatch.setattr(last_dump, "PART", 3 * BLOCK)
    journey = Journey({"origin": server, "target": other}, tmp_path)
    journey.run(
        "CREATE TABLE large (id int PRIMARY KEY, said text)",
        "INSERT INTO large SELECT n, repeat('x', 400) FROM generate_series(1, 400) n",
        "CREATE TABLE small (id int PRIMARY KEY, said text)",
        "INSERT INTO small VALUES (1, 'before')",
    )
    for stage in STEPS[:4]:
        journey.go(stage)
    journey.run("UPDATE small SET said = 'still followed'")
    resume: Any = {}
    calls, answer = 0, None
    while answer is None:
        calls += 1
        try:
            answer = journey.go("done", ends=lambda: True, resume=resume)
        except GoesOn as round_:
            resume = round_.answer(journey.tenant)[RESUME]
            journey.run(
                "UPDATE small SET said = 'too late'", "UPDATE large SET said = 'too late' WHERE id > 390"
            )
    assert calls > 4
    bucket = journey.folder / "the-bucket"
    parts = json.loads((bucket / answer["dump"]["key"]).read_bytes())["parts"]
    assert len(parts) == answer["dump"]["parts"] > 4
    text = gzip.decompress(b"".join((bucket / part["key"]).read_bytes() for part in parts)).decode()
    assert "still followed" in text
    assert "too late" not in text
    assert text.count("x" * 400) == 400
    assert journey.run("SELECT count(*) FROM large WHERE said = 'too late'") == [[10]]
    assert not list(bucket.rglob("progress/*"))
