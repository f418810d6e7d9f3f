"""The Lambda that moves a tenant's data from one database to another, and its permissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from components.common.context import CellContext
from components.common.function_code import POSTGRES_DRIVER
from components.common.iam_policy import Statement
from components.tenants.data_access import (
    HOMES,
    MOVING,
    RESTORED,
    keys_of_secrets,
    keys_through,
    master_secrets,
    tenant_secrets,
)
from components.tenants.tenant_worker import WorkerKind

DUMPS: Final = "moves/"  # in a tenant's bucket: the last dump of a place that it has left
PROGRESS: Final = f"{DUMPS}progress/*"  # how far work has come that takes several calls


def _statements(shared: CellContext) -> Sequence[Statement]:
    entries = shared.arn("ssm", f"parameter/{shared.names.path('parameter', 'tenants', '*')}")
    return (
        tenant_secrets(shared, ("database",)),
        *master_secrets(shared, (*HOMES, RESTORED)),
        keys_of_secrets(shared),
        Statement(
            sid="KeepLastDumps",
            actions=["s3:PutObject", "s3:AbortMultipartUpload"],
            resources=[f"arn:aws:s3:::{shared.names.bucket('t', '*')}/{DUMPS}*"],
        ),
        Statement(
            sid="KeepProgress",
            actions=["s3:GetObject", "s3:DeleteObject"],
            resources=[f"arn:aws:s3:::{shared.names.bucket('t', '*')}/{PROGRESS}"],
        ),
        Statement(
            sid="FindProgress",
            actions=["s3:ListBucket"],
            resources=[f"arn:aws:s3:::{shared.names.bucket('t', '*')}"],
            condition={"StringLike": {"s3:prefix": PROGRESS}},
        ),
        keys_through(shared, "UseTheKeysOfTheseBuckets", "s3"),
        Statement(sid="ReadCatalogEntries", actions=["ssm:GetParameter"], resources=[entries]),
        # PutParameter asks for the tags of the parameter that is there (service authorization reference of
        # Systems Manager, 2026-11).
        Statement(
            sid="SwitchCatalogEntries",
            actions=["ssm:PutParameter"],
            resources=[entries],
            condition={"StringEquals": {f"aws:ResourceTag/{MOVING}": "true"}},
        ),
    )


MOVER: Final = WorkerKind(
    type="tenantry:functions:TenantMover",
    word="mover",
    does="moves tenants",
    role="Moves tenants between databases",
    description="Moves a tenant's data from one database to another",
    statements=_statements,
    distributions=POSTGRES_DRIVER,
)
