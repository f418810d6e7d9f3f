"""The session in which a stage works on the tenant's database."""

from collections.abc import Generator
from contextlib import contextmanager

from functions.common.database_endpoint import DatabaseEndpoint, administrator_at, work_alone
from functions.tenant_leaving.request import Request
from functions.tenant_leaving.tools import Tools


@contextmanager
def administrator(request: Request, tools: Tools) -> Generator[DatabaseEndpoint | None]:
    """The administrator's; None where there is no database to log in to."""
    if request.address is None:
        yield None
        return
    with administrator_at("database", request.address, request, tools.connect, tools.store) as endpoint:
        work_alone(endpoint)
        yield endpoint
