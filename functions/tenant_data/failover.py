"""Work at a server whose session may have gone: a failover, a restart or the network ends it in the middle.

What is done so is what a tenant waits for, so it is tried again, in a new session, until the server is back.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Final, TypeAlias

from pg8000.exceptions import DatabaseError, InterfaceError

from functions.common.connection import BootstrapError
from functions.common.database_endpoint import DatabaseEndpoint

log: Final = logging.getLogger(__name__)
# Seconds, typically at most (RDS user guide, "Multi-AZ DB instance deployments", failover times, 2026-11).
FAILOVER: Final = 120.0
PAUSE: Final = 1.0

# A new session of the administrator at the same server.
Reopen: TypeAlias = Callable[[DatabaseEndpoint], AbstractContextManager[DatabaseEndpoint]]


def through_failover(
    endpoint: DatabaseEndpoint, reopen: Reopen, work: Callable[[DatabaseEndpoint], None]
) -> None:
    """Do `work`, which may be begun again at any point, in this session or in the first that can be had.

    Raises what the last attempt met, after as long as a failover may take.
    """
    all_through_failover((endpoint,), reopen, work)


def all_through_failover(
    endpoints: Sequence[DatabaseEndpoint], reopen: Reopen, work: Callable[..., None]
) -> None:
    """The same of work at several servers: any may be the one that has gone, so all are opened again."""
    ends = time.monotonic() + FAILOVER
    names = " and the ".join(endpoint.name for endpoint in endpoints)
    try:
        work(*endpoints)
        return
    except (DatabaseError, InterfaceError, OSError) as failure:
        log.warning("the session at the %s has gone: %s", names, failure)
    while True:
        try:
            with ExitStack() as again:
                work(*[again.enter_context(reopen(endpoint)) for endpoint in endpoints])
                return
        except (BootstrapError, DatabaseError, InterfaceError, OSError):
            if time.monotonic() > ends:
                raise
        time.sleep(PAUSE)
