"""S3 objects and their versions. Permissions are checked elsewhere.

The current version of a key stands in `objects`; older ones stand in `noncurrent` in the order in which they
came, and with them delete markers: where one of those is the newest, the key has no row in `objects`.
S3 user guide, "How S3 Versioning works", 2026-11.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.data_plane.secret_store import SecretStore

NULL: Final = "null"  # the version of what is written while versions are not kept
ENABLED: Final = "Enabled"
SUSPENDED: Final = "Suspended"
OLDER: Final = "SELECT place, version, about, body FROM noncurrent WHERE bucket = ? AND name = ?"


@dataclass(frozen=True)
class Version:
    """One version of a key; a delete marker has no body."""

    name: str
    id: str
    about: Mapping[str, Any]
    body: bytes | None
    latest: bool = True

    @property
    def is_marker(self) -> bool:
        return self.body is None


class ObjectStore:
    def __init__(self, vault: SecretStore) -> None:
        self._vault = vault

    def current(self, bucket: str, name: str) -> Version | None:
        """What one gets by the key alone; a marker where the key is deleted."""
        return next(self.of(bucket, name), None)

    def find(self, bucket: str, name: str, version: str) -> Version | None:
        return next((v for v in self.of(bucket, name) if v.id == version), None)

    def of(self, bucket: str, name: str) -> Iterator[Version]:
        """The versions of a key, the newest first."""
        query = "SELECT about, body FROM objects WHERE bucket = ? AND name = ?"
        found = [(json.loads(about), body) for about, body in self._vault.rows(query, bucket, name)]
        rows = [(about.get("version", NULL), about, body) for about, body in found]
        older = self._vault.rows(f"{OLDER} ORDER BY place DESC", bucket, name)
        rows += [(version, json.loads(about), body) for _, version, about, body in older]
        for number, (version, about, body) in enumerate(rows):
            yield Version(name, version, about, body, latest=number == 0)

    def all(self, bucket: str, prefix: str) -> list[Version]:
        """All versions and markers, by key and the newest first."""
        query = "SELECT name FROM objects WHERE bucket = ? UNION SELECT name FROM noncurrent WHERE bucket = ?"
        names = sorted(n for (n,) in self._vault.rows(query, bucket, bucket) if n.startswith(prefix))
        return [version for name in names for version in self.of(bucket, name)]

    def holds(self, bucket: str) -> bool:
        """Whether a bucket holds any version; markers count, as they do for S3."""
        return bool(self.all(bucket, ""))

    def put(self, bucket: str, name: str, about: Mapping[str, Any], body: bytes, state: str | None) -> str:
        """Write an object; its version."""
        version = secrets.token_urlsafe(24) if state == ENABLED else NULL
        with self._vault.change() as db:
            _push(db, bucket, name, state)
            db.execute(
                "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)",
                (bucket, name, json.dumps({**about, "version": version}), body),
            )
        return version

    def hide(self, bucket: str, name: str, about: Mapping[str, Any], state: str | None) -> str | None:
        """Delete a key: where versions are kept nothing goes, and a marker comes; its version."""
        version = secrets.token_urlsafe(24) if state == ENABLED else NULL
        with self._vault.change() as db:
            _push(db, bucket, name, state)
            db.execute("DELETE FROM objects WHERE bucket = ? AND name = ?", (bucket, name))
            if state is None:
                return None
            _keep(db, bucket, Version(name, version, about, None))
        return version

    def remove(self, bucket: str, name: str, version: str) -> Version | None:
        """Delete one version for good, and let the one before it be the current one."""
        with self._vault.change() as db:
            found = self.find(bucket, name, version)
            if found is None:
                return None
            if found.latest and not found.is_marker:
                db.execute("DELETE FROM objects WHERE bucket = ? AND name = ?", (bucket, name))
            else:
                _drop(db, bucket, name, version)
            _promote(db, bucket, name)
        return found


def _push(db: sqlite3.Connection, bucket: str, name: str, state: str | None) -> None:
    """Make room for a new current version: the old one stays where versions are kept, but for null ones."""
    where = (bucket, name)
    row = db.execute("SELECT about, body FROM objects WHERE bucket = ? AND name = ?", where).fetchone()
    about: dict[str, Any] = json.loads(row[0]) if row else {}
    version = about.get("version", NULL)
    if state == SUSPENDED:
        _drop(db, bucket, name, NULL)
    if row and (state == ENABLED or (state == SUSPENDED and version != NULL)):
        _keep(db, bucket, Version(name, version, about, row[1]))


def _keep(db: sqlite3.Connection, bucket: str, version: Version) -> None:
    db.execute(
        "INSERT INTO noncurrent (bucket, name, version, about, body) VALUES (?, ?, ?, ?, ?)",
        (bucket, version.name, version.id, json.dumps(version.about), version.body),
    )


def _drop(db: sqlite3.Connection, bucket: str, name: str, version: str) -> None:
    where = (bucket, name, version)
    db.execute("DELETE FROM noncurrent WHERE bucket = ? AND name = ? AND version = ?", where)


def _promote(db: sqlite3.Connection, bucket: str, name: str) -> None:
    """The newest of the older ones becomes current, unless it is a marker, or there is a current one."""
    where = (bucket, name)
    if db.execute("SELECT 1 FROM objects WHERE bucket = ? AND name = ?", where).fetchone():
        return
    row = db.execute(f"{OLDER} ORDER BY place DESC LIMIT 1", where).fetchone()
    if row and row[3] is not None:
        about = json.dumps({**json.loads(row[2]), "version": row[1]})
        db.execute("INSERT INTO objects VALUES (?, ?, ?, ?)", (bucket, name, about, row[3]))
        db.execute("DELETE FROM noncurrent WHERE place = ?", (row[0],))
