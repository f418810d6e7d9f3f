"""AWS in memory, as much of it as the function of a tenant's leaving asks for."""

import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from functions.tenant_leaving.tools import Backups, Found, Instance, Key, Snapshot, Source, Upload, Version

PAGE = 3  # versions of a page


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 2, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)


@dataclass
class FakeKeys:
    clock: Clock
    keys: dict[str, Key] = field(default_factory=dict)

    def describe(self, arn: str) -> Key | None:
        return self.keys.get(arn)

    def schedule(self, arn: str, days: int) -> None:
        assert self.keys[arn].state in ("Enabled", "Disabled"), "KMSInvalidStateException"
        self.keys[arn] = Key("PendingDeletion", self.clock.now + timedelta(days=days))

    def cancel(self, arn: str) -> None:
        assert self.keys[arn].state == "PendingDeletion", "KMSInvalidStateException"
        self.keys[arn] = Key("Disabled")

    def enable(self, arn: str) -> None:
        assert self.keys[arn].state in ("Enabled", "Disabled"), "KMSInvalidStateException"
        self.keys[arn] = Key("Enabled")


@dataclass
class FakeObjects:
    """Buckets that keep versions; `spoil` is what becomes of bytes on their way."""

    buckets: dict[str, list[tuple[Version, bytes | None]]] = field(default_factory=dict)
    begun: dict[str, list[Upload]] = field(default_factory=dict)
    written: list[tuple[str, str]] = field(default_factory=list)
    spoil: dict[str, bytes] = field(default_factory=dict)  # by key
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def exists(self, bucket: str) -> bool:
        return bucket in self.buckets

    def content(self, bucket: str) -> dict[str, bytes]:
        newest = {version.key: data for version, data in self.buckets[bucket]}
        return {key: data for key, data in sorted(newest.items()) if data is not None}

    def put(self, bucket: str, key: str, data: bytes | None) -> None:
        self.buckets[bucket].append((Version(key, f"v{next(self.numbers)}"), data))

    def listed(self, bucket: str) -> Iterator[Found]:
        return (self._found(bucket, key) for key in self.content(bucket))

    def find(self, bucket: str, key: str) -> Found | None:
        return self._found(bucket, key) if key in self.content(bucket) else None

    def _found(self, bucket: str, key: str) -> Found:
        version, data = [(v, d) for v, d in self.buckets[bucket] if v.key == key][-1]
        return Found(key, len(data or b""), version.version)

    def read(self, bucket: str, key: str) -> Source | None:
        data = self.content(bucket).get(key)
        return None if data is None else io.BytesIO(data)

    def write(self, bucket: str, key: str, source: Source) -> None:
        data = b"".join(iter(partial(source.read, 1000), b""))
        self.written.append((bucket, key))
        self.put(bucket, key, self.spoil.get(key, data))

    def remove(self, bucket: str, key: str) -> None:
        self.put(bucket, key, None)

    def versions(self, bucket: str) -> Iterator[Sequence[Version]]:
        found = [version for version, _ in self.buckets[bucket]]
        return (found[at : at + PAGE] for at in range(0, len(found), PAGE))

    def purge(self, bucket: str, versions: Sequence[Version]) -> None:
        self.buckets[bucket] = [(v, d) for v, d in self.buckets[bucket] if v not in versions]

    def uploads(self, bucket: str) -> Iterator[Upload]:
        return iter(list(self.begun.get(bucket, ())))

    def abort(self, bucket: str, upload: Upload) -> None:
        self.begun[bucket].remove(upload)


@dataclass
class FakeDatabases:
    instances: dict[str, Instance] = field(default_factory=dict)
    kept: dict[str, list[Snapshot]] = field(default_factory=dict)
    automated: dict[str, list[Backups]] = field(default_factory=dict)

    def instance(self, name: str) -> Instance | None:
        return self.instances.get(name)

    def snapshots(self, instance: str) -> Sequence[Snapshot]:
        return list(self.kept.get(instance, ()))

    def remove_snapshot(self, name: str) -> None:
        for found in self.kept.values():
            found[:] = [s for s in found if s.name != name]

    def backups(self, instance: str) -> Sequence[Backups]:
        return self.automated.get(instance, ())


@dataclass
class FakeSecrets:
    arns: set[str] = field(default_factory=set)

    def exists(self, arn: str) -> bool:
        return arn in self.arns
