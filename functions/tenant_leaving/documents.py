"""JSON in one canonical form, so that its digest shows whether it was changed."""

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from functions.tenant_leaving.tools import Objects, Source

Document: TypeAlias = Mapping[str, Any]
CHUNK: Final = 1 << 20


class Hashed:
    """Bytes on their way, counted and hashed."""

    def __init__(self, source: Source) -> None:
        self._source, self._sha, self.size = source, hashlib.sha256(), 0

    def read(self, amount: int = -1, /) -> bytes:
        data = self._source.read(amount)
        self._sha.update(data)
        self.size += len(data)
        return data

    def drain(self) -> "Hashed":
        """To its end."""
        while self.read(CHUNK):
            pass
        return self

    @property
    def sha256(self) -> str:
        return self._sha.hexdigest()


def canonical(document: Any) -> bytes:
    """Keys sorted, no white space, UTF-8."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(document: Any) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()


def load(objects: Objects, bucket: str, key: str) -> dict[str, Any] | None:
    """None where there is none."""
    found = objects.read(bucket, key)
    return None if found is None else json.loads(found.read())


def save(objects: Objects, bucket: str, key: str, document: Document) -> None:
    objects.write(bucket, key, io.BytesIO(canonical(document)))
