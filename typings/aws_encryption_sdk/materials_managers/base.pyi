from abc import ABC, abstractmethod

from aws_encryption_sdk.materials_managers import (
    DecryptionMaterials,
    DecryptionMaterialsRequest,
    EncryptionMaterials,
    EncryptionMaterialsRequest,
)

class CryptoMaterialsManager(ABC):
    @abstractmethod
    def get_encryption_materials(self, request: EncryptionMaterialsRequest) -> EncryptionMaterials: ...
    @abstractmethod
    def decrypt_materials(self, request: DecryptionMaterialsRequest) -> DecryptionMaterials: ...
