"""A database as pg_dump words it: what says that two schemas are the same is none of this project's code."""

import re
from typing import Final

from tests.data.server import Server

HEADER: Final = re.compile(r"^--\n-- Name: (.+); Type: (.+); Schema: (.+); Owner: .*\n--\n", re.MULTILINE)
OPTIONS: Final = ("--schema-only", "--no-publications", "--no-subscriptions")
# The bootstrap function's, at both ends before anything is moved.
NOT_THE_TENANTS: Final = ("SCHEMA", "DATABASE", "DATABASE PROPERTIES")


def dumped(server: Server, database: str, role: str) -> set[str]:
    """Each object's statements, without what the tenant's roles of a move have been given."""
    text = server.pg_dump(database, *OPTIONS)
    parts = HEADER.split(text)[1:]
    found = set[str]()
    for of, kind, schema, body in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True):
        if (
            schema in (role, "-")
            and kind not in NOT_THE_TENANTS
            and not (kind == "ACL" and of.startswith(("SCHEMA ", "DATABASE ")))
        ):
            found.add(f"{of} ({kind}): {_statements(body, role)}")
    return {text for text in found if not text.endswith("): ")}


def _statements(body: str, role: str) -> str:
    lines = (line.strip() for line in body.splitlines())
    own = re.compile(rf" TO [ms]_{role};$| FROM [ms]_{role};$")
    kept = [x for x in lines if x and not x.startswith(("\\", "SET ", "--")) and not own.search(x)]
    return "\n".join(sorted(kept) if all(x.startswith(("GRANT", "REVOKE")) for x in kept) else kept)
