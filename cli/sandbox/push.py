"""What `tenantry sandbox push` does: pushes an image to a repository that a stack has made."""

import secrets
from contextlib import closing

from devtools.paths import sandbox_dir
from sandbox.aws.refusals.soft_deletes import REPOSITORY
from sandbox.cloud.store import Store
from sandbox.data_plane.paths import DataPlaneError
from sandbox.data_plane.service import Service


def push(service: str, stack: str, *, healthy: bool = True) -> str:
    """The image by digest; raises `DataPlaneError` where the stack has no such repository."""
    data_plane = Service(sandbox_dir())
    found = [r for r in data_plane.rows(REPOSITORY, stack) if str(r.outputs["name"]).endswith(f"/{service}")]
    if not found:
        raise DataPlaneError(
            f"stack {stack} has no repository for images of {service}: it makes one while the setting"
            f" tenantry:{service}Image is none, or names an image in it"
        )
    repository = found[0].outputs
    digest = f"sha256:{secrets.token_hex(32)}"
    _, _, _, region, account, _ = str(repository["arn"]).split(":", 5)
    with closing(Store(data_plane.plane.cloud, account, region)) as store:
        store.push_image(str(repository["name"]), digest, healthy=healthy)
    return f"{repository['repositoryUrl']}@{digest}"
