"""The data key that services encrypt a tenant's protected columns with: wrapped by KMS, never seen here.

The wrapped keys are kept in the tenant's secret, the one in use last; each stands in every message that was
encrypted with it as well, so that nothing becomes unreadable where the secret loses one.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from functions.common.aws_client import aws_client
from functions.common.protected_columns import CONTEXT, ProtectedColumns
from functions.common.secret_store import Secret

FIELD: Final = "datakeys"  # of the tenant's secret; field_encryption reads it


class DataKeySource(Protocol):
    def wrapped(self, key: str, tenant: str) -> bytes:
        """A new data key of 256 bits under the KMS key, in the tenant's encryption context."""
        ...


class Kms:
    """The real one."""

    def wrapped(self, key: str, tenant: str) -> bytes:
        made = aws_client("kms").generate_data_key_without_plaintext(
            KeyId=key, KeySpec="AES_256", EncryptionContext={CONTEXT: tenant}
        )
        return bytes(made["CiphertextBlob"])


def data_keys(
    tenant: str, found: Secret | None, protected: ProtectedColumns, source: DataKeySource
) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """What the secret is to hold of data keys: those that it has, and one under the KMS key in use.

    A tenant whose columns are protected no longer keeps its own, to read what was written before.
    """
    kept: list[Mapping[str, Any]] = list((found or {}).get(FIELD) or ())
    if protected.columns and (not kept or kept[-1]["key"] != protected.key):
        wrapped = base64.b64encode(source.wrapped(protected.key, tenant)).decode()
        kept.append({"key": protected.key, "wrapped": wrapped})
    return {FIELD: kept} if kept else {}
