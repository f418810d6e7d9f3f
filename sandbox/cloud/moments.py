"""When something happened to a resource last, by its ARN and a word for it, in the sandbox's time."""

import datetime
import sqlite3
from typing import Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS moments (
    arn TEXT NOT NULL, what TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (arn, what)
);
"""


def note(db: sqlite3.Connection, arn: str, what: str, at: datetime.datetime) -> None:
    """Keep when something happened last."""
    db.execute("INSERT OR REPLACE INTO moments VALUES (?, ?, ?)", (arn, what, at.isoformat()))


def when(db: sqlite3.Connection, arn: str, what: str) -> datetime.datetime | None:
    """When it happened last; None where nothing was noted."""
    found = db.execute("SELECT at FROM moments WHERE arn = ? AND what = ?", (arn, what)).fetchone()
    return datetime.datetime.fromisoformat(found[0]) if found else None
