"""RDS backups in the local cloud: manual snapshots, and how far back an instance can be restored.

RDS user guide, "Retaining automated backups", "Deleting a DB instance"; API reference, DBSnapshot and
DBInstanceAutomatedBackup; 2026-11.
"""

import datetime
from dataclasses import dataclass
from typing import Any, Final

from sandbox.cloud.store import Row, Store
from sandbox.json_values import members

INSTANCE: Final = "aws:rds/instance:Instance"
SNAPSHOT: Final = "db-snapshot"  # among the traces
BACKUPS: Final = "db-backups"
# Of an instance's outputs, what a snapshot or a retained backup goes on telling.
TOLD: Final = (
    "allocatedStorage", "arn", "availabilityZone", "backupRetentionPeriod", "backupWindow", "engine",
    "engineVersion", "iamDatabaseAuthenticationEnabled", "identifier", "kmsKeyId", "port", "resourceId",
    "storageEncrypted", "storageType", "username",
)  # fmt: skip


@dataclass(frozen=True)
class Backups:
    """The automated backups of one instance, which may be gone itself."""

    outputs: dict[str, Any]
    since: datetime.datetime  # when backups began
    earliest: datetime.datetime
    latest: datetime.datetime
    is_retained: bool  # the instance is gone


def begin(store: Store, row: Row) -> None:
    """An instance was made or changed: backups begin with a period to keep them, and end without one."""
    if not row.outputs.get("backupRetentionPeriod"):
        store.forget_deleted(BACKUPS, row.id)
    elif store.deleted_trace(BACKUPS, row.id) is None:
        store.note_deleted(BACKUPS, row.id, since=store.now().isoformat())


def end(store: Store, row: Row) -> None:
    """An instance is deleted: its backups go with it unless it says otherwise, and a last snapshot stays."""
    given, now = row.outputs, store.now().isoformat()
    shown = {k: given[k] for k in TOLD if given.get(k) is not None}
    name = given.get("finalSnapshotIdentifier")
    if name and not given.get("skipFinalSnapshot"):
        tags = members(given.get("tagsAll") if given.get("copyTagsToSnapshot") else None)
        store.note_deleted(SNAPSHOT, str(name).lower(), at=now, tags=tags, outputs=shown)
    kept = store.deleted_trace(BACKUPS, row.id)
    store.forget_deleted(BACKUPS, row.id)
    if kept and given.get("deleteAutomatedBackups") is False:
        store.note_deleted(BACKUPS, row.id, **kept, until=now, outputs=shown)


def of(store: Store, row: Row) -> Backups | None:
    """The backups of an instance that exists; None where it keeps none."""
    about = store.deleted_trace(BACKUPS, row.id)
    if not row.outputs.get("backupRetentionPeriod"):
        return None
    return _backups(store, dict(row.outputs), about or {})


def retained(store: Store) -> list[Backups]:
    """What is kept of instances that are gone, until it is as old as they wanted it kept."""
    kept = [_backups(store, a["outputs"], a) for a in store.deleted_traces(BACKUPS).values() if "until" in a]
    return [b for b in kept if b.earliest < b.latest]


def _backups(store: Store, outputs: dict[str, Any], about: dict[str, Any]) -> Backups:
    oldest = store.now() - datetime.timedelta(days=int(outputs["backupRetentionPeriod"]))
    since = datetime.datetime.fromisoformat(about["since"]) if "since" in about else oldest
    latest = datetime.datetime.fromisoformat(about["until"]) if "until" in about else store.now()
    return Backups(outputs, since, max(since, oldest), latest, "until" in about)
