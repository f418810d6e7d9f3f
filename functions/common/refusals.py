"""What prevents a move: the queries of `refusals.sql`, run on the source database."""

from collections.abc import Sequence
from typing import Final

from functions.common.catalog import queries
from functions.common.database_endpoint import DatabaseEndpoint

# What only rows that follow cannot do without; a copy of one moment can.
OF_REPLICATION: Final = (
    "table without a primary key",
    "table whose primary key is deferrable",
    "table whose replica identity",
    "unlogged table",
    "check that is not valid",
)


def refusals(endpoint: DatabaseEndpoint, but: Sequence[str] = ()) -> list[str]:
    """A sentence for each kind of thing that cannot be moved, with every name; but those that begin so."""
    found: list[str] = []
    for what, query in queries("refusals.sql").items():
        names = sorted(str(name) for (name,) in endpoint.rows(query, schema=endpoint.request.schema))
        if names and not what.startswith(tuple(but)):
            found.append(f"{what}: {', '.join(names)}")
    return found
