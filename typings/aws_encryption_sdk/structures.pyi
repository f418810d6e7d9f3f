class MasterKeyInfo:
    provider_id: str
    key_info: bytes
    def __init__(self, provider_id: str, key_info: bytes | str) -> None: ...

class DataKey:
    def __init__(self, key_provider: MasterKeyInfo, data_key: bytes, encrypted_data_key: bytes) -> None: ...

class EncryptedDataKey:
    key_provider: MasterKeyInfo
    encrypted_data_key: bytes
    def __init__(self, key_provider: MasterKeyInfo, encrypted_data_key: bytes) -> None: ...
