"""`python -m recovery VERB STACK`: check, save, refresh, recover, restore; see docs/reliability.md.

`refresh` copies the state and refreshes it, unless much of it would be dropped; keys that wait for their
deletion are left out.

Runs the `pulumi` on PATH with the environment as it is: the backend, credentials and passphrase with
which you deploy. Exit status: 0 all is well; 3 done, and something is left for you to look at; 1 refused,
nothing was changed; 2 wrong usage.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from recovery import copies
from recovery.checks import require_passphrase, require_right_place
from recovery.engine import RecoveryError, Stack
from recovery.recover import recover, restore
from recovery.vanishing import left_out, vanishing_keys, why

LEFT = 3


def check(stack: Stack) -> int:
    stack.require_file()
    deployment = stack.export()
    require_right_place(stack, deployment)
    require_passphrase(stack, deployment)
    print(f"{stack.name}: account, Region and passphrase are those of its state")
    return 0


def save(stack: Stack) -> int:
    stack.require_file()
    saved = copies.save(stack, "save")
    print(f"copied the state to {saved}" if saved else "the state is empty: there is nothing to copy")
    return 0


def refresh(stack: Stack) -> int:
    check(stack)
    keys = vanishing_keys(stack)
    save(stack)
    if keys:
        print(f"{why(stack, keys)}: they are left out")
    status, output = stack.pulumi(
        "refresh", "--yes", "--skip-preview", "--suppress-progress", *left_out(keys)
    )
    print(output, end="")
    return status


SIMPLE: Final[dict[str, Callable[[Stack], int]]] = {"check": check, "save": save, "refresh": refresh}


def run(verb: str, stack: Stack, copy: str | None) -> int:
    if verb in SIMPLE:
        return SIMPLE[verb](stack)
    if verb == "recover":
        return 0 if recover(stack, print) else LEFT
    if copy:
        return 0 if restore(stack, copy, print) else LEFT
    for path in copies.copies(stack):
        print(copies.describe(path))
    if not copies.copies(stack):
        print(f"there is no copy of {stack.name} in {copies.folder_of(stack)}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m recovery", description=__doc__)
    parser.add_argument("verb", choices=(*SIMPLE, "recover", "restore"))
    parser.add_argument("stack")
    parser.add_argument("--copy", help="restore: the copy to bring back; without it they are listed")
    given = parser.parse_args()
    try:
        return run(given.verb, Stack(given.stack, Path.cwd()), given.copy)
    except RecoveryError as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
