"""The KMS key that encrypts the account's log groups."""

from __future__ import annotations

from components.common.key import USE, EncryptionKeyArgs, ServiceUse
from plan.names import Names
from plan.settings import AccountSettings


def logs_key(settings: AccountSettings, names: Names) -> EncryptionKeyArgs:
    """CloudWatch Logs names the log group in the encryption context (CloudWatch Logs guide, 2026-11)."""
    groups = f"arn:aws:logs:{settings.region}:{settings.account_id}:log-group:*"
    context = {"StringLike": {"kms:EncryptionContext:aws:logs:arn": groups}}
    in_context = [a for a in USE if a != "kms:DescribeKey"]  # which has no encryption context
    return EncryptionKeyArgs(
        settings=settings,
        alias=names.path("alias", "logs"),
        purpose="log groups of the cell",
        users={},
        services=[ServiceUse(service=f"logs.{settings.region}", condition=context, actions=in_context)],
    )
