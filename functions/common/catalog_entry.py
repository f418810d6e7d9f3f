"""A tenant's entry in the catalog, by which the services find it: a parameter that the program makes.

A move points it to the database that serves from then on, in the one place that also switches the secret. The
program's next update writes the same.
"""

import json
from collections.abc import Sequence
from typing import Any

from functions.common.call_record import Parameters
from functions.common.events import DatabaseAddress


def point_to(parameters: Parameters, entry: str, address: DatabaseAddress, readers: Sequence[str]) -> bool:
    """Whether it had to be changed; False too for an entry that is not there, which the program will make."""
    text = parameters.get(entry)
    if text is None:
        return False
    content: dict[str, Any] = json.loads(text)
    where = {"host": address.host, "port": address.port, "readers": list(readers), "name": address.database}
    if where.items() <= content["database"].items():
        return False
    content["database"] |= where
    parameters.put(entry, json.dumps(content, separators=(",", ":")))  # as the program writes it
    return True
