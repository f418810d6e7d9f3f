from enum import Enum

class Algorithm(Enum):
    AES_256_GCM_HKDF_SHA512_COMMIT_KEY = ...

class CommitmentPolicy(Enum):
    REQUIRE_ENCRYPT_REQUIRE_DECRYPT = ...
