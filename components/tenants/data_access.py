"""Permissions of functions that work in tenants' databases: their secrets, by patterns of the cell's names.

Patterns, so that a new tenant changes no shared policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from components.common.context import CellContext
from components.common.iam_policy import Statement

# Databases that tenants live in, by their names: shard-a, silo-acme, silo2-acme.
HOMES: Final = ("shard-*", "silo*-*")
# The tag of the catalog entry of a tenant that moves: the mover may write no other.
MOVING: Final = "moving"
RESTORED: Final = "restored*-*"  # a shard as it was, for a restore; it has the rows of everybody


def tenant_secrets(shared: CellContext, kinds: Sequence[str]) -> Statement:
    """Read and write what tenants log in with or sign with."""
    names = shared.names
    return Statement(
        sid="KeepTenantsSecrets",
        actions=[
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ],
        resources=[
            shared.arn("secretsmanager", f"secret:{names.path('secret', 'tenants', '*', kind)}-*")
            for kind in kinds
        ],
    )


def master_secrets(shared: CellContext, homes: Sequence[str] = HOMES) -> tuple[Statement, ...]:
    """Log in as the administrator of a database that tenants live in."""
    names = shared.names
    databases = [shared.arn("rds", f"db:{names.label('database', home)}") for home in homes]
    return (
        Statement(
            sid="ReadMasterSecretsOfTenantsDatabases",
            actions=["secretsmanager:GetSecretValue"],
            resources=[
                shared.arn("secretsmanager", f"secret:{names.path('secret', 'databases', home, 'master')}-*")
                for home in homes
            ],
        ),
        Statement(
            sid="ReadMasterSecretsThatRdsKeeps",
            actions=["secretsmanager:GetSecretValue"],
            resources=[shared.arn("secretsmanager", "secret:rds!db-*")],
            condition={"ArnLike": {"aws:ResourceTag/aws:rds:primaryDBInstanceArn": databases}},
        ),
    )


def keys_of_secrets(shared: CellContext) -> Statement:
    """The cell's keys, through Secrets Manager."""
    return keys_through(shared, "UseTheKeysOfTheseSecrets", "secretsmanager")


def keys_through(shared: CellContext, sid: str, service: str) -> Statement:
    """The cell's keys, and only for what a service keeps under them."""
    return Statement(
        sid=sid,
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=[shared.arn("kms", "key/*")],
        condition={
            "StringEquals": {"kms:ViaService": f"{service}.{shared.settings.region}.amazonaws.com"},
            "ForAnyValue:StringLike": {"kms:ResourceAliases": f"alias/{shared.names.path('alias', '*')}"},
        },
    )
