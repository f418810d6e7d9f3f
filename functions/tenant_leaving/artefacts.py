"""Copies a tenant's artefacts to the hand-over bucket, and reads each again there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from functions.common.going_on import GoesOn
from functions.tenant_leaving.documents import Hashed
from functions.tenant_leaving.tools import Found, Objects, OffboardingError, Source, Tools

PREFIX: Final = "artefacts/"


@dataclass(frozen=True, slots=True)
class File:
    """A file that was handed over; `origin` and `etag` tell the contents it came from and has."""

    key: str
    bytes: int
    sha256: str
    etag: str
    origin: str = ""

    def plain(self) -> Mapping[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Copying:
    """From one bucket to the other."""

    tools: Tools
    source: str
    target: str

    @property
    def objects(self) -> Objects:
        return self.tools.objects

    def run(
        self, wanted: Sequence[Found], known: dict[str, File], save: Callable[[Sequence[File]], None]
    ) -> Sequence[File]:
        """What is known and still the same is not copied again. When time is up, `save` keeps what is done,
        and the work goes on in another round.
        """
        there = {found.key: found for found in self.objects.listed(self.target)}
        done: list[File] = []
        for artefact in wanted:
            key = PREFIX + artefact.key
            file = known.get(key)
            if file is None or not unchanged(file, artefact, there.get(key)):
                if self.tools.late():
                    save(list((known | {f.key: f for f in done}).values()))
                    raise GoesOn(f"{len(done)} of {len(wanted)} artefacts are copied")
                file = self._copy(artefact)
            done.append(file)
        for key in sorted(there.keys() - {f.key for f in done}):
            if key.startswith(PREFIX):  # of an earlier export; the tenant has it no more
                self.objects.remove(self.target, key)
        return done

    def _copy(self, artefact: Found) -> File:
        key = PREFIX + artefact.key
        sent = Hashed(self._read(self.source, artefact.key))
        self.objects.write(self.target, key, sent)
        arrived = Hashed(self._read(self.target, key)).drain()
        found = self.objects.find(self.target, key)
        if found is None or (arrived.sha256, arrived.size) != (sent.sha256, sent.size):
            raise OffboardingError(f"artefact {artefact.key} is not the same in {self.target}: run again")
        return File(key, arrived.size, arrived.sha256, found.etag, artefact.etag)

    def _read(self, bucket: str, key: str) -> Source:
        found = self.objects.read(bucket, key)
        if found is None:
            raise OffboardingError(f"artefact {key} is not in {bucket}: run again")
        return found


def unchanged(file: File, artefact: Found, copy: Found | None) -> bool:
    """Neither the artefact nor its copy was written since the copy was compared with it."""
    return (
        (file.origin, file.bytes) == (artefact.etag, artefact.size)
        and copy is not None
        and (file.etag, file.bytes) == (copy.etag, copy.size)
    )


def listed(objects: Objects, bucket: str) -> Sequence[Found]:
    return sorted(objects.listed(bucket), key=lambda f: f.key)


def plain(found: Sequence[Found]) -> Iterator[Sequence[Any]]:
    """What a digest is made of."""
    return ([f.key, f.size, f.etag] for f in found)
