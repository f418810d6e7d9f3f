"""Signs deliveries as the Standard Webhooks specification 1.0 says.

Receivers can verify them with any of its libraries: the secret is `whsec_` and the tenant's key.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence


def headers(delivery: str, timestamp: int, body: bytes, keys: Sequence[str]) -> Mapping[str, str]:
    """One signature for each key, newest first: while a key is rotated, receivers may hold either."""
    if not keys:
        raise ValueError("a delivery needs at least one key to sign with")
    return {
        "Webhook-Id": delivery,  # the same at each try, so that a receiver can pass over what it has
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": " ".join(f"v1,{_sign(delivery, timestamp, body, key)}" for key in keys),
    }


def _sign(delivery: str, timestamp: int, body: bytes, key: str) -> str:
    signed = f"{delivery}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(base64.b64decode(key), signed, hashlib.sha256)).decode()
