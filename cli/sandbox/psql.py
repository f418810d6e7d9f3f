"""What `tenantry sandbox psql` and `rotate` do: log in with a secret's credentials, and rotate them."""

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any, Final

from devtools.paths import sandbox_dir, say
from sandbox.data_plane.instances import Instance
from sandbox.data_plane.paths import DataPlaneError
from sandbox.data_plane.postgres_programs import client_programs
from sandbox.data_plane.service import Service

PARAMETER: Final = "aws:ssm/parameter:Parameter"


@dataclass(frozen=True)
class Login:
    """Where a tenant's data is, and what its secret says."""

    instance: Instance
    secret_arn: str
    secret: dict[str, Any]


def psql(tenant: str, command: str | None, stack: str) -> int:
    """Log in to a tenant's database as the tenant."""
    service = Service(sandbox_dir())
    found = login(service, tenant, stack)
    cluster = service.instances.cluster(found.instance)
    if cluster.pid is None:
        say(f"starting {found.instance.name}, which did not run")
        service.instances.create_and_start(found.instance)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("PG")},
        "PGHOST": str(cluster.folder),
        "PGUSER": found.secret["username"],
        "PGPASSWORD": found.secret["password"],
        "PGDATABASE": found.secret["dbname"],
        "PGAPPNAME": "tenantry sandbox psql",
    }
    arguments = ["-X", "-v", "ON_ERROR_STOP=1", *(["-c", command] if command is not None else [])]
    done = subprocess.run([client_programs(service.plane) / "psql", *arguments], env=environment, check=False)
    return 1 if done.returncode else 0


def rotate(tenant: str, stack: str) -> None:
    """Give a tenant a new password now, as Secrets Manager does it every 90 days."""
    service = Service(sandbox_dir())
    found = login(service, tenant, stack)
    try:
        version = service.rotate_secret(found.instance, found.secret_arn)
    finally:
        service.close()
    print(f"tenant {tenant} has a new password (version {version})")


def login(service: Service, tenant: str, stack: str) -> Login:
    """What the catalog and the secret say; raises `DataPlaneError` with the remedy."""
    entry = _catalog(service, stack).get(tenant)
    if entry is None:
        known = ", ".join(sorted(_catalog(service, stack)))
        raise DataPlaneError(
            f"stack {stack} has no tenant {tenant}"
            + (f"; it has {known}" if known else f"; bring it up first: make up STACK={stack}")
        )
    database = entry["database"]
    instance = next((i for i in service.instances.known() if i.host == database["host"]), None)
    if instance is None or not service.instances.cluster(instance).made:
        raise DataPlaneError(
            f"the database of {tenant} is not a real one here;"
            " to make it one: SANDBOX_POSTGRES=1 .venv/bin/tenantry sandbox start"
        )
    secret = service.secret_store.current(database["secretArn"])
    if secret is None:
        raise DataPlaneError(
            f"the secret of {tenant} is empty: its place was not made; make up STACK={stack}"
        )
    return Login(instance, database["secretArn"], secret)


def _catalog(service: Service, stack: str) -> dict[str, dict[str, Any]]:
    """Tenant → its entry, as the services would read it."""
    found: dict[str, dict[str, Any]] = {}
    for row in service.rows(PARAMETER, stack):
        value = row.inputs.get("insecureValue")
        entry: dict[str, Any] = json.loads(value) if isinstance(value, str) and value.startswith("{") else {}
        if "tenant" in entry and "database" in entry:
            found[entry["tenant"]] = entry
    return found
