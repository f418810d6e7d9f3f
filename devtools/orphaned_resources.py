"""Finds resources of the local cloud that no state knows, left by a run that was killed."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from devtools.destroy_guard import state_resources
from sandbox.cloud.store import FILE


def orphaned_urns(stack: str, env: Mapping[str, str]) -> list[str]:
    """URNs under which the cloud holds what the stack's state does not know, sorted; one may be twice."""
    path = Path(env["SANDBOX_DIR"]) / FILE
    if not path.exists():
        return []
    db = sqlite3.connect(path)
    try:
        rows = db.execute(
            "SELECT urn, type, id FROM resources WHERE urn LIKE ?", (f"urn:pulumi:{stack}::%",)
        ).fetchall()
    finally:
        db.close()
    known = state_resources(stack, env)
    if known is None:
        return []
    recorded = {(r["type"], r.get("id")) for r in known}
    return sorted(urn for urn, kind, found in rows if (kind, found) not in recorded)


def orphan_warning(stack: str, env: Mapping[str, str]) -> str | None:
    """A sentence with the remedy where there are any, for the end of a run that failed."""
    found = orphaned_urns(stack, env)
    if not found:
        return None
    return (
        f"the local cloud holds {len(found)} resources that the state of {stack} does not know: a run was"
        " killed before it could save what it had done; `make clean` begins anew, and"
        " TENANTRY_CHECKPOINTS=1 makes runs that survive a kill, slower"
    )
