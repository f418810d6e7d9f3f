"""The materials of messages: the tenant's data key for all of them, instead of a new one for each.

The SDK derives the key of each message from the data key and the message's random id (algorithm suite 0x0478,
AES-256-GCM with HKDF and key commitment), so one data key may encrypt any number of fields. In the message
stands the data key as KMS wrapped it, so that any reader of the format opens it with a plain KMS keyring.
"""

from typing import Final

from aws_encryption_sdk.identifiers import Algorithm
from aws_encryption_sdk.materials_managers import (
    DecryptionMaterials,
    DecryptionMaterialsRequest,
    EncryptionMaterials,
    EncryptionMaterialsRequest,
)
from aws_encryption_sdk.materials_managers.base import CryptoMaterialsManager
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey, MasterKeyInfo

from field_encryption.data_keys import DataKeys, FieldError, WrappedKey

SUITE: Final = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
PROVIDER: Final = "aws-kms"


class TenantMaterials(CryptoMaterialsManager):
    """Encrypts with `current`, and decrypts what is the tenant's."""

    def __init__(self, keys: DataKeys, current: WrappedKey | None) -> None:
        self._keys, self._current = keys, current

    def get_encryption_materials(self, request: EncryptionMaterialsRequest) -> EncryptionMaterials:
        current = self._current
        if current is None:
            raise FieldError(f"tenant {self._keys.tenant}: there is no data key to encrypt with")
        named = MasterKeyInfo(PROVIDER, current.key)
        return EncryptionMaterials(
            algorithm=SUITE,
            data_encryption_key=DataKey(named, self._keys.unwrap(current), current.wrapped),
            encrypted_data_keys={EncryptedDataKey(named, current.wrapped)},
            encryption_context=request.encryption_context,
        )

    def decrypt_materials(self, request: DecryptionMaterialsRequest) -> DecryptionMaterials:
        context = request.encryption_context
        if request.algorithm is not SUITE or context != self._keys.context:
            raise FieldError(f"tenant {self._keys.tenant}: the field is another tenant's, or nobody's")
        (kept,) = request.encrypted_data_keys
        name: MasterKeyInfo = kept.key_provider
        if name.provider_id != PROVIDER:
            raise FieldError(f"tenant {self._keys.tenant}: the field is under no key of KMS")
        wrapped = WrappedKey(name.key_info.decode(), kept.encrypted_data_key)
        return DecryptionMaterials(data_key=DataKey(name, self._keys.unwrap(wrapped), wrapped.wrapped))
