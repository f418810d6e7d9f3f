"""How a service reaches a tenant's resources: through the catalog, with the tenant's role."""

from __future__ import annotations

from typing import Final

from components.common.context import CellContext
from components.common.iam_policy import Statement

TENANT_TAG: Final = "tenant"  # the session tag that a tenant's trust policy and key compare


def catalog_path(shared: CellContext) -> str:
    """Where the catalog's entries begin in Parameter Store: `/tenantry/dev/tenants`."""
    return "/" + shared.names.path("parameter", "tenants")


def tenant_access(shared: CellContext) -> list[Statement]:
    """Read the catalog; become one tenant at a time, and never without saying which."""
    roles = shared.arn("iam", f"role/{shared.names.label('role', 'tenant', '*')}", region=False)
    return [
        Statement(
            sid="ReadCatalog",
            actions=["ssm:GetParameter", "ssm:GetParametersByPath"],
            resources=[shared.arn("ssm", f"parameter{catalog_path(shared)}{rest}") for rest in ("", "/*")],
        ),
        Statement(
            sid="BecomeTenant",
            actions=["sts:AssumeRole", "sts:TagSession"],
            resources=[roles],
            condition={
                "Null": {f"aws:RequestTag/{TENANT_TAG}": "false"},
                "ForAllValues:StringEquals": {"aws:TagKeys": [TENANT_TAG]},
            },
        ),
    ]
