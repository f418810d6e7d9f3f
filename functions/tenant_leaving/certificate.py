"""The certificate of destruction as a document: a body, and its SHA-256 to detect changes."""

from collections.abc import Mapping
from typing import Any, Final

from functions.tenant_leaving.documents import digest

FORMAT: Final = 1
KIND: Final = "certificate of destruction"
SEAL: Final = "sha256"


def sealed(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**body, SEAL: digest(body)}


def verify(certificate: Mapping[str, Any]) -> bool:
    """Whether it is one, and every word of it is as it was written."""
    body = {k: v for k, v in certificate.items() if k != SEAL}
    return body.get("kind") == KIND and body.get("format") == FORMAT and certificate.get(SEAL) == digest(body)
