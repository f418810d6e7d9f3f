"""Transactions of others at the source, which replication has to wait for.

A slot is made once every transaction of the whole server that had written is over (PostgreSQL 17,
snapbuild.c, SnapBuildWaitSnapshot): those of other tenants too, and none of them can be told to hurry. So the
wait is bounded, and says whom it is for.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from pg8000.exceptions import DatabaseError

from functions.common.blockers import LOCK_TIMEOUT, blockers_of_role, likely_blockers, sentence
from functions.common.connection import server_code
from functions.common.database_endpoint import MoveError, replication_role
from functions.common.replication import Replication

SLOT_SECONDS: Final = 120  # twice what a statement of a tenant may take, unless the tenant lifts that limit
CANCELED: Final = "57014"


@contextmanager
def naming_blockers(link: Replication) -> Generator[None]:
    """A subscription is made in here, or `MoveError` says which transactions its slot waits for."""
    source, follower = link.source, link.follower
    for endpoint in (source, follower):  # the slot is made in a session at the source
        endpoint.run("SET lock_timeout = 0", f"SET statement_timeout = '{SLOT_SECONDS}s'")
    try:
        yield
    except DatabaseError as refusal:
        if server_code(refusal) != CANCELED:
            raise
        who = sentence(likely_blockers(source.session, source.schema))
        raise MoveError(
            f"waited {SLOT_SECONDS} s for a slot at the {source.name}, which waits for: {who}; run again once"
            " that is over"
        ) from None
    for endpoint in (source, follower):
        endpoint.run("SET statement_timeout = 0", LOCK_TIMEOUT)


def waiting(link: Replication) -> str:
    """Whom the source's senders of rows wait for, to go on behind a sentence; empty where for nobody."""
    found = blockers_of_role(link.source.session, replication_role(link.source.request))
    return f", which waits for: {sentence(found)}" if found else ""
