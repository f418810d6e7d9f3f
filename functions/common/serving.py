"""Which database serves a tenant: its secret says where the services log in."""

from functions.common.database_endpoint import MoveError, Side
from functions.common.secret_store import Secret, Store


def read(store: Store, side: Side) -> Secret:
    found = store.read(side.request.tenant_secret)
    if found is None:
        raise MoveError("the tenant's secret is empty, so nobody can say where the tenant lives")
    return found


def lives(store: Store, side: Side) -> bool:
    """Whether the services are led to this end."""
    return read(store, side).get("host") == side.end.host
