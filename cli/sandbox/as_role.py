"""What `tenantry sandbox as` does: runs a program whose AWS calls are signed as a role of the cell."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from devtools.environment import DROPPED
from devtools.paths import sandbox_dir
from sandbox.cloud.store import Row
from sandbox.data_plane.endpoint.sessions import ROLE, session_of
from sandbox.data_plane.paths import DataPlaneError
from sandbox.data_plane.service import Service

SECONDS: Final = 3600
TAG: Final = "tenant"  # the session tag that services set when they become a tenant


def as_role(role: str, command: Sequence[str], stack: str) -> int:
    """Run a command whose AWS calls go to the sandbox, signed as a role. Its exit status is the command's."""
    service = Service(sandbox_dir())
    row = _role(service, role, stack)
    account, region = str(row.outputs["arn"]).split(":")[4], _region(service, stack)
    tenant = _tags(row).get(TAG)
    session = session_of(row, account, "sandbox", tags={TAG: tenant} if tenant else {})
    given = service.server.endpoint.sessions.give(session, SECONDS)
    environment = {
        **{k: v for k, v in os.environ.items() if k not in DROPPED},
        **given.environment,
        "AWS_ENDPOINT_URL": service.server.url,
        "AWS_CA_BUNDLE": str(service.authority.root),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        status = subprocess.run(command, env=environment, check=False).returncode
    except OSError as wrong:
        raise DataPlaneError(f"{command[0]} cannot be run: {wrong.strerror}") from wrong
    finally:
        service.close()
    return status


def _role(service: Service, name: str, stack: str) -> Row:
    rows = service.rows(ROLE, stack)
    found = [r for r in rows if name in (r.outputs["name"], _tags(r).get(TAG))]
    if len(found) != 1:
        known = ", ".join(sorted(str(r.outputs["name"]) for r in rows))
        some = f"; it has {known}" if known else f"; bring it up first: make up STACK={stack}"
        raise DataPlaneError(f"stack {stack} has no role {name}{some}")
    return found[0]


def _tags(row: Row) -> Mapping[str, str]:
    return row.outputs.get("tagsAll") or dict[str, str]()


def _region(service: Service, stack: str) -> str:
    """Of the stack's instances: its roles have none."""
    regions = {i.region for i in service.instances.known() if i.stack == stack}
    if not regions:
        raise DataPlaneError(f"stack {stack} has no database, so that its Region is not known")
    return sorted(regions)[0]
