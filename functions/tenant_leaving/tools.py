"""The interfaces to AWS that the function uses; `aws` implements them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from functions.common.database_endpoint import Connect
from functions.common.secret_store import Store


class OffboardingError(RuntimeError):
    """It cannot go on; one sentence for the person who runs it, with what to do and no secret."""


class Source(Protocol):
    """Where bytes come from, from front to end."""

    def read(self, amount: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Key:
    """A key as KMS describes it."""

    state: str
    deletion: datetime | None = None  # when it is pending


class Keys(Protocol):
    def describe(self, arn: str) -> Key | None:
        """None where there is no such key any more."""
        ...

    def schedule(self, arn: str, days: int) -> None: ...

    def cancel(self, arn: str) -> None: ...

    def enable(self, arn: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Found:
    """An object: its name, and what tells one content of it from another."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an object, or what marks it deleted."""

    key: str
    version: str


@dataclass(frozen=True, slots=True)
class Upload:
    """One that was begun and not finished."""

    key: str
    upload: str


class Objects(Protocol):
    def exists(self, bucket: str) -> bool: ...

    def listed(self, bucket: str) -> Iterator[Found]: ...

    def find(self, bucket: str, key: str) -> Found | None: ...

    def read(self, bucket: str, key: str) -> Source | None: ...

    def write(self, bucket: str, key: str, source: Source) -> None:
        """Of any size; the bucket encrypts with its key by itself."""
        ...

    def remove(self, bucket: str, key: str) -> None:
        """Only the newest version, as a reader sees it."""
        ...

    def versions(self, bucket: str) -> Iterator[Sequence[Version]]:
        """All that the bucket holds, in pages that `purge` takes."""
        ...

    def purge(self, bucket: str, versions: Sequence[Version]) -> None: ...

    def uploads(self, bucket: str) -> Iterator[Upload]: ...

    def abort(self, bucket: str, upload: Upload) -> None: ...


@dataclass(frozen=True, slots=True)
class Instance:
    """A database instance: the key of its storage, and for how many days backups are kept."""

    name: str
    key: str | None
    backup_days: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`kind` is RDS's: manual, which a final one is too; automated, awsbackup."""

    name: str
    kind: str
    key: str | None


@dataclass(frozen=True, slots=True)
class Backups:
    """Automated backups of an instance, which outlive it where that was chosen."""

    name: str
    key: str | None
    latest: datetime | None  # that can be restored
    days: int


class Databases(Protocol):
    def instance(self, name: str) -> Instance | None: ...

    def snapshots(self, instance: str) -> Sequence[Snapshot]: ...

    def remove_snapshot(self, name: str) -> None: ...

    def backups(self, instance: str) -> Sequence[Backups]: ...


class Secrets(Protocol):
    def exists(self, arn: str) -> bool:
        """False also where it is scheduled for deletion: nobody can read it any more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the outside gives, and how long a call may take."""

    connect: Connect
    store: Store
    keys: Keys
    objects: Objects
    databases: Databases
    secrets: Secrets
    now: Callable[[], datetime]
    step: Callable[[str], None]  # says that a step begins; recorded, and where a test ends a run
    late: Callable[[], bool] = lambda: False  # whether a call has to come to its end
