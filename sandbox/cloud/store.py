"""The resources that exist: one row each, keyed by account, Region, type and id. Safe for parallel runs."""

import datetime
import json
import os
import sqlite3
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox.cloud import clock, containers, known_policies, moments, profile, propagation

FILE: Final = "cloud.sqlite"
BUSY_SECONDS: Final = 60
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS resources (
    account TEXT NOT NULL, region TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
    urn TEXT NOT NULL, inputs TEXT NOT NULL, outputs TEXT NOT NULL,
    PRIMARY KEY (account, region, type, id)
);
-- Every word by which another resource may name one: id, ARN, name, URL.
CREATE TABLE IF NOT EXISTS handles (
    account TEXT NOT NULL, type TEXT NOT NULL, value TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (account, type, value, region, id)
);
-- What may exist once: the database refuses the second of two that start together.
CREATE TABLE IF NOT EXISTS claims (
    scope TEXT NOT NULL, type TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (scope, type, value)
);
-- Who names whom: the word by which an input of a resource means another.
CREATE TABLE IF NOT EXISTS links (
    account TEXT NOT NULL, region TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
    input TEXT NOT NULL, target TEXT NOT NULL,
    PRIMARY KEY (account, type, region, id, input, target)
);
CREATE INDEX IF NOT EXISTS handles_by_value ON handles (type, value);
CREATE INDEX IF NOT EXISTS links_by_target ON links (account, target, type);
-- What a deletion leaves behind, and all that AWS goes on knowing of it: a snapshot, a key that waits for
-- its end, a secret's name.
CREATE TABLE IF NOT EXISTS traces (
    account TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, about TEXT NOT NULL,
    PRIMARY KEY (account, region, kind, name)
);
"""


class NameTakenError(Exception):
    """Something with this name is there already."""


@dataclass(frozen=True, slots=True)
class Row:
    """A resource as the cloud has it."""

    type: str
    id: str
    urn: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]


class Store:
    """The cloud of one account and Region. Each call is a transaction; `:memory:` serves tests."""

    def __init__(self, path: Path | str, account: str, region: str) -> None:
        self.account, self.region = account, region
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        # A lost power supply may lose the last moments of a throw-away cloud; a killed process may not.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;")
        self._found()
        parts = (clock, containers, known_policies, moments, propagation, profile)
        self._db.executescript("".join([SCHEMA, *(part.SCHEMA for part in parts), profile.OPENED]))
        self.profile = profile.profile_of(self._db)

    def _found(self) -> None:
        """Note the profile of a cloud that is not there yet; of several that open it, the first does."""
        if profile.is_made(self._db):
            return
        given = profile.asked_profile() or profile.Profile.RAISED
        with self.change():
            if not profile.is_made(self._db):
                self._db.execute(profile.SCHEMA)
                self._db.execute("INSERT INTO profile VALUES (?)", (str(given),))

    def elsewhere(self, account: str, region: str) -> "Store":
        """Another account and Region of the same cloud, within the same transaction."""
        other = copy(self)
        other.account, other.region = account, region
        return other

    @contextmanager
    def change(self) -> Generator[None]:
        """All or nothing, and one writer at a time over all processes."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def get(self, kind: str, resource_id: str, region: str | None = None) -> Row | None:
        found = self._db.execute(
            "SELECT type, id, urn, inputs, outputs FROM resources"
            " WHERE account = ? AND region = ? AND type = ? AND id = ?",
            (self.account, self.region if region is None else region, kind, resource_id),
        ).fetchone()
        return _row(found) if found else None

    def put(
        self,
        row: Row,
        region: str | None = None,
        handles: Iterable[str] = (),
        links: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Keep a resource; `links` are its inputs that mean others, with the word by which they do."""
        where = self.region if region is None else region
        self._db.execute(
            "DELETE FROM handles WHERE account = ? AND type = ? AND region = ? AND id = ?",
            (self.account, row.type, where, row.id),
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO handles VALUES (?, ?, ?, ?, ?)",
            [(self.account, row.type, h, where, row.id) for h in handles],
        )
        self._unlink(row.type, row.id, where)
        self._db.executemany(
            "INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?, ?, ?)",
            [(self.account, where, row.type, row.id, key, target) for key, target in links],
        )
        self._db.execute(
            "INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                self.account,
                where,
                row.type,
                row.id,
                row.urn,
                json.dumps(row.inputs, sort_keys=True),
                json.dumps(row.outputs, sort_keys=True),
            ),
        )

    def remove(self, kind: str, resource_id: str, region: str | None = None) -> None:
        where = (self.account, self.region if region is None else region, kind, resource_id)
        self._db.execute(
            "DELETE FROM resources WHERE account = ? AND region = ? AND type = ? AND id = ?", where
        )
        self._db.execute(
            "DELETE FROM handles WHERE account = ? AND region = ? AND type = ? AND id = ?", where
        )
        self._unlink(kind, resource_id, where[1])
        self.release_names(kind, resource_id)

    def _unlink(self, kind: str, resource_id: str, region: str) -> None:
        self._db.execute(
            "DELETE FROM links WHERE account = ? AND type = ? AND region = ? AND id = ?",
            (self.account, kind, region, resource_id),
        )

    def users(self, target: Row, kind: str, key: str | None = None) -> list[Row]:
        """The resources of a type that name this one, in one of their inputs where it is told."""
        found = self._db.execute(
            "SELECT DISTINCT r.type, r.id, r.urn, r.inputs, r.outputs FROM handles h"
            " JOIN links l ON l.account = h.account AND l.target = h.value"
            " JOIN resources r ON r.account = l.account AND r.region = l.region"
            " AND r.type = l.type AND r.id = l.id WHERE h.account = ? AND h.type = ? AND h.id = ?"
            " AND l.type = ? AND (? IS NULL OR l.input = ?)",
            (self.account, target.type, target.id, kind, key, key),
        ).fetchall()
        return [_row(r) for r in found]

    def count(self, kind: str) -> int:
        """How many of a type this account has in this Region, or at all where it has no Region."""
        found = self._db.execute(
            "SELECT COUNT(*) FROM resources WHERE account = ? AND region IN (?, '-') AND type = ?",
            (self.account, self.region, kind),
        )
        return int(found.fetchone()[0])

    def note_deleted(self, kind: str, name: str, **about: Any) -> None:
        """Note what a deletion leaves behind."""
        self._db.execute(
            "INSERT OR REPLACE INTO traces VALUES (?, ?, ?, ?, ?)",
            (self.account, self.region, kind, name, json.dumps(about, sort_keys=True)),
        )

    def deleted_trace(self, kind: str, name: str) -> dict[str, Any] | None:
        """What was noted of a thing that is left."""
        return self.deleted_traces(kind).get(name)

    def deleted_traces(self, kind: str) -> dict[str, dict[str, Any]]:
        """All that is left of a kind in this account and Region, by name."""
        query = "SELECT name, about FROM traces WHERE account = ? AND region = ? AND kind = ? ORDER BY name"
        found = self._db.execute(query, (self.account, self.region, kind))
        return {name: json.loads(about) for name, about in found}

    def forget_deleted(self, kind: str, name: str) -> None:
        """It is not even left any more."""
        where = (self.account, self.region, kind, name)
        self._db.execute(
            "DELETE FROM traces WHERE account = ? AND region = ? AND kind = ? AND name = ?", where
        )

    def now(self) -> datetime.datetime:
        """What time it is in the sandbox."""
        return clock.now(self._db)

    def machine_time(self, when: datetime.datetime) -> datetime.datetime:
        """When it was this time, by the clock of the machine."""
        return clock.of_the_machine(self._db, when)

    def move_clock(self, days: float) -> None:
        """Let days go by."""
        clock.move(self._db, days)

    def note_moment(self, arn: str, what: str, at: datetime.datetime | None = None) -> None:
        """Keep when something happened to a resource last: now, if nobody says when."""
        moments.note(self._db, arn, what, at or self.now())

    def moment(self, arn: str, what: str) -> datetime.datetime | None:
        """When it happened last; None where nothing was noted."""
        return moments.when(self._db, arn, what)

    def release_names(self, kind: str, resource_id: str) -> None:
        """Give up the names that a resource has taken."""
        self._db.execute("DELETE FROM claims WHERE type = ? AND id = ?", (kind, self._mine(resource_id)))

    def find(self, kind: str, handle: str, *, here: bool = False) -> list[Row]:
        """The resources of this account, or of this Region alone, that answer to an id, ARN, name or URL."""
        found = self._db.execute(
            "SELECT r.type, r.id, r.urn, r.inputs, r.outputs FROM handles h JOIN resources r"
            " ON r.account = h.account AND r.region = h.region AND r.type = h.type AND r.id = h.id"
            " WHERE h.account = ? AND h.type = ? AND h.value = ? AND (? OR h.region IN (?, '-'))",
            (self.account, kind, handle, not here, self.region),
        ).fetchall()
        return [_row(r) for r in found]

    def known(self, kind: str, handle: str) -> bool:
        """Whether any account has such a thing, for names that all accounts share."""
        query = "SELECT 1 FROM handles WHERE type = ? AND value = ? LIMIT 1"
        return self._db.execute(query, (kind, handle)).fetchone() is not None

    def claim_name(self, scope: str, kind: str, value: str, resource_id: str) -> None:
        """Take a name; raises `NameTakenError` where somebody else has it."""
        try:
            self._db.execute(
                "INSERT INTO claims VALUES (?, ?, ?, ?)", (scope, kind, value, self._mine(resource_id))
            )
        except sqlite3.IntegrityError as wrong:
            raise NameTakenError(value) from wrong

    def is_claimed(self, scope: str, kind: str, value: str) -> bool:
        """Whether somebody has a name."""
        query = "SELECT 1 FROM claims WHERE scope = ? AND type = ? AND value = ?"
        return self._db.execute(query, (scope, kind, value)).fetchone() is not None

    def open_account(self) -> bool:
        """Note that this account and Region are in use; False where they were already."""
        query = "INSERT OR IGNORE INTO opened VALUES (?, ?)"
        return self._db.execute(query, (self.account, self.region)).rowcount == 1

    def push_image(self, repository: str, digest: str, *, healthy: bool = True) -> None:
        """Keep an image in this account and Region, as somebody pushes one."""
        containers.push_image(self._db, (self.account, self.region), (repository, digest), healthy)

    def images(self, repository: str) -> dict[str, bool]:
        """The digests of a repository of this account and Region → whether a container becomes healthy."""
        return containers.images(self._db, (self.account, self.region), repository)

    def delete_images(self, repository: str) -> None:
        """Let the images of a repository go with it."""
        containers.delete_images(self._db, (self.account, self.region), repository)

    def note_deployment(self, service: str, deployment: containers.Deployment) -> None:
        """Keep how a deployment of a service (its ARN) ended."""
        containers.note_deployment(self._db, service, deployment)

    def deployments(self, service: str) -> list[containers.Deployment]:
        """How the deployments of a service (its ARN) ended, the last one first."""
        return containers.deployments(self._db, service)

    def has_heard(self, service: str, thing: str) -> bool:
        """Whether a service knows of a role (its ARN) or bucket."""
        return propagation.has_heard(self._db, service, thing)

    def tell(self, service: str, thing: str) -> None:
        """Let a service know of a role (its ARN) or bucket."""
        propagation.tell(self._db, service, thing)

    def forget(self, things: list[str]) -> None:
        """Let nobody know any more of roles and buckets that are gone."""
        propagation.forget(self._db, things)

    def learn_policies(self, policies: Mapping[str, str]) -> Mapping[str, str | None]:
        """Of these policies (owner → text) those that were not known as they are: owner → text of before."""
        return known_policies.learn(self._db, (self.account, self.region), policies)

    def is_opened(self, account: str) -> bool:
        """Whether an account has got what the cloud's profile puts into it: all but `raised` do so."""
        query = "SELECT 1 FROM opened WHERE account = ? LIMIT 1"
        return self._db.execute(query, (account,)).fetchone() is not None

    def _mine(self, resource_id: str) -> str:
        return f"{self.account}/{self.region}/{resource_id}"

    def all(self, kind: str | None = None) -> list[Row]:
        """Everything of this account, in all its Regions; of one type where it is named."""
        query = "SELECT type, id, urn, inputs, outputs FROM resources WHERE account = ?"
        rows = (
            self._db.execute(f"{query} AND type = ? ORDER BY type, id", (self.account, kind))
            if kind
            else self._db.execute(f"{query} ORDER BY type, id", (self.account,))
        )
        return [_row(r) for r in rows]

    def in_all_accounts(self, kind: str) -> list[Row]:
        """Everything of a type in all accounts, as an organization sees its own."""
        rows = self._db.execute(
            "SELECT type, id, urn, inputs, outputs FROM resources WHERE type = ? ORDER BY id", (kind,)
        )
        return [_row(r) for r in rows]

    def regions_of(self, kind: str) -> list[tuple[str, Row]]:
        """Everything of a type in all accounts, each with its Region."""
        rows = self._db.execute(
            "SELECT region, type, id, urn, inputs, outputs FROM resources WHERE type = ? ORDER BY id", (kind,)
        )
        return [(found[0], _row(found[1:])) for found in rows]

    def update_outputs(self, kind: str, resource_id: str, outputs: Mapping[str, Any]) -> None:
        """Replace what is known of a resource of this Region once it works; its names stay."""
        self._db.execute(
            "UPDATE resources SET outputs = ? WHERE account = ? AND region = ? AND type = ? AND id = ?",
            (json.dumps(outputs, sort_keys=True), self.account, self.region, kind, resource_id),
        )

    def in_region(self, kind: str) -> list[Row]:
        """The resources of one type in this account and Region, and of what has no Region."""
        found = self._db.execute(
            "SELECT type, id, urn, inputs, outputs FROM resources"
            " WHERE account = ? AND region IN (?, '-') AND type = ?",
            (self.account, self.region, kind),
        ).fetchall()
        return [_row(r) for r in found]

    def close(self) -> None:
        self._db.close()


def accounts(path: Path) -> list[tuple[str, str]]:
    """The accounts and Regions that hold anything, or something that is left of it."""
    with sqlite3.connect(path, timeout=BUSY_SECONDS) as db:
        db.executescript(SCHEMA)
        query = "SELECT account, region FROM resources UNION SELECT account, region FROM traces ORDER BY 1, 2"
        return db.execute(query).fetchall()


def default_path() -> Path:
    """Where the sandbox keeps its cloud: `SANDBOX_DIR`, which the tool-chain sets."""
    return Path(os.environ.get("SANDBOX_DIR", ".sandbox")) / FILE


def _row(found: tuple[str, str, str, str, str]) -> Row:
    kind, resource_id, urn, inputs, outputs = found
    return Row(kind, resource_id, urn, json.loads(inputs), json.loads(outputs))
