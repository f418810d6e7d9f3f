"""A row of many megabytes that is written during a cutover is not fetched: the memory of a call is small."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.common.replication import Replication
from functions.tenant_data.compare import Comparison
from functions.tenant_data.written_rows import LONGEST, Changes, WrittenRows
from tests.data.moving import Journey
from tests.data.server import Server

TABLES = {
    "key first": "CREATE TABLE x (id int PRIMARY KEY, said text)",
    "key last": "CREATE TABLE x (said text, id int PRIMARY KEY)",
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("write", ["UPDATE x SET said = said || 'y', id = 3 WHERE id = 1", "DELETE FROM x"])
def test_a_long_row_is_compared_and_not_fetched(
    server: Server, other: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, write: str
) -> None:
    journey = Journey({"origin": server, "target": other}, tmp_path)
    journey.run(
        TABLES[table], "INSERT INTO x (id, said) SELECT n, repeat('x', 5000000) FROM generate_series(1, 2) n"
    )
    journey.go("replicate")
    seen, written = list[int](), list[str]()
    captured, read, told = Replication.captured, Comparison.look, WrittenRows.told

    def looked_at(link: Replication, position: str, longest: int) -> Iterator[bytes]:
        for message in captured(link, position, longest):
            seen.append(len(message))
            yield message

    def look_after_a_write(comparison: Comparison, patience: float) -> None:
        if not written:
            written.append(write)
            journey.run(write, at="origin")
        read(comparison, patience)

    found = list[Changes]()

    def remembered(written: WrittenRows) -> Changes:
        found.append(told(written))
        return found[-1]

    monkeypatch.setattr(WrittenRows, "told", remembered)
    monkeypatch.setattr(Replication, "captured", looked_at)
    monkeypatch.setattr(Comparison, "look", look_after_a_write)
    journey.go("cutover")
    assert seen
    assert max(seen) <= LONGEST
    cut = table == "key last" and write.startswith("UPDATE")
    assert set[str]().union(*(f.whole for f in found)) == ({"x"} if cut else set())
    here, there = (journey.peek(n, "SELECT id, md5(said) FROM x ORDER BY id") for n in journey.servers)
    assert here == there
