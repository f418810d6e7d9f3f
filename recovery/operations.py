"""Check, save, refresh, recover or restore a stack, in real accounts too; see docs/reliability.md.

Runs the `pulumi` on PATH with the environment as it is: the backend, credentials and passphrase with
which you deploy. Each returns its exit status: 0 all is well; 3 done, and something is left for you to look
at; else the engine's own. What is refused is a `RecoveryError`, and nothing was changed.
"""

from typing import Any, Final

from recovery import copies
from recovery.checks import require_passphrase, require_same_account_and_region
from recovery.engine import Stack
from recovery.recover import recover as put_right
from recovery.recover import restore as bring_back
from recovery.vanishing import exclude_options, keys_pending_deletion, why_excluded

LEFT: Final = 3


def check(stack: Stack) -> int:
    stack.require_file()
    deployment = stack.export()
    require_same_account_and_region(stack, deployment)
    require_passphrase(stack, deployment)
    print(f"{stack.name}: account, Region and passphrase are those of its state")
    return 0


def save(stack: Stack) -> int:
    stack.require_file()
    saved = copies.save_copy(stack, "save")
    print(f"copied the state to {saved}" if saved else "the state is empty: there is nothing to copy")
    return 0


def refresh(stack: Stack) -> int:
    """Copy the state and refresh it; keys that wait for their deletion are left out."""
    check(stack)
    keys = keys_pending_deletion(stack)
    save(stack)
    if keys:
        print(f"{why_excluded(stack, keys)}: they are left out")
    status, output = stack.pulumi(
        "refresh", "--yes", "--skip-preview", "--suppress-progress", *exclude_options(keys)
    )
    print(output, end="")
    return status


def recover(stack: Stack) -> int:
    return 0 if put_right(stack, print) else LEFT


def restore(stack: Stack, copy: str) -> int:
    return 0 if bring_back(stack, copy, print) else LEFT


def list_copies(stack: Stack) -> int:
    found = copies.copies(stack)
    for path in found:
        print(copies.describe_copy(path))
    if not found:
        print(f"there is no copy of {stack.name} in {copies.folder_of(stack)}")
    return 0


def copies_of(stack: Stack) -> list[dict[str, Any]]:
    """The copies of a stack's state as data, the oldest first."""
    return [{"stack": stack.name, "copy": p.name, "file": str(p)} for p in copies.copies(stack)]
