"""The interfaces that the function uses, and its error."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


class RekeyError(RuntimeError):
    """It cannot go on; one sentence for the person who runs it, with what to do and no secret."""


@dataclass(frozen=True, slots=True)
class Found:
    """The current version of an object."""

    size: int
    etag: str
    key: str | None  # ARN of what it is under; None: no key of KMS


class Objects(Protocol):
    """A bucket, as much of it as is needed."""

    def names(self, bucket: str, after: str) -> Iterator[Sequence[str]]:
        """Keys of all current versions that come after one, sorted, by the page."""
        ...

    def find(self, bucket: str, name: str) -> Found | None: ...

    def copy(self, bucket: str, name: str, found: Found, key: str) -> bool:
        """Onto itself, under the key; False where it is not the same any more that was found."""
        ...

    def earlier(self, bucket: str) -> int:
        """How many versions are not current."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    objects: Objects
    late: Callable[[], bool]  # whether the function's time is nearly up
