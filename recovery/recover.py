"""`recover`: brings whatever a run left behind to a state that agrees with the cloud; reports each step."""

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from recovery import copies
from recovery.checks import require_passphrase, require_same_account_and_region
from recovery.engine import RecoveryError, Stack, last_line, resources
from recovery.locks import CANCEL, Lock, dead_locks, release_locks
from recovery.mend import repair_state
from recovery.pending import PendingCreate, import_list, other_pending_operations, pending_creates
from recovery.vanishing import LOOK, exclude_options, pending_keys_among_dropped, why_excluded

Say = Callable[[str], None]


def recover(stack: Stack, say: Say) -> bool:
    """Whether all is well at the end; what is left for a person has then been said."""
    stack.require_file()
    dead = dead_locks(stack)
    _say_lines(say, repair_state(stack))
    deployment = stack.export()
    require_same_account_and_region(stack, deployment)
    require_passphrase(stack, deployment)
    _prepare(stack, dead, "recover", say)
    lost = _resolve_pending_operations(stack, say)
    agrees = verify_no_drift(stack, say)
    return agrees and not lost


def restore(stack: Stack, name: str, say: Say) -> bool:
    """Bring one copy back; whether the cloud still is as it says."""
    stack.require_file()
    deployment = copies.read_copy(copies.find_copy(stack, name))
    copies.require_copy_of_stack(stack, deployment)
    dead = dead_locks(stack)
    require_same_account_and_region(stack, deployment)
    require_passphrase(stack, deployment)
    _prepare(stack, dead, "restore", say)
    stack.replace_state(deployment)
    say(f"the state of {stack.name} is that of {name}: {len(resources(deployment))} resources")
    return verify_no_drift(stack, say)


def _prepare(stack: Stack, dead: list[Lock], why: str, say: Say) -> None:
    """What comes before the first change: no lock of the dead, and a copy of the state as it is."""
    _say_lines(say, release_locks(dead))
    if stack.files is None:
        say(f"locks of {stack.backend} are not read here: where one is left, {CANCEL}")
    saved = copies.save_copy(stack, why)
    say(f"copied the state to {saved}" if saved else "the state is empty: there is nothing to copy")


def _say_lines(say: Say, lines: list[str]) -> None:
    for line in lines:
        say(line)


def _resolve_pending_operations(stack: Stack, say: Say) -> list[PendingCreate]:
    """Adopt or clear what was begun; returns what nobody can look up."""
    deployment = stack.export()
    begun, rest = pending_creates(deployment), other_pending_operations(deployment)
    if not begun and not rest:
        say("no operation was left in the middle")
        return []
    deployment["pending_operations"] = []
    stack.replace_state(deployment)
    for what in rest:
        say(f"cleared: {what}; the next up does it again")
    adopted = _import_created(stack, [c for c in begun if c.id])
    for create in begun:
        if create.urn in adopted:
            say(f"adopted: {create.name}, which is there as {create.id}")
        elif create.id:
            say(f"cleared: creating {create.name}; there is no {create.id}")
    lost = [c for c in begun if not c.id and c.type.startswith("aws:")]
    for create in lost:
        say(f"cleared: creating {create.clue}; it may be there under an id that AWS made up: look for it,")
        say("  and delete it, or take it in with `pulumi import`, before the next up makes another one")
    for create in begun:
        if not create.id and create not in lost:
            say(f"cleared: creating {create.name}, which lives in the state alone")
    return lost


def _import_created(stack: Stack, wanted: list[PendingCreate]) -> set[str]:
    """Take in what is there, by the provider's own read; returns the URNs that now are in the state.

    An import stops at the first that is not there: those are left out, and the rest tried again.
    """
    missing = wanted
    while missing:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "import.json"
            path.write_text(json.dumps(import_list(missing)), encoding="utf-8")
            options = ("--yes", "--skip-preview", "--generate-code=false", "--protect=false")
            _, output = stack.pulumi("import", "--file", str(path), *options)
        known = {r["urn"] for r in resources(stack.export())}
        absent = {c.urn for c in missing if f"'{c.id}' does not exist" in output}
        left = [c for c in missing if c.urn not in known | absent]
        if len(left) == len(missing):
            raise RecoveryError(f"stack {stack.name}: an import failed: {last_line(output)}")
        missing = left
    return {c.urn for c in wanted} & {r["urn"] for r in resources(stack.export())}


def verify_no_drift(stack: Stack, say: Say) -> bool:
    """Whether state and cloud agree: what a refresh would change, without changing it."""
    status, output = stack.pulumi(*LOOK, "--expect-no-changes")
    if status and (keys := pending_keys_among_dropped(stack, output)):
        say(f"{why_excluded(stack, keys)}: they are left out")
        status, output = stack.pulumi(*LOOK, "--expect-no-changes", *exclude_options(keys))
    if status == 0:
        say("state and cloud agree")
        return True
    changes = re.findall(r"^\s*([~+-]+) (\d+) to (\w+)", output, re.MULTILINE)
    if not changes:
        raise RecoveryError(f"stack {stack.name}: the cloud could not be compared: {last_line(output)}")
    counted = ", ".join(f"{count} to {verb}" for _, count, verb in changes)
    say(f"state and cloud differ: {counted}; `pulumi refresh --preview-only --diff` shows it, and")
    say("  `pulumi up --refresh` brings the cloud back to what the program says")
    return False
