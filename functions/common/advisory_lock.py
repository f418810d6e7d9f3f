"""Locks by which the administrator's sessions come one after the other, whatever tenants do.

Every role may take any advisory lock of its database (PostgreSQL 17, "Advisory Lock Functions", 2026-11), a
tenant's too: whoever holds one of these and is not the administrator has no business with it.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

SPACE: Final = 7_304_116  # any number: the first half of each lock's name
PAUSE: Final = 0.1  # seconds between tries
END_HOLDERS: Final = (
    "SELECT pg_terminate_backend(pid, 1000) FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND datname = current_database() AND database = datid"
    " AND classid = CAST(CAST(:space AS int4) AS oid) AND objid = CAST(hashtext(:name) AS oid)"
    " AND objsubid = 2 AND usename <> current_user"
)
FOR_THE_SESSION: Final = "pg_try_advisory_lock"
FOR_THE_TRANSACTION: Final = "pg_try_advisory_xact_lock"

Run = Callable[..., Sequence[Sequence[Any]] | None]


def take_lock(run: Run, name: str, seconds: float, function: str = FOR_THE_SESSION) -> bool:
    """Take the lock of a name, for which another session of the administrator has some seconds to end.

    `run` is pg8000's, with named parameters. Returns whether this session has the lock now.
    """
    sql = f"SELECT {function}(CAST(:space AS int4), hashtext(:name))"
    ends = time.monotonic() + seconds
    while run(sql, space=SPACE, name=name) != [[True]]:
        if time.monotonic() > ends:
            return False
        if not run(END_HOLDERS, space=SPACE, name=name):
            time.sleep(PAUSE)
    return True
