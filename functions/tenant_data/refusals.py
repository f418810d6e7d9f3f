"""What stands in the way of a move: the queries of `refusals.sql`, asked of the origin."""

from .catalog import queries
from .side import Side


def refusals(side: Side) -> list[str]:
    """A sentence for each kind of thing that cannot be moved, with every name."""
    found: list[str] = []
    for what, query in queries("refusals.sql").items():
        names = sorted(str(name) for (name,) in side.rows(query, schema=side.request.schema))
        if names:
            found.append(f"{what}: {', '.join(names)}")
    return found
