"""As much of botocore's requests as is used (botocore 1.44)."""

from collections.abc import Mapping
from typing import Any

class AWSRequest:
    context: dict[str, Any]
    def __init__(self, method: str, url: str, headers: Mapping[str, str], data: bytes) -> None: ...
