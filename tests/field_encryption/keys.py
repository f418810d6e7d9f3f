"""KMS as far as a cipher asks it, and ciphers over it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from field_encryption import DataKeys, FieldCipher, WrappedKey

ACCOUNT: Final = "111122223333"
KEY: Final = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
VECTORS: Final = Path(__file__).parents[2] / "docs" / "field-encryption-vectors.json"


def vectors() -> Mapping[str, Any]:
    return json.loads(VECTORS.read_text(encoding="utf-8"))


class FakeKms:
    """Opens what it wrapped in the same context, as long as its key is there."""

    def __init__(self, data_key: bytes = bytes(range(32)), tenant: str = "acme-pay") -> None:
        self.data_key, self.tenant = data_key, tenant
        self.gone = False
        self.calls = 0

    def decrypt(self, **request: Any) -> Mapping[str, Any]:
        self.calls += 1
        if self.gone:
            raise ClientError({"Error": {"Code": "KMSInvalidStateException"}}, "Decrypt")
        if request["EncryptionContext"] != {"tenant": self.tenant}:
            raise ClientError({"Error": {"Code": "InvalidCiphertextException"}}, "Decrypt")
        return {"Plaintext": self.data_key, "KeyId": request["KeyId"]}


def cipher(kms: FakeKms, tenant: str = "acme-pay", key: str = KEY, **more: Any) -> FieldCipher:
    return FieldCipher(DataKeys(tenant, ACCOUNT, kms, **more), WrappedKey(key, b"wrapped"))
