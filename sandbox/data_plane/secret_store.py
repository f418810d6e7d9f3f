"""What must be kept and is in no state: key material, secret values, sessions, objects, messages, executions.

A file that only its owner can read. Values of secrets and objects are encrypted as AWS does it, under the KMS
key that they name; the key material stays in this file.
"""

import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BUSY_SECONDS: Final = 60
CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"
NONCE: Final = 12  # bytes
# Table → the column that says whose a row is.
OWNERS: Final = {
    "material": "key",
    "versions": "secret",
    "stages": "secret",
    "objects": "bucket",
    "noncurrent": "bucket",
    "uploads": "bucket",
    "parts": "bucket",
    "messages": "queue",
    "executions": "machine",
}
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS material (key TEXT PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS versions (
    secret TEXT NOT NULL, version TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (secret, version)
);
CREATE TABLE IF NOT EXISTS stages (
    secret TEXT NOT NULL, stage TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (secret, stage)
);
CREATE TABLE IF NOT EXISTS sessions (access_key TEXT PRIMARY KEY, content TEXT NOT NULL, ends REAL NOT NULL);
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, name TEXT NOT NULL, about TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (bucket, name)
);
-- Versions that are not the current one, and delete markers, which have no body; the later, the newer.
CREATE TABLE IF NOT EXISTS noncurrent (
    place INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
    about TEXT NOT NULL, body BLOB
);
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, name TEXT NOT NULL, about TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL, bucket TEXT NOT NULL, number INTEGER NOT NULL, etag TEXT NOT NULL,
    size INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (upload, number)
);
CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY, queue TEXT NOT NULL, about TEXT NOT NULL, body BLOB NOT NULL, visible REAL NOT NULL,
    sent REAL NOT NULL, receipt TEXT, received INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS executions (arn TEXT PRIMARY KEY, machine TEXT NOT NULL, content TEXT NOT NULL);
"""
GONE: Final = """
DELETE FROM {table} WHERE {column} NOT IN (SELECT arn FROM kept) AND {column} NOT LIKE 'alias/aws/%'
"""


class WrongCiphertext(Exception):  # noqa: N818 - a fact, which callers put into AWS's words
    """It was not made with this key, or in another encryption context."""


class SecretStore:
    """Any number of processes at once; within one, a call at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        self.db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + SCHEMA)

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def change(self) -> Generator[sqlite3.Connection]:
        """All or nothing, and one writer at a time over all processes."""
        with self._lock:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self.db.execute(query, values).fetchall()

    def keep_only(self, arns: Collection[str]) -> None:
        """Forget what belonged to something that is no more: `arns` are ARNs, and names of buckets."""
        with self.change() as db:
            db.execute("CREATE TEMP TABLE IF NOT EXISTS kept (arn TEXT PRIMARY KEY)")
            db.execute("DELETE FROM kept")
            db.executemany("INSERT OR IGNORE INTO kept VALUES (?)", [(a,) for a in arns])
            for table, column in OWNERS.items():
                db.execute(GONE.format(table=table, column=column))

    # -- KMS

    def encrypt(self, key: str, plain: bytes, context: Mapping[str, str]) -> bytes:
        """Under the key with this ARN; the context is bound to it and not kept in it."""
        nonce = os.urandom(NONCE)
        return nonce + AESGCM(self._material(key)).encrypt(nonce, plain, _bound(context))

    def decrypt(self, key: str, cipher: bytes, context: Mapping[str, str]) -> bytes:
        """Raises `WrongCiphertext`."""
        try:
            return AESGCM(self._kept(key) or b"").decrypt(cipher[:NONCE], cipher[NONCE:], _bound(context))
        except (InvalidTag, ValueError) as wrong:  # without its material too, which was destroyed
            raise WrongCiphertext(key) from wrong

    def destroy(self, key: str) -> None:
        """Nothing under the key with this ARN can be read ever again."""
        with self.change() as db:
            db.execute("DELETE FROM material WHERE key = ?", (key,))

    def _material(self, key: str) -> bytes:
        if (found := self._kept(key)) is None:
            with self.change() as db:
                db.execute("INSERT OR IGNORE INTO material VALUES (?, ?)", (key, os.urandom(32)))
        return found or self._material(key)

    def _kept(self, key: str) -> bytes | None:
        found = self.rows("SELECT bytes FROM material WHERE key = ?", key)
        return found[0][0] if found else None

    # -- Secrets Manager

    def put_secret(
        self, arn: str, key: str, value: bytes, version: str | None = None, stages: Sequence[str] = (CURRENT,)
    ) -> str:
        """A new version, encrypted under the key, in the context that Secrets Manager uses."""
        name = version or str(uuid.uuid4())
        blob = self.encrypt(key, value, {"SecretARN": arn, "SecretVersionId": name})
        with self.change() as db:
            db.execute("INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?)", (arn, name, key, blob))
            for stage in stages:
                self._move(db, arn, stage, name)
        return name

    def move_stage(self, arn: str, stage: str, version: str) -> None:
        with self.change() as db:
            self._move(db, arn, stage, version)

    def drop_stage(self, arn: str, stage: str) -> None:
        with self.change() as db:
            db.execute("DELETE FROM stages WHERE secret = ? AND stage = ?", (arn, stage))

    def stages(self, arn: str) -> dict[str, list[str]]:
        """Version → its stages; a version without one is deprecated and does not show."""
        found: dict[str, list[str]] = {}
        for stage, version in self.rows("SELECT stage, version FROM stages WHERE secret = ? ORDER BY 1", arn):
            found.setdefault(version, []).append(stage)
        return found

    def secret(self, arn: str, version: str) -> bytes | None:
        """The value of one version."""
        found = self.rows("SELECT key, value FROM versions WHERE secret = ? AND version = ?", arn, version)
        if not found:
            return None
        key, blob = found[0]
        return self.decrypt(key, blob, {"SecretARN": arn, "SecretVersionId": version})

    def current(self, arn: str) -> dict[str, Any] | None:
        """What a secret of JSON says now."""
        for version, stages in self.stages(arn).items():
            if CURRENT in stages:
                return json.loads(self.secret(arn, version) or b"null")
        return None

    @staticmethod
    def _move(db: sqlite3.Connection, arn: str, stage: str, version: str) -> None:
        """What was current becomes the previous one, as Secrets Manager does by itself."""
        before = db.execute(
            "SELECT version FROM stages WHERE secret = ? AND stage = ?", (arn, stage)
        ).fetchone()
        if stage == CURRENT and before and before[0] != version:
            db.execute("INSERT OR REPLACE INTO stages VALUES (?, ?, ?)", (arn, PREVIOUS, before[0]))
        db.execute("INSERT OR REPLACE INTO stages VALUES (?, ?, ?)", (arn, stage, version))


def _bound(context: Mapping[str, str]) -> bytes:
    return json.dumps(dict(context), sort_keys=True).encode()
