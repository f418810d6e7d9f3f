"""How far work has come that takes several calls, kept in the tenant's bucket, under the tenant's own key.

It may hold keys of rows, so neither the answer of a call nor the history of its execution has it: they only
name it. So a call reads nothing that the call before it has not written, and one that is repeated because it
was killed goes on from where it began itself.
"""

import gzip
import io
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from functions.common.database_endpoint import MoveError
from functions.common.dump import PREFIX, Objects

FOLDER: Final = f"{PREFIX}progress/"
LARGEST: Final = 2**28  # bytes: the tenant can write to its bucket, and the function's memory is small


@dataclass
class ProgressRecord:
    """One, of one kind of a tenant's work. What another execution has left is none."""

    objects: Objects
    bucket: str
    kind: str  # of work: what the next call is told names it so
    resume: Mapping[str, Any]  # what this call was told
    execution: str = field(init=False)

    def __post_init__(self) -> None:
        self.execution = str(self.resume.get(self.kind) or secrets.token_hex(8))

    @property
    def resumes(self) -> bool:
        """Whether a call before this one has left it."""
        return self.kind in self.resume

    @property
    def key(self) -> str:
        return f"{FOLDER}{self.kind}.json.gz"

    def load(self) -> Mapping[str, Any] | None:
        """What the call before this one has left; None where there is nothing."""
        found = self.objects.get(self.bucket, self.key) if self.resumes else None
        if found is None:
            return None
        known = json.loads(_unpacked(found))
        return known["content"] if known["execution"] == self.execution else None

    def save(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns what the next call is to be told."""
        known = json.dumps({"execution": self.execution, "content": content})
        self.objects.put_bytes(self.bucket, self.key, gzip.compress(known.encode(), 1))
        return {self.kind: self.execution}

    def forget(self) -> None:
        """It is of no use any more, if there is any."""
        self.objects.remove(self.bucket, self.key)


def _unpacked(data: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        found = file.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise MoveError(f"the record of progress in {FOLDER} is larger than {LARGEST} bytes: delete it")
    return found
