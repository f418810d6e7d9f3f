from aws_encryption_sdk.identifiers import Algorithm
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey

class EncryptionMaterialsRequest:
    encryption_context: dict[str, str]

class EncryptionMaterials:
    def __init__(
        self,
        *,
        algorithm: Algorithm,
        data_encryption_key: DataKey,
        encrypted_data_keys: set[EncryptedDataKey],
        encryption_context: dict[str, str],
    ) -> None: ...

class DecryptionMaterialsRequest:
    algorithm: Algorithm
    encrypted_data_keys: set[EncryptedDataKey]
    encryption_context: dict[str, str]

class DecryptionMaterials:
    def __init__(self, *, data_key: DataKey) -> None: ...
