"""Of aws-encryption-sdk 4.0, what field_encryption uses."""

from typing import Any

from aws_encryption_sdk.identifiers import CommitmentPolicy as CommitmentPolicy
from aws_encryption_sdk.materials_managers.base import CryptoMaterialsManager

class EncryptionSDKClient:
    def __init__(
        self, *, commitment_policy: CommitmentPolicy, max_encrypted_data_keys: int | None = None
    ) -> None: ...
    def encrypt(
        self, *, source: bytes, materials_manager: CryptoMaterialsManager, encryption_context: dict[str, str]
    ) -> tuple[bytes, Any]: ...
    def decrypt(self, *, source: bytes, materials_manager: CryptoMaterialsManager) -> tuple[bytes, Any]: ...
