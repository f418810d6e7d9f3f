"""What the accounts of a cloud are like, as it was said when the cloud was made.

`SANDBOX_PROFILE` says it to whoever opens a cloud that is not there yet; afterwards the cloud itself knows.
"""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Final

VARIABLE: Final = "SANDBOX_PROFILE"
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS profile (name TEXT NOT NULL);
"""
OPENED: Final = """
-- Accounts and Regions that have got what the profile puts into them.
CREATE TABLE IF NOT EXISTS opened (
    account TEXT NOT NULL, region TEXT NOT NULL, PRIMARY KEY (account, region)
);
"""


class Profile(StrEnum):
    FRESH = "fresh"  # new accounts: AWS's quotas for those, and what AWS has put into each
    USED = "used"  # as RAISED, but with a default VPC, and with Config and GuardDuty switched on by somebody
    RAISED = "raised"  # accounts that have been in use, with raised quotas and without default VPCs


class ProfileError(ValueError):
    """No such profile; the text is a sentence."""


def asked_profile(environ: Mapping[str, str] = os.environ) -> Profile | None:
    """What `SANDBOX_PROFILE` says; None where it says nothing. Raises `ProfileError`."""
    text = environ.get(VARIABLE)
    if not text:
        return None
    try:
        return Profile(text)
    except ValueError:
        allowed = ", ".join(Profile)
        raise ProfileError(f"{VARIABLE}: {text!r} is not allowed; expected one of {allowed}") from None


def is_made(db: sqlite3.Connection) -> bool:
    """Whether there is a cloud in the database yet."""
    tables = "SELECT 1 FROM sqlite_master WHERE name IN ('resources', 'profile')"
    return db.execute(tables).fetchone() is not None


def profile_of(db: sqlite3.Connection) -> Profile:
    """The profile of a cloud; those that were made before there were any are `raised`."""
    has = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'profile'").fetchone()
    found = db.execute("SELECT name FROM profile").fetchone() if has else None
    return Profile(found[0]) if found else Profile.RAISED


def recorded_profile(cloud: Path) -> Profile | None:
    """The profile of the cloud in a file; None where there is none yet."""
    if not cloud.exists():
        return None
    with closing(sqlite3.connect(cloud)) as db:
        return profile_of(db) if is_made(db) else None
