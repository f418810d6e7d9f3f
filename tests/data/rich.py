"""A schema with everything that can be moved, and how to compare two of them."""

from pathlib import Path
from typing import Any

from pg8000.native import identifier

from functions.common.database_endpoint import SESSION_SETTINGS, DatabaseEndpoint
from functions.common.schema import definitions
from functions.tenant_data.request import parse
from tests.data.moving import Journey

TEXT = (Path(__file__).parent / "rich.sql").read_text(encoding="utf-8")
RICH = tuple(s.strip() for s in TEXT.split(";\n") if s.strip())


def rows_of(journey: Journey, name: str) -> dict[str, Any]:
    """Every row of every table, as text."""
    query = (
        f"SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = '{journey.role}'::regnamespace"
    )
    return {
        t: journey.peek(name, f"SELECT textin(record_out(t.*)) FROM {identifier(t)} t ORDER BY 1")
        for (t,) in journey.peek(name, query)
    }


def fingerprint(journey: Journey, name: str) -> list[tuple[str, str]]:
    """What makes the schema, without the order in which it was made."""
    connection = journey.servers[name].connect("rdsadmin", database=journey.database)
    try:
        for statement in SESSION_SETTINGS:
            connection.run(statement)
        request = parse(journey.event("prepare"))
        side = DatabaseEndpoint(name, request.origin, request, connection)
        return sorted((d.name, d.sql) for d in definitions(side))
    finally:
        connection.close()
