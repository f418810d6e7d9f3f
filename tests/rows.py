"""What a statement returns, whose rows a test counts on."""

from typing import Any

from pg8000.native import Connection


def rows_of(session: Connection, statement: str, **values: Any) -> list[Any]:
    """The rows; `Connection.run` has None for a statement that returns none."""
    found: Any = session.run(statement, **values)
    assert found is not None, f"returns no rows: {statement}"
    return list(found)
