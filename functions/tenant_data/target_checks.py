"""What a move asks of both servers and of the room at the target, found out before anything is made there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from functions.common.catalog import queries
from functions.common.database_endpoint import DatabaseEndpoint
from functions.common.replication import IDENTIFIER

LOGICAL: Final = "logical"
GIB: Final = 2**30
FILLED: Final = 0.8  # of the target's storage: it grows by itself, and only once in six hours
OF_LOCKS: Final = 0.5  # of the table of locks of a server, which other tenants' sessions share

QUERIES: Final = queries("target_checks.sql", Path(__file__).parent)


def of_servers(*endpoints: DatabaseEndpoint) -> Sequence[str]:
    """What replication cannot do without."""
    levels = {endpoint.name: endpoint.value("SELECT current_setting('wal_level')") for endpoint in endpoints}
    deaf = [
        f"wal_level of the {name} is {level}, and rds.logical_replication asks for a reboot"
        for name, level in levels.items()
        if level != LOGICAL
    ]
    nameless = [
        f"the administrator of the {endpoint.name} may not call {IDENTIFIER}, by which slots of first copies"
        " are told apart (move with --by copy)"
        for endpoint in endpoints
        if not endpoint.value("SELECT has_function_privilege(:name, 'EXECUTE')", name=IDENTIFIER)
    ]
    return [*deaf, *nameless]


def size_of(endpoint: DatabaseEndpoint) -> int:
    """Bytes of the tenant's tables, with their indexes."""
    return int(
        endpoint.value(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::int8 FROM pg_class c"
            " WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'r'",
            schema=endpoint.schema,
        )
    )


def of_size(size: int, target: DatabaseEndpoint, target_gib: int) -> Sequence[str]:
    """Raised storage can be had at any time; a server whose storage is full serves nobody on it."""
    used = int(target.value(QUERIES["bytes of all databases"])) - size_of(target)  # of a copy that goes on
    if target.value("SELECT has_function_privilege('pg_ls_waldir()', 'EXECUTE')"):
        used += int(target.value(QUERIES["bytes of the log"]))
    if used + size <= FILLED * target_gib * GIB:
        return ()
    much = f"its {size / GIB:.1f} GiB leave too little of the {target_gib} GiB at the target"
    return (f"{much}, of which {used / GIB:.1f} GiB are used; raise its storage",)


def of_locks(source: DatabaseEndpoint, target: DatabaseEndpoint) -> Sequence[str]:
    """A full table of locks fails every session of a server, whoever filled it."""
    needed = int(
        source.value(
            QUERIES["locks that making the schema takes, all in one transaction"],
            schema=source.request.schema,
        )
    )
    room = int(target.value(QUERIES["locks that there is room for"]))
    if needed <= OF_LOCKS * room:
        return ()
    much = f"its tables, indexes and sequences need {needed} locks at once, more than half of the {room}"
    return (f"{much} of the target; raise max_locks_per_transaction there, which asks for a reboot",)


def of_extensions(source: DatabaseEndpoint, target: DatabaseEndpoint) -> tuple[Sequence[str], Sequence[str]]:
    """What prevents the move, and what is to be known: code may call by name what nothing depends on."""
    used = _versions(source, "extensions that something of the schema depends on", source.request.schema)
    here, there = (_versions(end, "extensions of the database") for end in (source, target))
    missing = [f"{name} {version}" for name, version in used.items() if name not in there]
    other = [
        f"extension {name} is {there.get(name, 'missing')} at the target and {version} at the {source.name}"
        for name, version in here.items()
        if there.get(name) != version and f"{name} {version}" not in missing
    ]
    wrong = f"extension that is not at the target (CREATE EXTENSION there): {', '.join(missing)}"
    return ([wrong] if missing else []), other


def _versions(endpoint: DatabaseEndpoint, query: str, schema: str | None = None) -> dict[str, str]:
    values = {"schema": schema} if schema else {}
    return {str(name): str(version) for name, version in endpoint.rows(QUERIES[query], **values)}
