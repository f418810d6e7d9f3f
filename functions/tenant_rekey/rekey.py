"""Re-encrypts artefacts: each that is under another key is copied onto itself, within S3.

What is under the new key already is skipped, so the next call continues where one was cut short. A copy is
made only of the version that was looked at, and only onto it (CopySourceIfMatch, IfMatch: S3 API,
CopyObject, 2026-11), so nothing that the tenant writes meanwhile is lost; such writes use the new key anyway.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import Any, Final

from functions.tenant_rekey.request import Request
from functions.tenant_rekey.tools import RekeyError, Tools

AT_ONCE: Final = 8  # objects; asking for a key takes the time of an answer and nothing else
TRIES: Final = 3  # for an object that is written while it is copied
LARGEST: Final = 5 * 2**30  # bytes that one copy can have (S3 API reference, CopyObject, 2026-11)
NAMED: Final = 20  # objects that are named one by one


class Done(Enum):
    """What became of an object."""

    COPIED = auto()
    THERE = auto()  # under the key already
    GONE = auto()
    LARGE = auto()  # larger than a copy can be
    BUSY = auto()  # written again at every try
    LATE = auto()


@dataclass
class Counts:
    found: dict[Done, int] = field(default_factory=lambda: dict.fromkeys(Done, 0))
    left: list[str] = field(default_factory=list)

    def add(self, names: Sequence[str], done: Sequence[Done]) -> None:
        for name, one in zip(names, done, strict=True):
            self.found[one] += 1
            if one in (Done.LARGE, Done.BUSY):
                self.left.append(name)


def rekey(request: Request, tools: Tools) -> Mapping[str, Any]:
    """All that the bucket holds; returns what was done, which may be kept and shown."""
    counts = Counts()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for names in tools.objects.names(request.bucket):
            counts.add(names, list(pool.map(partial(_one, request, tools), names)))
            if counts.found[Done.LATE]:
                raise RekeyError(
                    f"tenant {request.tenant}: {counts.found[Done.COPIED]} artefacts were encrypted anew and"
                    " time is up; run again, it goes on from there"
                )
    if counts.found[Done.BUSY]:
        raise RekeyError(
            f"tenant {request.tenant}: {counts.found[Done.BUSY]} artefacts are being written all the time,"
            f" such as {next(iter(counts.left))}; run again"
        )
    return {
        "tenant": request.tenant,
        "key": request.key,
        "copied": counts.found[Done.COPIED],
        "there": counts.found[Done.THERE],
        "tooLarge": counts.found[Done.LARGE],
        "left": sorted(counts.left)[:NAMED],
        "earlierVersions": tools.objects.earlier(request.bucket),
    }


def _one(request: Request, tools: Tools, name: str) -> Done:
    for _ in range(TRIES):
        if tools.late():
            return Done.LATE
        found = tools.objects.find(request.bucket, name)
        if found is None:
            return Done.GONE
        if found.key == request.key:
            return Done.THERE
        if found.size > LARGEST:
            return Done.LARGE
        if tools.objects.copy(request.bucket, name, found, request.key):
            return Done.COPIED
    return Done.BUSY
