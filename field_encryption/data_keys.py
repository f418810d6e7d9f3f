"""Data keys of one tenant: wrapped ones are kept, unwrapped ones live in this process for a short while.

One call of KMS serves all messages under a data key until it is forgotten, because KMS counts calls per
account (AWS KMS, quotas, 2026-11) and a page of rows has hundreds of fields.
"""

import base64
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

CONTEXT: Final = "tenant"  # the encryption context that the policy of a tenant's key asks for
FIELD: Final = "datakeys"  # of the tenant's database secret: the wrapped keys, the one in use last
REMEMBERED: Final = 300.0  # seconds, after which a key that was disabled opens nothing more
MOST: Final = 100  # unwrapped keys at one time; a tenant has one for each of its KMS keys


class FieldError(Exception):
    """A field cannot be encrypted or decrypted, and why; no value is in the message."""


class KeyUnavailableError(FieldError):
    """KMS does not unwrap the data key: the tenant's key is gone or disabled, or this role may not use it."""


class Kms(Protocol):
    """A boto3 client of KMS in a session of the tenant's role."""

    def decrypt(self, **request: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as KMS wrapped it, and the ARN of the KMS key that unwraps it."""

    key: str
    wrapped: bytes


def current_data_key(secret: Mapping[str, Any]) -> WrappedKey:
    """The data key that new fields are encrypted with, of a tenant's database secret.

    Raises `FieldError` where the secret has none: its registry entry names no protected columns yet.
    """
    kept: Sequence[Mapping[str, str]] = secret.get(FIELD) or ()
    if not kept:
        raise FieldError(
            f"the tenant's secret has no {FIELD}: name its protected_columns in the registry, then deploy"
        )
    return WrappedKey(kept[-1]["key"], base64.b64decode(kept[-1]["wrapped"]))


class DataKeys:
    """Unwraps the data keys of one tenant, each with one call of KMS until it is forgotten.

    Only keys of `account` are asked for: a message that names another account's key is not one of ours.
    """

    def __init__(
        self, tenant: str, account: str, kms: Kms, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.tenant = tenant
        self._account, self._kms, self._clock = account, kms, clock
        self._lock = threading.Lock()
        self._known: dict[WrappedKey, tuple[float, bytes]] = {}

    @property
    def context(self) -> dict[str, str]:
        return {CONTEXT: self.tenant}

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """The data key itself. Raises `KeyUnavailableError` where KMS refuses, `FieldError` for a key of
        somebody else.
        """
        if wrapped.key.split(":")[4:5] != [self._account]:
            raise FieldError(f"tenant {self.tenant}: the field is under {wrapped.key}, a key of others")
        with self._lock:
            made, plain = self._known.get(wrapped, (0.0, b""))
            if plain and self._clock() - made < REMEMBERED:
                return plain
            self._known.pop(wrapped, None)
            plain = self._asked(wrapped)
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[wrapped] = (self._clock(), plain)
            return plain

    def _asked(self, wrapped: WrappedKey) -> bytes:
        try:
            found = self._kms.decrypt(
                CiphertextBlob=wrapped.wrapped, KeyId=wrapped.key, EncryptionContext=self.context
            )
        except Exception as refusal:
            code = getattr(refusal, "response", {}).get("Error", {}).get("Code")
            if code is None:
                raise
            raise KeyUnavailableError(
                f"tenant {self.tenant}: KMS does not open the data key under {wrapped.key} ({code})"
            ) from None
        return bytes(found["Plaintext"])
