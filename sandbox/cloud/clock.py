"""The sandbox's clock: the machine's time, plus the days by which somebody has moved it forward.

So nobody has to wait 30 days for a key's deletion. All processes of a sandbox read one clock, which only goes
forward. Signatures, credentials and certificates use the machine's time, as their clients do.
"""

import datetime
import sqlite3
import time
from typing import Final

SCHEMA: Final = """
-- Since when (the machine's seconds) the sandbox is ahead by how many days in all.
CREATE TABLE IF NOT EXISTS clock (since REAL PRIMARY KEY, days REAL NOT NULL);
"""
DAY: Final = 86_400


def now(db: sqlite3.Connection) -> datetime.datetime:
    """What time it is in the sandbox."""
    (days,) = db.execute("SELECT coalesce(max(days), 0) FROM clock").fetchone()
    return _utc(time.time() + days * DAY)


def move(db: sqlite3.Connection, days: float) -> None:
    """Go on by some days."""
    if days <= 0:
        raise ValueError(f"a clock goes forward only, and not by {days} days")
    db.execute(
        "INSERT INTO clock SELECT ?, coalesce(max(days), 0) + ? FROM clock WHERE true", (time.time(), days)
    )


def of_the_machine(db: sqlite3.Connection, when: datetime.datetime) -> datetime.datetime:
    """When, by the machine's clock, it was this time in the sandbox; what was skipped ends where it began."""
    stamp, ahead = when.timestamp(), 0.0
    for since, days in db.execute("SELECT since, days FROM clock ORDER BY since"):
        if stamp - ahead * DAY < since:
            break
        stamp, ahead = max(stamp, since + days * DAY), days
    return _utc(stamp - ahead * DAY)


def _utc(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
