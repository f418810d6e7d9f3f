"""Which policies are known everywhere: those of roles, keys, secrets and buckets need a moment for it.

No clock is asked, so that a run is the same each time: the first request that concerns a policy which is new
or has changed is judged by what was there before, and every later one by what is there now.
Assumed (`how-long-new-policies-are-unknown`): that no request after it is refused.
"""

import sqlite3
from collections.abc import Mapping
from typing import Final

SCHEMA: Final = """
-- The text of a policy that all of AWS knows, by what the policy belongs to.
CREATE TABLE IF NOT EXISTS known_policies (
    account TEXT NOT NULL, region TEXT NOT NULL, owner TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (account, region, owner)
);
"""


def learn(
    db: sqlite3.Connection, where: tuple[str, str], policies: Mapping[str, str]
) -> Mapping[str, str | None]:
    """Owner → the text that was known before, None for none, of each policy that was not known as it is now.

    From now on these are known. `where` is account and Region, `policies` owner → text.
    """
    new: dict[str, str | None] = {}
    for owner, text in policies.items():
        query = "SELECT text FROM known_policies WHERE account = ? AND region = ? AND owner = ?"
        found = db.execute(query, (*where, owner)).fetchone()
        if found is None or found[0] != text:
            new[owner] = found[0] if found else None
            db.execute("INSERT OR REPLACE INTO known_policies VALUES (?, ?, ?, ?)", (*where, owner, text))
    return new
