"""Encrypts single fields of a tenant's rows under the tenant's own key, for services that write them.

A message is one of the AWS Encryption SDK, which readers in Java, JavaScript, C, Rust and Go know as well:
`docs/field-encryption.md` is the contract, with test vectors.
"""

from field_encryption.cipher import FieldCipher
from field_encryption.data_keys import (
    DataKeys,
    FieldError,
    KeyUnavailableError,
    Kms,
    WrappedKey,
    current_data_key,
)

__all__ = [
    "DataKeys",
    "FieldCipher",
    "FieldError",
    "KeyUnavailableError",
    "Kms",
    "WrappedKey",
    "current_data_key",
]
