"""Which services know of a role or a bucket: AWS tells them one after the other, once it is made."""

import sqlite3
from typing import Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS heard (
    service TEXT NOT NULL, thing TEXT NOT NULL, PRIMARY KEY (service, thing)
);
CREATE INDEX IF NOT EXISTS heard_of ON heard (thing);
"""


def has_heard(db: sqlite3.Connection, service: str, thing: str) -> bool:
    """`service` is that of an account and Region, `thing` a role's ARN or a bucket's name."""
    query = "SELECT 1 FROM heard WHERE service = ? AND thing = ?"
    return db.execute(query, (service, thing)).fetchone() is not None


def tell(db: sqlite3.Connection, service: str, thing: str) -> None:
    """From now on the service knows of it."""
    db.execute("INSERT OR IGNORE INTO heard VALUES (?, ?)", (service, thing))


def forget(db: sqlite3.Connection, things: list[str]) -> None:
    """They are gone; what is made in their name later is another, of which nobody has heard."""
    db.executemany("DELETE FROM heard WHERE thing = ?", [(thing,) for thing in things])
