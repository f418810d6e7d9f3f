"""What a service calls: bytes of a field in, a message out, and back."""

import struct
from typing import Final

from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from cryptography.exceptions import InvalidTag

from field_encryption.data_keys import DataKeys, FieldError, WrappedKey
from field_encryption.messages import TenantMaterials

MESSAGE: Final = bytes.fromhex("020478")  # version and algorithm suite, as every message of ours begins
# One wrapped key each: a message with more of them is not one of ours, and each would cost a call of KMS.
CLIENT: Final = EncryptionSDKClient(
    commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1
)


# What the SDK answers to bytes that are no message, or that were changed.
BROKEN: Final = (AWSEncryptionSDKClientError, InvalidTag, ValueError, KeyError, struct.error)


class FieldCipher:
    """Encrypts with one data key, decrypts whatever the tenant's keys open. May be shared by threads."""

    def __init__(self, keys: DataKeys, current: WrappedKey | None = None) -> None:
        """Without `current`, a cipher that only decrypts."""
        self._tenant, self._context = keys.tenant, keys.context
        self._materials = TenantMaterials(keys, current)

    def encrypt(self, value: bytes) -> bytes:
        """A message of about 500 bytes more than `value`, another one each time.

        Raises `KeyUnavailableError` where KMS refuses, `FieldError` where there is no key to encrypt with.
        """
        message, _ = CLIENT.encrypt(
            source=value, materials_manager=self._materials, encryption_context=self._context
        )
        return message

    def decrypt(self, message: bytes) -> bytes:
        """What was encrypted.

        Raises `KeyUnavailableError` where the key is gone, `FieldError` where this is no message of the
        tenant's or was changed.
        """
        if not message.startswith(MESSAGE):
            raise FieldError(f"tenant {self._tenant}: the field is not encrypted")
        try:
            value, _ = CLIENT.decrypt(source=message, materials_manager=self._materials)
        except BROKEN as failure:
            raise FieldError(f"tenant {self._tenant}: no message ({type(failure).__name__})") from None
        return value
