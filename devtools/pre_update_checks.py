"""Checks before a run changes a stack: right account, no other run, a readable state, a copy of it."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from devtools.account_profile import refuse_small_quotas
from devtools.call import Call
from devtools.crash_rollback import run_with_rollback, take_update_lock
from devtools.paths import Sandbox, ToolchainError, say
from recovery import copies
from recovery.checks import require_same_account_and_region
from recovery.engine import RecoveryError, Stack
from recovery.locks import read_locks
from recovery.vanishing import exclude_options, keys_pending_deletion, why_excluded
from sandbox.cloud.store import FILE

SHOWN: Final = 3
UPDATES: Final = frozenset({"up", "update", "deploy", "watch"})
Start = Callable[[tuple[int, ...], list[str]], int]


def update_with_checks(home: Path, stack: str, env: Mapping[str, str], start: Start, call: Call) -> int:
    """Run the engine, given the file descriptors that it shall inherit and further options of the call;
    raises `ToolchainError`.
    """
    mine = Stack(stack, Path(env["TENANTRY_PROJECT_DIR"]), env)

    def begin(held: tuple[int, ...]) -> int:
        if call.command in UPDATES:
            refuse_small_quotas(mine.folder, home, stack, env)
        _refuse_lost_state(home, mine)
        _refuse_another_account_or_region(mine)
        options = _refresh_exclusions(mine, call) if call.refreshes and _state(mine).get("resources") else []
        copies.save_copy(mine, "before")
        return start(held, options)

    if "PULUMI_SKIP_CHECKPOINTS" in env:
        return run_with_rollback(home, stack, begin)
    folder = Sandbox(home).undo
    folder.mkdir(exist_ok=True)
    with (folder / f"{stack}.lock").open("w") as lock:
        held = (lock.fileno(),) if take_update_lock(lock, home, stack) else ()
        return begin(held)


def warn_of_running_update(home: Path, stack: str) -> None:
    """Say where a look at a stack sees something that changes meanwhile."""
    for lock in read_locks(Sandbox(home).state / ".pulumi", stack):
        if lock.alive:
            say(f"a run of {stack} is on its way ({lock}); what follows is what was so a moment ago")


def _refuse_another_account_or_region(stack: Stack) -> None:
    state = _state(stack)
    try:
        require_same_account_and_region(stack, state, lambda: stack.env.get("SANDBOX_ACCOUNT_ID") or None)
    except RecoveryError as refusal:
        raise ToolchainError(str(refusal)) from None


def _refresh_exclusions(stack: Stack, call: Call) -> list[str]:
    """What keeps a refresh from dropping what is not gone: refused, or options of the call; none for what it
    leaves out already.
    """
    try:
        keys = [urn for urn in keys_pending_deletion(stack) if urn not in call.excluded]
    except RecoveryError as refusal:
        raise ToolchainError(str(refusal)) from None
    if keys and (call.command != "refresh" or call.option("--target", "-t")):
        raise ToolchainError(
            f"{why_excluded(stack, keys)}; nothing was changed; a refresh of its own and of the whole stack"
            f" leaves them out (make refresh STACK={stack.name}); then run this without --refresh"
        )
    if keys:
        say(f"{why_excluded(stack, keys)}: they are left out")
    return exclude_options(keys)


def _refuse_lost_state(home: Path, stack: Stack) -> None:
    """A cloud that is not empty and a state that is: a run would make everything a second time."""
    if _state(stack).get("resources") or not (home / FILE).exists() or _imports_existing(stack):
        return
    with closing(sqlite3.connect(home / FILE)) as db, suppress(sqlite3.OperationalError):  # an empty cloud
        urn = f"urn:pulumi:{stack.name}::{stack.project}::%"
        found = db.execute("SELECT urn FROM resources WHERE urn LIKE ? ORDER BY urn", (urn,)).fetchall()
        if found:
            some = ", ".join(u.rsplit("::", 1)[1] for (u,) in found[:SHOWN])
            raise ToolchainError(
                f"stack {stack.name}: its state is empty, and the cloud holds {len(found)} resources of it"
                f" ({some}, …): nothing was changed; bring a copy of the state back"
                f" (make restore STACK={stack.name}), or begin anew in an empty cloud (make clean)"
            )


def _imports_existing(stack: Stack) -> bool:
    """Whether the stack's file says that the run is to import what exists already."""
    return (stack.setting("organizationImport") or "none") != "none"


def _state(stack: Stack) -> copies.Deployment:
    """The state as its file has it; empty where there is none, or the engine will say what is wrong."""
    if path := stack.state_file:
        with suppress(ValueError, KeyError):
            return json.loads(path.read_text(encoding="utf-8"))["checkpoint"].get("latest") or {}
    return {}
