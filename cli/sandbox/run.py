"""What `tenantry sandbox start` and `stop` do, by the process ids that the databases recorded."""

from devtools.paths import sandbox_dir
from sandbox.data_plane.service import Service, databases_enabled


def start(stack: str | None = None) -> None:
    """Start what was stopped, and make real what is not yet where SANDBOX_POSTGRES=1."""
    for name in Service(sandbox_dir()).start(stack, make=databases_enabled()):
        print(f"started {name}")


def stop(stack: str | None = None) -> None:
    """Stop the databases; their data stays, and `start` or `make up` goes on with it."""
    for name in Service(sandbox_dir()).stop(stack):
        print(f"stopped {name}")
