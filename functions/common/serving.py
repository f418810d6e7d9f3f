"""Which database serves a tenant: the one that its secret names."""

from functions.common.database_endpoint import DatabaseEndpoint, MoveError
from functions.common.secret_store import Secret, Store


def read(store: Store, endpoint: DatabaseEndpoint) -> Secret:
    found = store.read(endpoint.request.tenant_secret)
    if found is None:
        raise MoveError("the tenant's secret is empty, so nobody can say where the tenant lives")
    return found


def is_serving(store: Store, endpoint: DatabaseEndpoint) -> bool:
    """Whether the services log in to this database: the host that the tenant's secret names."""
    return read(store, endpoint).get("host") == endpoint.address.host
