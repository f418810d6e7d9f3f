"""What `tenantry sandbox clock` does: shows the sandbox's time, and moves it forward."""

from devtools.paths import sandbox_dir
from sandbox.cloud.store import Store
from sandbox.data_plane.key_destruction import delete_due_keys_everywhere
from sandbox.data_plane.paths import DataPlaneError
from sandbox.data_plane.service import Service


def clock(days: float = 0) -> None:
    """Show the sandbox's time, after some days have gone by: what waits for its day then meets it."""
    if days < 0:
        raise DataPlaneError("the sandbox's clock goes forward only: dates that have passed stay passed")
    service = Service(sandbox_dir())
    if not service.plane.cloud.exists():
        raise DataPlaneError("there is no sandbox yet whose clock could go: make up")
    store = Store(service.plane.cloud, "", "")
    try:
        if days:
            store.move_clock(days)
            delete_due_keys_everywhere(service.plane.cloud, service.secret_store)
        print(f"{store.now():%Y-%m-%d %H:%M:%S} UTC")
    finally:
        store.close()
        service.close()
