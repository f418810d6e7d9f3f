"""Re-encrypts artefacts: each that is under another key is copied onto itself, within S3.

What is under the new key already is skipped, and a round that runs out of time says behind which object the
next one goes on, so a bucket of any size comes to its end. A copy is made only of the version that was looked
at, and only onto it (CopySourceIfMatch, IfMatch: S3 API, CopyObject, 2026-11), so nothing that the tenant
writes meanwhile is lost; such writes use the new key anyway.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import Any, Final

from functions.common.going_on import GoesOn
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
    """Of this round and those before it."""

    found: dict[Done, int] = field(default_factory=lambda: dict.fromkeys(Done, 0))
    left: list[str] = field(default_factory=list)
    after: str = ""  # all objects up to this one are done

    @classmethod
    def resumed(cls, resume: Mapping[str, Any]) -> "Counts":
        """Where the round before ended."""
        counts = cls(left=list(resume.get("left", ())), after=str(resume.get("after", "")))
        counts.found |= {Done[word]: int(count) for word, count in resume.get("found", {}).items()}
        return counts

    def plain(self) -> Mapping[str, Any]:
        """For the next round."""
        found = {done.name: count for done, count in self.found.items() if count}
        return {"after": self.after, "found": found, "left": sorted(self.left)[:NAMED]}

    def add(self, names: Sequence[str], done: Sequence[Done]) -> bool:
        """Those of a page; whether all of it were done in time."""
        if Done.LATE in done:
            return False
        for name, one in zip(names, done, strict=True):
            self.found[one] += 1
            if one in (Done.LARGE, Done.BUSY):
                self.left.append(name)
        self.after = names[-1] if names else self.after
        return True


def rekey(request: Request, tools: Tools) -> Mapping[str, Any]:
    """All that the bucket holds; returns what was done, which may be kept and shown. Raises `GoesOn` where
    that takes another round.
    """
    counts = Counts.resumed(request.resume)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for names in tools.objects.names(request.bucket, counts.after):
            if not counts.add(names, list(pool.map(partial(_one, request, tools), names))):
                done = sum(counts.found.values())
                raise GoesOn(f"{done} artefacts were looked at, up to {counts.after}", counts.plain())
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
