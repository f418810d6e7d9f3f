"""Rolls the local cloud back to the state after a run without checkpoints was killed.

Without checkpoints the engine writes its state once, when it ends, also after an interrupt. If it is killed,
the cloud has resources that the state does not know. So a stack's rows in the cloud are copied before each
run; if the copy is still there and the state has not been written since, the next run restores it. A file
lock, which the engine inherits, distinguishes a run that was killed from one that is under way.
"""

import fcntl
import hashlib
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, TextIO

from devtools.locks import locks, release
from devtools.paths import Sandbox, say
from sandbox.cloud.store import FILE

PATIENCE: Final = 60  # seconds; on a busy machine a second takes long
# Table → which of its rows belong to the resources of `mine`.
ROWS: Final = {
    # A claim names account, Region of the caller, and id: of global services the row has another Region.
    "claims": "EXISTS (SELECT 1 FROM mine m WHERE m.type = {0}.type AND instr({0}.id, m.account || '/') = 1"
    " AND substr({0}.id, -length(m.id) - 1) = '/' || m.id)",
    "handles": "(account, region, type, id) IN (SELECT account, region, type, id FROM mine)",
    "resources": "(account, region, type, id) IN (SELECT account, region, type, id FROM mine)",
}
HAS_ANY: Final = "SELECT 1 FROM {}.sqlite_master WHERE name = 'resources'"
MINE: Final = """
CREATE TEMP TABLE mine AS SELECT account, region, type, id FROM {}.resources WHERE instr(urn, ?) = 1
"""
OF: Final = "SELECT * FROM {}.resources WHERE instr(urn, ?) = 1 ORDER BY account, region, type, id"
DELETE: Final = "DELETE FROM main.{0} WHERE {1}"
INSERT: Final = "INSERT INTO main.{0} SELECT * FROM old.{0} WHERE {1}"


def run_with_rollback(home: Path, stack: str, run: Callable[[tuple[int, ...]], int]) -> int:
    """Run the engine, so that it is undone if it is killed; first undo one that was.

    `run` is given the file descriptors that the engine shall inherit, and returns its exit status.
    """
    folder = Sandbox(home).undo
    folder.mkdir(exist_ok=True)
    copy = folder / f"{stack}.sqlite"
    with (folder / f"{stack}.lock").open("w") as lock:
        if not take_update_lock(lock, home, stack):
            return run(())  # another one is on its way, as the engine will say
        release(home, stack)
        if copy.exists():
            _roll_back(home, stack, copy)
        before = _state_digest(home, stack)
        _save_snapshot(home, before, copy)
        status = run((lock.fileno(),))
        if status == 0 or _state_digest(home, stack) != before:
            copy.unlink()
        return status


def take_update_lock(lock: TextIO, home: Path, stack: str) -> bool:
    """Take the lock, waiting for the plugins of an engine that was killed, who notice it in a second."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if any(alive for _, _, alive in locks(home, stack)):
                return False
            time.sleep(0.1)
        else:
            return True
    return False


def _save_snapshot(home: Path, digest: str, copy: Path) -> None:
    """Copy the cloud, and note which state it belongs to; whole or not at all."""
    new = copy.with_suffix(".new")
    new.unlink(missing_ok=True)
    with closing(sqlite3.connect(new)) as target:
        if (home / FILE).exists():
            with closing(sqlite3.connect(home / FILE)) as source:
                source.backup(target)
        target.execute("CREATE TABLE state (digest TEXT)")
        target.execute("INSERT INTO state VALUES (?)", (digest,))
        target.commit()
    new.replace(copy)


def _roll_back(home: Path, stack: str, copy: Path) -> None:
    urn = f"urn:pulumi:{stack}::"
    with closing(sqlite3.connect(home / FILE, isolation_level=None)) as cloud:
        cloud.execute("ATTACH ? AS old", (str(copy),))
        (digest,) = cloud.execute("SELECT digest FROM old.state").fetchone()
        if digest != _state_digest(home, stack):
            return  # the engine lived long enough to write what it had done
        if _resources_of_stack(cloud, "main", urn) == _resources_of_stack(cloud, "old", urn):
            return
        cloud.execute("BEGIN IMMEDIATE")
        for source, put in (("main", DELETE), ("old", INSERT)):
            if _has_resources(cloud, source):
                cloud.execute(MINE.format(source), (urn,))
                for table, rows in ROWS.items():
                    cloud.execute(put.format(table, rows.format(f"{source}.{table}")))
                cloud.execute("DROP TABLE mine")
        cloud.execute("COMMIT")
    say(f"the last run of {stack} was killed before it wrote its state; the cloud is as before it")


def _has_resources(cloud: sqlite3.Connection, source: str) -> bool:
    return cloud.execute(HAS_ANY.format(source)).fetchone() is not None


def _resources_of_stack(cloud: sqlite3.Connection, source: str, urn: str) -> list[tuple[object, ...]]:
    """What a stack has in one of the two."""
    return cloud.execute(OF.format(source), (urn,)).fetchall() if _has_resources(cloud, source) else []


def _state_digest(home: Path, stack: str) -> str:
    states = sorted(Sandbox(home).state.glob(f".pulumi/stacks/*/{stack}.json"))
    return hashlib.sha256(b"".join(p.read_bytes() for p in states)).hexdigest()
